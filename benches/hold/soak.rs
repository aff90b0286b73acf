//! An hour of mixed traffic, with changes of the registry every half minute and two restarts: memory, file descriptors, rows and
//! latency at the end are those of the beginning, within the bounds below.

use std::time::Duration;

use sqlx::{AnyConnection, Connection, Row, query};
use tokio::time::Instant;

use crate::attacks::{self, ATTACKS};
use crate::sign_ins::VICTIMS;
use crate::target::Server;
use crate::victims::{self, Outcome};

/// How long one round of traffic takes.
const ROUND: Duration = Duration::from_secs(10);
/// Every how many rounds the registry changes, and from which on attackers come for one round.
const CHANGES: u32 = 3;
const ATTACKED: u32 = 5;
/// What may be more at the end than after the first fifth.
const MORE_MEMORY: f64 = 1.25;
const MORE_MEMORY_MIB: u64 = 16;
const MORE_FILES: u64 = 32;
const MORE_LATENCY: f64 = 2.0;
const MORE_LATENCY_MS: u128 = 50;
/// The cap of sessions, for everybody who signs in.
const MOST_SESSIONS: u64 = 100 * VICTIMS as u64;

/// What is compared.
#[derive(Clone, Copy, Debug)]
struct State {
    rss_mib: u64,
    files: u64,
    sessions: u64,
    failures: u64,
    p99: Duration,
    percent: f64,
}

/// Lets it run, and says whether it stayed as it was.
pub async fn run(minutes: u64) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let time = Duration::from_secs(60 * minutes);
    let begun = Instant::now();
    let mut target = Server::start_in(folder.path());
    eprintln!("soak for {minutes} minutes: {}", target.limit());
    println!("| after | RSS MiB | files | sessions | counted accounts | p99 ms | succeed |");
    println!("|---|---|---|---|---|---|---|");
    let (mut early, mut last, mut restarts) = (None, None, 0);
    for round in 1.. {
        if begun.elapsed() >= time {
            break;
        }
        if begun.elapsed() > time * (restarts + 1) / 3 {
            restarts += 1;
            drop(target);
            target = Server::start_in(folder.path());
            victims::run(&target, ROUND).await;
        }
        if round % CHANGES == 0 {
            target.change_registry();
        }
        let attackers = if round % ATTACKED == 0 {
            let (_, attack) = ATTACKS[1 + round as usize / ATTACKED as usize % (ATTACKS.len() - 1)];
            attacks::begin(attack, &target)
        } else {
            Vec::new()
        };
        let is_calm = attackers.is_empty();
        let outcome = victims::run(&target, ROUND).await;
        for attacker in attackers {
            attacker.abort();
        }
        if is_calm && round % ATTACKED != 1 {
            let state = state(&target, folder.path(), outcome).await;
            row(begun.elapsed(), state);
            if begun.elapsed() >= time / 5 {
                early.get_or_insert(state);
            }
            last = Some(state);
        }
    }
    let (Some(early), Some(last)) = (early, last) else {
        eprintln!("too short: give it five minutes");
        return false;
    };
    judge(early, last)
}

async fn state(target: &Server, folder: &std::path::Path, outcome: Outcome) -> State {
    State {
        rss_mib: target.rss_mib(),
        files: target.files(),
        sessions: rows(folder, "SELECT count(*) FROM sessions").await,
        failures: rows(folder, "SELECT count(*) FROM failed_logins").await,
        p99: outcome.p99,
        percent: outcome.succeeded as f64 * 100.0 / outcome.done.max(1) as f64,
    }
}

async fn rows(folder: &std::path::Path, count: &'static str) -> u64 {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}?mode=ro", folder.join("hold.db").display());
    let mut database = AnyConnection::connect(&url).await.unwrap();
    let row = query(count).fetch_one(&mut database).await.unwrap();
    row.get::<i64, _>(0).unsigned_abs()
}

fn row(after: Duration, state: State) {
    println!(
        "| {} s | {} | {} | {} | {} | {} | {:.2} % |",
        after.as_secs(),
        state.rss_mib,
        state.files,
        state.sessions,
        state.failures,
        state.p99.as_millis(),
        state.percent,
    );
}

fn judge(early: State, last: State) -> bool {
    let memory = (early.rss_mib as f64 * MORE_MEMORY) as u64 + MORE_MEMORY_MIB;
    let latency = (early.p99.as_millis() as f64 * MORE_LATENCY) as u128 + MORE_LATENCY_MS;
    let mut held = true;
    for (what, is, most) in [
        ("MiB of memory", last.rss_mib, memory),
        ("open files", last.files, early.files + MORE_FILES),
        ("sessions", last.sessions, MOST_SESSIONS),
        (
            "ms of the slowest of a hundred",
            last.p99.as_millis() as u64,
            latency as u64,
        ),
    ] {
        if is > most {
            println!("\n{is} {what}, where {most} were allowed");
            held = false;
        }
    }
    if last.percent < crate::CALM {
        println!(
            "\n{:.2} % succeeded, where {} % have to",
            last.percent,
            crate::CALM
        );
        held = false;
    }
    held
}
