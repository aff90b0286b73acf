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
mod server;
mod sign_ins;
mod soak;
#[path = "../sign_in/support.rs"]
mod support;
mod target;
mod victims;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use attacks::ATTACKS;
use target::Server;
use victims::Outcome;

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
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().build().unwrap();
    if let Some(folder) = options.serve {
        runtime.block_on(server::serve(&folder));
        return ExitCode::SUCCESS;
    }
    if let Some(minutes) = options.soak {
        let held = runtime.block_on(soak::run(minutes));
        return if held {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let mut held = true;
    println!(
        "| attack | victims | succeed | p99 ms | RSS MiB | /livez | log KiB/s | refused or closed |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, attack) in ATTACKS
        .iter()
        .filter(|(name, _)| name.contains(&options.only))
    {
        held &= runtime.block_on(besiege(name, *attack, Duration::from_secs(options.seconds)));
    }
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One attack on a fresh server, as a row. Whether it held.
async fn besiege(name: &str, attack: attacks::Attack, time: Duration) -> bool {
    let target = Server::start();
    eprintln!("{name}: {}", target.limit());
    // The first sign-in measures the speed of the machine.
    victims::run(&target, Duration::from_secs(2)).await;
    let before = target.counted().await;
    let attackers = attacks::begin(attack, &target);
    let (outcome, watched) = tokio::join!(victims::run(&target, time), target.watch(time));
    for attacker in &attackers {
        attacker.abort();
    }
    let reasons = target.refused_since(&before).await;
    let share = if attackers.is_empty() { CALM } else { BESIEGED };
    let Outcome {
        done,
        succeeded,
        p99,
    } = outcome;
    let percent = succeeded as f64 * 100.0 / done.max(1) as f64;
    println!(
        "| {name} | {done} | {percent:.2} % | {} | {} | {} of {} | {} | {reasons} |",
        p99.as_millis(),
        watched.rss_mib,
        watched.alive,
        watched.probes,
        watched.log_bytes / 1024 / time.as_secs().max(1),
    );
    percent >= share
        && p99 <= P99
        && watched.rss_mib <= LIMIT_MIB
        && watched.alive == watched.probes
}
