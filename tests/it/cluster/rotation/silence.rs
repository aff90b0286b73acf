//! An old secret retires when it is no longer used, as far as all replicas have seen, and not before.

use std::time::{Duration, Instant};

use clientele_api::OAuthClient;
use clientele_oauth::client::used_days::Day;
use serde_json::json;

use super::{generation, ledger, notes, rotate, wait_refused, wait_retired};
use crate::support::cluster::Cluster;
use crate::support::load::{Entries, ask, ask_at};
use crate::support::operator::{Options, RunningOperator, free_address};
use crate::support::postgres::Server;
use crate::support::test_namespace::{TestNamespace, http};

const QUIET: Duration = Duration::from_secs(4);

fn options() -> Options {
    Options::flags(&["--usage-report-interval", "1s"])
}

/// A client with a short quiet period in the middle of a rotation, and its old and new entries.
async fn in_overlap(space: &TestNamespace) -> (Entries, Entries) {
    let spec = json!({ "rotation": { "quietPeriod": "4s" } });
    space.ready("web", spec).await;
    let old = space.entries("web-oauth").await;
    let object = rotate(space, "web", "one").await;
    assert_eq!(ledger(&object), (2, 2, 1));
    (old, space.entries("web-oauth").await)
}

async fn current(space: &TestNamespace) -> OAuthClient {
    space.clients().get("web").await.unwrap()
}

/// Sends requests with the old secret for this time; it never fails, and does not retire meanwhile. Returns a time shortly before it
/// was last used.
async fn keep_using(
    space: &TestNamespace,
    old: &Entries,
    endpoint: &str,
    time: Duration,
) -> Instant {
    let (http, begin) = (http(), Instant::now());
    let mut last = begin;
    while begin.elapsed() < time {
        last = Instant::now();
        ask_at(&http, endpoint, old).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    still_accepted(space, last).await;
    last
}

/// The old secret has not retired, unless it is so long since then that it may.
async fn still_accepted(space: &TestNamespace, since: Instant) {
    let ledger = ledger(&current(space).await);
    let elapsed = since.elapsed();
    assert!(ledger.2 == 1 || elapsed >= QUIET, "{ledger:?} {elapsed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_secret_works_while_used_and_retires_once_silent() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &options());
    let space = TestNamespace::within(&cluster, &operator.issuer, "silence").await;
    let (old, new) = in_overlap(&space).await;
    let endpoint = &old["TOKEN_ENDPOINT"];
    // No client has the new one yet: whatever the silence, the old one works on.
    tokio::time::sleep(2 * QUIET).await;
    ask(&http(), &old).await.unwrap();
    ask(&http(), &new).await.unwrap();
    let last = keep_using(&space, &old, endpoint, 2 * QUIET).await;
    let object = space
        .wait_client("web", "the status tells of it", |object| {
            let overlap = generation(object).overlap;
            overlap.is_none_or(|overlap| overlap.last_used.is_some())
        })
        .await;
    let said = crate::support::test_namespace::message(&object);
    let retired = generation(&object).overlap.is_none();
    assert!(retired || said.contains("was unused for 4s"), "{object:?}");
    let object = wait_retired(&space, "web").await;
    let took = last.elapsed();
    assert!(took + Duration::from_secs(1) >= QUIET, "{took:?}");
    assert_eq!(ledger(&object), (2, 2, 2));
    wait_refused(&old).await;
    ask(&http(), &new).await.unwrap();
    let note = &notes(&space, "Retired").await[0];
    assert!(note.contains("the old one was unused for 4s"), "{note}");
    let today = Day::of(jiff::Timestamp::now());
    let object = space
        .wait_client("web", "the status has the day of the last use", |object| {
            let status = object.status.as_ref().unwrap();
            status.last_used_at.is_some()
        })
        .await;
    let status = object.status.unwrap();
    let used = Day::of(status.last_used_at.unwrap().0);
    assert!(used == today || used == Day::of(jiff::Timestamp::now()));
    assert_eq!(status.unused_since, None);
}

/// What was used in the last moments before a crash was never reported, and a store can be lost as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_a_crash_nor_a_lost_store_retires_a_secret_early() {
    let cluster = Cluster::with_chart(&[]);
    let folder = tempfile::tempdir().unwrap();
    let kept = format!("sqlite:{}", folder.path().join("kept.db").display());
    let with = |database_url: Option<String>| Options {
        database_url,
        ..options()
    };
    let operator = RunningOperator::start(&cluster, &with(Some(kept.clone())));
    let listen = operator.listen.clone();
    let space = TestNamespace::within(&cluster, &operator.issuer, "crash").await;
    let (old, new) = in_overlap(&space).await;
    let endpoint = old["TOKEN_ENDPOINT"].clone();
    ask(&http(), &new).await.unwrap();
    keep_using(&space, &old, &endpoint, QUIET).await;
    operator.kill();
    // The same store, then an empty one.
    for database in [Some(kept), None] {
        let started = Instant::now();
        let operator = RunningOperator::start(&cluster, &with(database).at(&listen));
        ask(&http(), &new).await.unwrap();
        while started.elapsed() + Duration::from_millis(500) < QUIET {
            still_accepted(&space, started).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let answer = ask(&http(), &old).await;
        let elapsed = started.elapsed();
        assert!(answer.is_ok() || elapsed >= QUIET, "{answer:?} {elapsed:?}");
        operator.kill();
    }
    let _operator = RunningOperator::start(&cluster, &with(None).at(&listen));
    ask(&http(), &new).await.unwrap();
    wait_retired(&space, "web").await;
    wait_refused(&old).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn use_at_one_replica_keeps_another_from_retiring_a_secret() {
    let cluster = Cluster::with_chart(&[]);
    let issuer = format!("http://{}", free_address());
    let database = Server::shared().database().await;
    let options = |listen: String| Options {
        issuer: Some(issuer.clone()),
        database_url: Some(database.clone()),
        ..options().at(&listen)
    };
    let start = |listen| RunningOperator::start(&cluster, &options(listen));
    let (one, other) = (start(free_address()), start(free_address()));
    let space = TestNamespace::within(&cluster, &issuer, "replicas").await;
    let (old, new) = in_overlap(&space).await;
    let endpoint = |operator: &RunningOperator| format!("http://{}/token", operator.listen);
    ask_at(&http(), &endpoint(&one), &new).await.unwrap();
    keep_using(&space, &old, &endpoint(&other), 3 * QUIET).await;
    // It dies without a word: its last requests count as use until it counts no longer itself.
    other.kill();
    let died = Instant::now();
    wait_retired(&space, "web").await;
    assert!(died.elapsed() >= QUIET, "{:?}", died.elapsed());
}
