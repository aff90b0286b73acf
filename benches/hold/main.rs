//! Whether the server holds: victims sign in five times a second, each from an address of their own, and ask for 50 tokens a
//! second, while an attacker does one thing with all his might. The server is a process of its own with 512 MiB: limited by
//! a cgroup where one can be made, otherwise measured.
//!
//! Everything stays on loopback, and every attack is bounded in connections and time.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts and milliseconds for people"
)]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]
#![allow(
    dead_code,
    clippy::struct_field_names,
    reason = "the support of the tests is as it is"
)]

mod attacks;
mod frames;
mod neighbours;
mod server;
mod sign_ins;
mod soak;
mod support;
mod target;
mod victims;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use attacks::ATTACKS;
use target::Server;
use victims::{Outcome, Victims};

#[derive(Parser)]
struct Options {
    /// Seconds for each attack; the goals are meant for 60.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only attacks whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Let it run for this many minutes instead, and compare the end with the beginning.
    #[arg(long)]
    soak: Option<u64>,
    /// Be the server instead.
    #[arg(long, hide = true)]
    serve: Option<std::path::PathBuf>,
    /// Be the attackers instead: the name of the attack, and the ports.
    #[arg(long, hide = true, num_args = 4)]
    besiege: Option<Vec<String>>,
    /// Be a neighbour instead: what it does, the kubeconfig, the issuer, and how many objects it creates at the most.
    #[arg(long, hide = true, num_args = 4)]
    neighbour: Option<Vec<String>>,
    /// How many OAuthClients at the size limits a neighbour creates.
    #[arg(long, default_value_t = 10_000)]
    hostile: usize,
    /// Cargo passes this.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What must succeed without an attack, and beside one.
const CALM: f64 = 99.9;
const BESIEGED: f64 = 99.0;
/// The slowest that 99 of 100 may be.
const P99: Duration = Duration::from_secs(2);
const LIMIT_MIB: u64 = 512;

fn main() -> ExitCode {
    let options = Options::parse();
    // Of reqwest and of the attackers' handshakes.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().build().unwrap();
    if let Some(folder) = options.serve {
        runtime.block_on(server::serve(&folder));
        return ExitCode::SUCCESS;
    }
    if let Some([name, ports @ ..]) = options.besiege.as_deref() {
        let ports: Vec<u16> = ports.iter().map(|port| port.parse().unwrap()).collect();
        runtime.block_on(attacks::run(name, &ports));
        // What has not ended holds nothing of anybody.
        std::process::exit(0);
    }
    if let Some([name, kubeconfig, issuer, hostile]) = options.neighbour.as_deref() {
        let hostile = hostile.parse().unwrap();
        runtime.block_on(neighbours::acts::run(name, kubeconfig, issuer, hostile));
        std::process::exit(0);
    }
    if let Some(minutes) = options.soak {
        let held = runtime.block_on(soak::run(minutes));
        return if held {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let time = Duration::from_secs(options.seconds);
    let only = &*options.only;
    let wanted: Vec<_> = ATTACKS
        .iter()
        .filter(|(name, _)| name.contains(only))
        .collect();
    if !wanted.is_empty() {
        println!("{HEAD}");
    }
    let mut held = true;
    for (name, _) in wanted {
        held &= runtime.block_on(besiege(name, time));
    }
    held &= neighbours::all(&runtime, only, time, options.hostile);
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

const HEAD: &str = "\
| attack | tries/s | sign in | p99 ms | tokens | p99 ms | RSS MiB | /livez | log KiB/s | refused or closed |
|---|---|---|---|---|---|---|---|---|---|";

/// One attack on a fresh server, as a row. Whether it held.
async fn besiege(name: &str, time: Duration) -> bool {
    let target = Server::start();
    eprintln!("{name}: {}", target.limit());
    let (place, requests) = server::credentials(target.port);
    let victims = Victims::arrive(place, requests).await;
    victims.run(Duration::from_secs(2)).await;
    let before = target.counted().await;
    let attackers = target.besiege(name);
    let ((people, programs), watched) = tokio::join!(victims.run(time), target.watch(time));
    let tries = attackers.stop();
    let seconds = time.as_secs().max(1);
    let reasons = target.refused_since(&before).await;
    println!(
        "| {name} | {} | {:.2} % | {} | {:.2} % | {} | {} | {} of {} | {} | {reasons} |",
        tries / seconds,
        people.percent(),
        people.p99.as_millis(),
        programs.percent(),
        programs.p99.as_millis(),
        watched.rss_mib,
        watched.alive,
        watched.probes,
        watched.log_bytes / 1024 / seconds,
    );
    people.explain(name, "sign-ins");
    programs.explain(name, "token requests");
    is_served(name, [&people, &programs])
        && watched.rss_mib <= LIMIT_MIB
        && watched.alive == watched.probes
}

/// Whether as many succeeded as have to, without an attack or beside one, and soon enough.
fn is_served(name: &str, outcomes: [&Outcome; 2]) -> bool {
    let share = if name.ends_with("none") {
        CALM
    } else {
        BESIEGED
    };
    let served = |outcome: &&Outcome| outcome.percent() >= share && outcome.p99 <= P99;
    outcomes.iter().all(served)
}
