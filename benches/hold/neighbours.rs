//! Neighbours of the victims in the cluster, who write what they like into their own namespace. Here the server is the
//! program itself, `clientele run`, beside a control plane on the same processors.

pub mod acts;
mod town;

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::attacks::Attackers;
use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator, free_address};
use crate::target::{Probes, memory_mib};
use crate::{LIMIT_MIB, P99, is_served};
use town::Town;

/// What they do, by the rows of `tests/attack-cases.md` and `tests/fault-cases.md`.
pub const NEIGHBOURS: [&str; 5] = [
    "cluster: none",
    "Q06 V6 one namespace rewrites 100 passwords a second",
    "F79 one namespace edits 100 clients a second, half of them wrongly",
    "Q11 thousands of genuine ServiceAccount tokens",
    // What is left of it would be in the way of others.
    LARGEST,
];
/// The last.
pub const LARGEST: &str = "OAuthClients at the size limits";

const HEAD: &str = "\n\
| neighbour | done | sign in | p99 ms | tokens | p99 ms | new passwords within 2 s | new clients: p50, longest ms | RSS MiB | /livez |\n\
|---|---|---|---|---|---|---|---|---|---|";

/// All of them whose name contains this, on one control plane. Whether it held.
pub fn all(runtime: &Runtime, only: &str, time: Duration, hostile: usize) -> bool {
    let mut wanted = NEIGHBOURS
        .iter()
        .filter(|name| name.contains(only))
        .peekable();
    if wanted.peek().is_none() {
        return true;
    }
    eprintln!("a control plane starts");
    let cluster = Cluster::with_chart(&[]);
    let listen = free_address();
    let options = || Options::flags(&[]).at(&listen);
    let first = RunningOperator::start(&cluster, &options());
    let town = runtime.block_on(Town::found(&cluster, &first));
    first.stop();
    println!("{HEAD}");
    let mut held = true;
    for name in wanted {
        // Its memory is its own.
        let operator = RunningOperator::start(&cluster, &options());
        let kubeconfig = cluster.kubeconfig.display().to_string();
        let hostile = hostile.to_string();
        let act = ["--neighbour", name, &kubeconfig, &operator.issuer, &hostile];
        held &= runtime.block_on(beside(&act, &operator, &town, time));
        operator.stop();
    }
    held
}

/// One of them, as a row. Whether it held.
async fn beside(act: &[&str], operator: &RunningOperator, town: &Town, time: Duration) -> bool {
    let name = act[1];
    eprintln!("{name}");
    let victims = town.victims().await;
    victims.run(Duration::from_secs(2)).await;
    let address = operator.admin.strip_prefix("http://").unwrap();
    let probes = Probes::new(address);
    let attackers = Attackers::start(act);
    let until = Instant::now() + time;
    let ((people, programs), (within, changes), mut usable, (alive, all)) = tokio::join!(
        victims.run(time),
        town.new_passwords(until),
        town.new_clients(until),
        probes.until(until),
    );
    let done = attackers.stop();
    usable.sort();
    let at = |index: usize| usable.get(index).map_or(0, Duration::as_millis);
    let rss_mib = memory_mib(operator.pid, "VmHWM:");
    println!(
        "| {name} | {done} | {:.2} % | {} | {:.2} % | {} | {within} of {changes} | {}, {} | {rss_mib} | {alive} of {all} |",
        people.percent(),
        people.p99.as_millis(),
        programs.percent(),
        programs.p99.as_millis(),
        at(usable.len() / 2),
        at(usable.len().saturating_sub(1)),
    );
    people.explain(name, "sign-ins");
    programs.explain(name, "token requests");
    is_served(name, [&people, &programs])
        && within == changes
        && usable.last().is_some_and(|longest| *longest <= P99)
        && rss_mib <= LIMIT_MIB
        && alive == all
}
