//! The database goes away, a replica is frozen, or a second process runs beside a SQLite file.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::cluster::ha::replicas::lease;
use crate::support::cluster::Cluster;
use crate::support::load::{Load, ask_at};
use crate::support::operator::{Options, RunningOperator, free_address};
use crate::support::postgres::Server;
use crate::support::test_namespace::{
    TestNamespace, condition, eventually, eventually_within, http, when,
};

/// The Lease of a process that was killed lasts 15 s, and the machine may be busy.
const TAKEN: Duration = Duration::from_mins(1);

/// A control plane, and a database of its own.
async fn with_database() -> (Cluster, Server, Options) {
    let start = || (Cluster::with_chart(&[]), Server::start());
    let (cluster, server) = tokio::task::spawn_blocking(start).await.unwrap();
    let options = Options {
        database_url: Some(server.database().await),
        issuer: Some(format!("http://{}", free_address())),
        ..Options::flags(&[])
    };
    (cluster, server, options)
}

async fn is_ready(space: &TestNamespace, name: &str) -> bool {
    let object = space.clients().get(name).await.unwrap();
    condition(&object, "Ready").is_some_and(|(status, _)| status == "True")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o01_without_a_database_it_stays_ready_and_serves() {
    let (cluster, server, options) = with_database().await;
    let first = RunningOperator::start(&cluster, &options);
    let space = TestNamespace::within(&cluster, &first.issuer, "outage").await;
    space.ready("web", json!({})).await;
    let mut entries = space.entries("web-oauth").await;
    let endpoint = format!("http://{}/token", first.listen);
    entries.insert("TOKEN_ENDPOINT".to_owned(), endpoint);
    let load = Load::start(entries);

    server.kill();
    eventually("it has noticed", || async {
        let up = first.metric("clientele_store_up");
        when(up == Some(0.0), (), || format!("{up:?}"))
    })
    .await;
    assert_eq!(first.readyz(), Some(200), "{}", first.readiness());
    // One that is started meanwhile waits, and says for what.
    let second = RunningOperator::start_unready(&cluster, &options);
    eventually("it waits for the database", || async {
        let said = second.readiness();
        when(said.contains("the database cannot be used"), (), || {
            said.clone()
        })
    })
    .await;
    space.create("meanwhile", json!({})).await;
    eventually("its Secret is written", || async {
        let secret = space.secrets().get_opt("meanwhile-oauth").await.unwrap();
        when(secret.is_some(), (), || "none".to_owned())
    })
    .await;
    assert!(!is_ready(&space, "meanwhile").await);
    assert_eq!((first.readyz(), second.readyz()), (Some(200), Some(503)));

    server.restart();
    second.wait_ready();
    space.wait_ready("meanwhile").await;
    load.stop().await.is_flawless();
    eventually("it says that the database answers", || async {
        let up = first.metric("clientele_store_up");
        when(up == Some(1.0), (), || format!("{up:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o09_a_thawed_replica_calls_no_ready_client_unknown() {
    let (cluster, _server, options) = with_database().await;
    let first = RunningOperator::start(&cluster, &options);
    let frozen = RunningOperator::start(&cluster, &options);
    let space = TestNamespace::within(&cluster, &first.issuer, "frozen").await;
    space.ready("web", json!({})).await;
    let endpoint = format!("http://{}/token", frozen.listen);

    frozen.signal("-STOP");
    let began = Instant::now();
    space.create("new", json!({})).await;
    eventually_within(TAKEN, "it is Ready without the frozen one", || async {
        when(is_ready(&space, "new").await, (), || "not yet".to_owned())
    })
    .await;
    let blocked = began.elapsed();
    assert!(
        blocked >= Duration::from_secs(10),
        "it is waited for: {blocked:?}"
    );
    let (entries, http) = (space.entries("new-oauth").await, http());
    frozen.signal("-CONT");
    eventually("it serves the new client, and never refuses it", || async {
        let answer = ask_at(&http, &endpoint, &entries).await;
        if let Err(refused) = &answer {
            assert!(refused.starts_with("503 "), "{refused}");
        }
        answer
    })
    .await;
    // From now on it says of what does not exist that it does not.
    let mut unknown = entries.clone();
    unknown.insert("CLIENT_ID".to_owned(), "frozen.unknown".to_owned());
    eventually("it has caught up", || async {
        let refused = ask_at(&http, &endpoint, &unknown).await.unwrap_err();
        when(refused.starts_with("401 "), (), || refused.clone())
    })
    .await;
    assert_eq!(frozen.readyz(), Some(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o07_a_second_process_with_sqlite_is_not_ready() {
    let cluster = Cluster::with_chart(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let named = |name: &str, database: String| Options {
        database_url: Some(database),
        ..Options::flags(&["--replica-name", name])
    };
    let first = RunningOperator::start(&cluster, &named("pod-a", file("one.db")));
    let says = async |operator: &RunningOperator, why: &str| {
        eventually("it says why it is not ready", || async {
            let said = operator.readiness();
            let waits = operator.readyz() == Some(503) && said.contains(why);
            when(waits, (), || said.clone())
        })
        .await;
    };
    let same_file = RunningOperator::start_unready(&cluster, &named("pod-b", file("one.db")));
    says(&same_file, "sqlite/pod-a").await;
    assert!(
        same_file.log().contains("is in use by"),
        "{}",
        same_file.log()
    );
    let other_file = RunningOperator::start_unready(&cluster, &named("pod-c", file("two.db")));
    says(&other_file, "sqlite/pod-a").await;
    assert_eq!(first.readyz(), Some(200));
    same_file.stop();
    first.stop();
    other_file.wait_ready();
    // A container that is restarted in its pod has the Lease still.
    let space = TestNamespace::within(&cluster, &other_file.issuer, "alone").await;
    let held = lease(&space).await;
    assert_eq!(held.holder_identity.as_deref(), Some("sqlite/pod-c"));
    other_file.kill();
    let _restarted = RunningOperator::start(&cluster, &named("pod-c", file("two.db")));
    assert_eq!(
        lease(&space).await.lease_transitions,
        held.lease_transitions
    );
}
