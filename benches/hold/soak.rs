//! An hour of mixed traffic, with changes of the registry every half minute and two restarts: memory, file descriptors, rows and
//! latency at the end are those of the beginning, within the bounds below.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AnyConnection, Connection, Row, query};
use tokio::time::{Instant, sleep};

use crate::attacks::ATTACKS;
use crate::server;
use crate::sign_ins::VICTIMS;
use crate::target::Server;
use crate::victims::{Outcome, Victims};

/// How long one round of traffic takes.
const ROUND: Duration = Duration::from_secs(10);
/// Every how many rounds the registry changes, and from which on attackers come for one round.
const CHANGES: u32 = 3;
const ATTACKED: u32 = 5;
/// What leaves the largest heap, and leaves it once: every process goes through it at its start, so that it hides no leak.
const LARGEST: [&str; 2] = [
    "Q01 V1 costly hashes, one after the other",
    "Q03 V3 10,000 idle connections of 200 addresses",
];
/// How long each of these.
const WARM_UP: Duration = Duration::from_secs(8);
/// What may be more at the end than after the first fifth.
const MORE_MEMORY: f64 = 1.25;
const MORE_MEMORY_MIB: u64 = 16;
const MORE_FILES: u64 = 32;
const MORE_LATENCY: f64 = 2.0;
const MORE_LATENCY_MS: u64 = 50;
/// The cap of sessions, for everybody who signs in: the victims, and one whose script does.
const MOST_SESSIONS: u64 = 100 * (VICTIMS as u64 + 1);

/// What is compared.
#[derive(Clone, Copy, Debug)]
struct State {
    rss_mib: u64,
    files: u64,
    sessions: u64,
    failures: u64,
    p99: [Duration; 2],
    percent: [f64; 2],
}

/// Lets it run, and says whether it stayed as it was.
pub async fn run(minutes: u64) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let time = Duration::from_secs(60 * minutes);
    let begun = Instant::now();
    let mut target = Server::start_in(folder.path());
    let mut victims = arrive(&target).await;
    eprintln!("soak for {minutes} minutes: {}", target.limit());
    println!(
        "| after | RSS MiB | files | sessions | counted accounts | sign in | p99 ms | tokens | p99 ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let (mut early, mut last, mut restarts) = (None, None, 0);
    for round in 1.. {
        if begun.elapsed() >= time {
            break;
        }
        if begun.elapsed() > time * (restarts + 1) / 3 {
            restarts += 1;
            eprintln!("restart {restarts}");
            drop(target);
            target = Server::start_in(folder.path());
            victims = arrive(&target).await;
        }
        if round % CHANGES == 0 {
            target.change_registry();
        }
        let attackers = (round % ATTACKED == 0).then(|| {
            let nth = round as usize / ATTACKED as usize;
            let (name, _) = ATTACKS[1 + nth % (ATTACKS.len() - 1)];
            eprintln!("{name}");
            target.besiege(name)
        });
        let is_calm = attackers.is_none();
        let outcomes = victims.run(ROUND).await;
        drop(attackers);
        // What an attacker held is let go in the round after it.
        if is_calm && round % ATTACKED != 1 {
            let state = state(&target, folder.path(), outcomes).await;
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

/// The victims, at a server that has been through the worst.
async fn arrive(target: &Server) -> Arc<Victims> {
    for (name, _) in ATTACKS.iter().filter(|(name, _)| LARGEST.contains(name)) {
        let attackers = target.besiege(name);
        sleep(WARM_UP).await;
        drop(attackers);
    }
    let (place, requests) = server::credentials(target.port);
    Victims::arrive(place, requests).await
}

async fn state(target: &Server, folder: &std::path::Path, outcomes: (Outcome, Outcome)) -> State {
    let (people, programs) = outcomes;
    State {
        rss_mib: target.rss_mib(),
        files: target.files(),
        sessions: rows(folder, "SELECT count(*) FROM sessions").await,
        failures: rows(folder, "SELECT count(*) FROM failed_logins").await,
        p99: [people.p99, programs.p99],
        percent: [people.percent(), programs.percent()],
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
        "| {} s | {} | {} | {} | {} | {:.2} % | {} | {:.2} % | {} |",
        after.as_secs(),
        state.rss_mib,
        state.files,
        state.sessions,
        state.failures,
        state.percent[0],
        state.p99[0].as_millis(),
        state.percent[1],
        state.p99[1].as_millis(),
    );
}

fn judge(early: State, last: State) -> bool {
    let memory = (early.rss_mib as f64 * MORE_MEMORY) as u64 + MORE_MEMORY_MIB;
    let latency = |number: usize| {
        let early = early.p99[number].as_millis() as f64;
        (early * MORE_LATENCY) as u64 + MORE_LATENCY_MS
    };
    let mut held = true;
    for (what, is, most) in [
        ("MiB of memory", last.rss_mib, memory),
        ("open files", last.files, early.files + MORE_FILES),
        ("sessions", last.sessions, MOST_SESSIONS),
        (
            "ms, the p99 of sign-ins",
            last.p99[0].as_millis() as u64,
            latency(0),
        ),
        (
            "ms, the p99 of token requests",
            last.p99[1].as_millis() as u64,
            latency(1),
        ),
    ] {
        if is > most {
            println!("\n{is} {what}, where {most} were allowed");
            held = false;
        }
    }
    for (what, percent) in ["sign-ins", "token requests"].into_iter().zip(last.percent) {
        if percent < crate::CALM {
            println!(
                "\n{percent:.2} % of the {what} succeeded, where {} % have to",
                crate::CALM
            );
            held = false;
        }
    }
    held
}
