//! What one change costs the registry, by how many clients there are: synthetic events, no cluster.
//!
//! The builder of the operator takes in events and makes registries, as the observer does. Beside it stand what a new policy of
//! the tenant of all clients costs, with the longest time that it keeps its thread from others, and what looking at everything
//! at once costs, as after a list.

mod stage;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use stage::Stage;

#[derive(Parser)]
struct Options {
    /// How many clients.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    clients: Vec<usize>,
    /// How many changes of each kind.
    #[arg(long, default_value_t = 2000)]
    changes: usize,
    /// Cargo passes this.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let Ok(runtime) = { runtime }.enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let _entered = runtime.enter();
    println!(
        "| clients | a spec changes: mean, p99 | a status changes | one is made and deleted | a status of the tenant changes | a policy of the tenant changes | its longest step | everything at once |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for clients in options.clients {
        let Ok(mut stage) = Stage::new(clients) else {
            return ExitCode::FAILURE;
        };
        row(&mut stage, clients, options.changes);
    }
    ExitCode::SUCCESS
}

fn row(stage: &mut Stage, clients: usize, changes: usize) {
    // Far apart, so that no cache of the processor holds what is changed.
    let nth = |n: usize| n * 7919 % clients;
    let spec = measured(changes, |n| stage.edit(nth(n), n));
    let status = measured(changes, |n| stage.write_status(nth(n)));
    let made = measured(changes, |n| {
        stage.make(clients + n);
        stage.delete(clients + n);
    });
    let tenant = measured(changes.min(200), |_| stage.write_tenant_status());
    let mut longest = Duration::ZERO;
    let policy = measured(3, |_| longest = longest.max(stage.change_policy()));
    let whole = measured(3, |_| stage.relist());
    println!(
        "| {clients} | {:.1}, {:.1} µs | {:.1} µs | {:.1} µs | {:.1} µs | {:.1} ms | {:.1} ms | {:.1} ms |",
        micros(mean(&spec)),
        micros(spec[spec.len() * 99 / 100]),
        micros(mean(&status)),
        micros(mean(&made)) / 2.0,
        micros(mean(&tenant)),
        micros(mean(&policy)) / 1000.0,
        micros(longest) / 1000.0,
        micros(mean(&whole)) / 1000.0,
    );
}

/// How long each took, in order.
fn measured(times: usize, mut change: impl FnMut(usize)) -> Vec<Duration> {
    let each = (0..times).map(|n| {
        let started = Instant::now();
        change(n);
        started.elapsed()
    });
    let mut all: Vec<Duration> = each.collect();
    all.sort_unstable();
    all
}

fn mean(all: &[Duration]) -> Duration {
    all.iter().sum::<Duration>() / u32::try_from(all.len().max(1)).unwrap_or(u32::MAX)
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
