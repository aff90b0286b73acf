//! The operator beside the API server it works on: `make bench`, never part of the tests.
//!
//! Everything is measured on one control plane in one run, beside the rate at which the same API server takes
//! the same writes from the same client library. Absolute numbers belong to the machine; quote the ratios.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts and milliseconds for people"
)]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]
#![allow(
    dead_code,
    reason = "the support of the tests has more than a benchmark needs"
)]

mod churn;
#[path = "../../tests/it/support/cluster.rs"]
mod cluster;
mod credentials;
mod load;
#[path = "../../tests/it/support/machine.rs"]
mod machine;
mod measure;
#[path = "../shared/open_loop.rs"]
mod open_loop;
#[path = "../../tests/it/support/operator.rs"]
mod operator;
mod rotate;
mod scale;
#[path = "../../tests/it/support/test_namespace.rs"]
mod test_namespace;
mod tokens;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use cluster::Cluster;
use measure::{Report, quantile};
use operator::{OPERATOR_USER, Options, RunningOperator, free_address};
use tokio::runtime::Runtime;

#[derive(Parser)]
struct Arguments {
    /// How many OAuthClients
    #[arg(long, default_value_t = 10_000)]
    clients: usize,
    /// One part only
    #[arg(long)]
    only: Option<Part>,
    /// How many OAuthClients that namespace has
    #[arg(long, default_value_t = 5000)]
    churning: usize,
    /// For how long it changes them
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Rounds of rotations
    #[arg(long, default_value_t = 6)]
    rounds: usize,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// From apply to a usable credential; thousands of clients; at rest; a restart
    Clients,
    /// Token requests while secrets rotate
    Rotate,
    /// What others see while one namespace changes thousands of clients
    Churn,
    /// A restart, a policy, rotations and replacements with all clients at an API server; only when it is named
    Scale,
}

fn main() {
    let runtime = Runtime::new().unwrap();
    let arguments = Arguments::parse();
    let mut report = Report::default();
    if arguments.only == Some(Part::Scale) {
        scale::measure(&runtime, arguments.clients, &mut report);
    }
    let wanted = |part| arguments.only.is_none_or(|only| only == part);
    if wanted(Part::Clients) {
        alone(&runtime, arguments.clients, &mut report);
    }
    if wanted(Part::Rotate) {
        rotating(&runtime, arguments.rounds, &mut report);
    }
    if wanted(Part::Churn) {
        among_others(&runtime, &arguments, &mut report);
    }
    report.print();
}

/// On a cluster of its own, whose API server knows nothing of what was before.
fn rotating(runtime: &Runtime, rounds: usize, report: &mut Report) {
    let cluster = Cluster::with_chart(&[]);
    let _operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    rotate::measure(runtime, &cluster, rounds, report);
}

/// On another, for the same reason.
fn among_others(runtime: &Runtime, arguments: &Arguments, report: &mut Report) {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let size = (arguments.churning, arguments.seconds);
    churn::measure(runtime, &cluster, &operator, size, report);
}

fn alone(runtime: &Runtime, count: usize, report: &mut Report) {
    let cluster = Cluster::with_chart(&[]);
    // One address for all, so that the issuer, and with it every Secret, stays the same.
    let listen = free_address();
    let quiet = || Options::flags(&[]).at(&listen);

    // A small number shows that everything works, and nothing more.
    let (single, raw) = (count.min(200), count.min(2000));
    let rest = Duration::from_millis(count as u64 * 6).min(Duration::from_mins(1));
    eprintln!("bench: {single} OAuthClients, one after the other, on an idle cluster");
    let idle = RunningOperator::start(&cluster, &quiet());
    let usable = runtime.block_on(load::apply_to_usable(&cluster, "latency", single));
    let latencies: Vec<f64> = usable.iter().map(|usable| usable.took).collect();
    report.row(
        "apply → usable credential, p50",
        format!("{:.0} ms", quantile(&latencies, 0.5) * 1e3),
    );
    report.row(
        "apply → usable credential, p99",
        format!("{:.0} ms", quantile(&latencies, 0.99) * 1e3),
    );
    let written = runtime.block_on(load::Written::read(&cluster, "latency"));
    idle.stop();

    eprintln!("bench: raw writes, before");
    let raw_writes = |space| load::raw_writes(&cluster, &written, space, raw);
    let before = runtime.block_on(raw_writes("raw-before"));
    eprintln!("bench: creating {count} OAuthClients");
    runtime.block_on(load::create_clients(&cluster, "bench", count));
    let writes_before = cluster.writes_by(OPERATOR_USER).len();
    eprintln!("bench: operator starts and makes them ready");
    let operator = RunningOperator::start_unready(&cluster, &quiet());
    let took = measure::until_ready(&operator, count, || {
        runtime.block_on(load::ready(&cluster, "bench"))
    });
    let processor = measure::processor_seconds(operator.pid);
    eprintln!("bench: {} s at rest", rest.as_secs());
    let at_rest = measure::writes_at_rest(&cluster, rest);
    let resident = measure::memory(operator.pid, "VmRSS");
    let peak = measure::memory(operator.pid, "VmHWM");
    let objects = measure::object_writes(&cluster, writes_before);
    operator.stop();

    let restarts = restarts(runtime, &cluster, &quiet, report);
    eprintln!("bench: raw writes, after");
    let after = runtime.block_on(raw_writes("raw-after"));

    let raw = f64::midpoint(before, after);
    let rate = count as f64 / took.as_secs_f64();
    report.row(
        "raw writes (one Secret, one status), before and after",
        format!("{before:.0} and {after:.0} clients/s"),
    );
    report.row(
        &format!("{count} OAuthClients to Ready"),
        format!("{:.1} s, {rate:.0} clients/s", took.as_secs_f64()),
    );
    report.row("ratio to the raw rate", format!("{:.2}", rate / raw));
    report.row(
        "processor time of the operator per client",
        format!("{:.2} ms", processor / count as f64 * 1e3),
    );
    report.row(
        "writes to objects per new client",
        format!("{:.3}", objects as f64 / count as f64),
    );
    report.row(
        &format!("writes at rest in {} s", rest.as_secs()),
        at_rest.to_string(),
    );
    report.row(
        &format!("RSS with {count} clients: peak, at rest, after a restart"),
        format!("{peak:.0}, {resident:.0}, {restarts:.0} MB"),
    );
}

/// Restarts, each beside a bare read of the same lists. The memory after the last one.
fn restarts(
    runtime: &Runtime,
    cluster: &Cluster,
    options: &dyn Fn() -> Options,
    report: &mut Report,
) -> f64 {
    const ROUNDS: usize = 5;
    let api_server = || measure::processor_seconds(cluster.api_server);
    let (mut taken, mut bare, mut size, mut resident) = (Vec::new(), Vec::new(), 0, 0.0);
    let (mut served, mut read) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("bench: restart {round} of {ROUNDS}");
        let before = api_server();
        let (seconds, bytes) = runtime.block_on(load::read_lists(cluster));
        let between = api_server();
        bare.push(seconds);
        read.push(between - before);
        size = bytes;
        let (restart, restarted) = measure::restart(cluster, &options());
        served.push(api_server() - between);
        taken.push(restart.as_secs_f64());
        resident = measure::memory(restarted.pid, "VmRSS");
        restarted.stop();
    }
    let (taken, bare) = (quantile(&taken, 0.5), quantile(&bare, 0.5));
    let megabytes = size as f64 / 1e6;
    report.row("restart to serving, median of 5", format!("{taken:.2} s"));
    report.row(
        "a bare read of the lists that are served from, median of 5",
        format!("{bare:.2} s for {megabytes:.0} MB"),
    );
    report.row("ratio of both", format!("{:.1}", taken / bare));
    let (served, read) = (quantile(&served, 0.5), quantile(&read, 0.5));
    report.row(
        "processor time of the API server for a restart and for a bare read",
        format!("{served:.2} s, {read:.2} s"),
    );
    resident
}
