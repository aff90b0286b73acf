//! What people's sign-in costs: codes exchanged and refresh tokens used per second and core, on both stores, beside the
//! limit of their parts; token requests while passwords are hashed; a million refresh families.
//!
//! The limit is a bare hyper server that signs the same two tokens and waits for one small durable write, by the same
//! library on the same disk. A second copy of it is the control: the interval of that pair has to contain 1. Servers run on
//! core 0 in paired rounds in random order, the load generator and PostgreSQL on core 1.

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

mod durable;
#[path = "../shared/limit.rs"]
mod limit;
mod million;
#[path = "../shared/open_loop.rs"]
mod open_loop;
mod ours;
mod passwords;
mod rounds;
#[path = "../shared/running.rs"]
mod running;
#[path = "../shared/statistics.rs"]
mod statistics;
mod support;
#[path = "../shared/wrk.rs"]
mod wrk;

use std::process::{Command, ExitCode};

use clap::{Parser, ValueEnum};
use support::postgres;
use tokio::net::TcpListener;

#[derive(Parser)]
pub(crate) struct Options {
    /// Rounds; fewer than 8 decide little.
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    /// Seconds per server and round.
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Refresh families in each store.
    #[arg(long, default_value_t = 1_000_000)]
    families: u32,
    /// Be a server instead.
    #[arg(long, hide = true)]
    serve: Option<Server>,
    /// Fill this database with families instead.
    #[arg(long, hide = true)]
    fill: bool,
    /// Look them up and use them instead.
    #[arg(long, hide = true)]
    look_up: bool,
    /// The database.
    #[arg(long, hide = true, default_value = "")]
    url: String,
    /// Cargo passes this.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Server {
    Ours,
    Limit,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(server) = options.serve {
        serve(server, &options.url);
    } else if options.fill {
        runtime(1).block_on(million::fill_and_tell(&options.url, options.families));
    } else if options.look_up {
        runtime(1).block_on(million::use_and_tell(&options.url, options.families));
    } else if wrk::is_installed() {
        measure(&options);
    } else {
        eprintln!("wrk generates the load and is missing: install it with `apt-get install wrk`");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn runtime(workers: usize) -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(workers)
        .enable_all()
        .build()
        .unwrap()
}

/// Serves on a free port, whose number is the first line of output.
fn serve(server: Server, url: &str) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    runtime(cores).block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        match server {
            Server::Ours => ours::serve(listener, url).await,
            Server::Limit => durable::serve(listener, url).await,
        }
        .unwrap();
    });
}

fn measure(options: &Options) {
    // What is started in between inherits it.
    affinity("1");
    let postgres = postgres::Server::with_fsync("on");
    affinity("0-1");
    let folder = tempfile::tempdir().unwrap();
    let sqlite = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let database = || runtime(1).block_on(postgres.database());
    rounds::measure(options, &sqlite, &database);
    passwords::measure(options, &sqlite("passwords.db"));
    println!(
        "\n| store | families | filled in | size | RSS MiB, opened | RSS MiB, after use | find ms, p50 / p99 | use ms, p50 / p99 |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (store, url) in [("SQLite", sqlite("million.db")), ("PostgreSQL", database())] {
        eprintln!("{store}: {} families", options.families);
        println!("| {store} | {} |", million::measured(options, &url));
    }
}

fn affinity(cores: &str) {
    let pid = std::process::id().to_string();
    let mut command = Command::new("taskset");
    let command = command.args(["-acp", cores, &pid]);
    let _ = command.stdout(std::process::Stdio::null()).status();
}
