//! A second life: everything is as it was, and nothing is written to make it so.

use std::collections::BTreeMap;
use std::time::Duration;

use clientele_api::OAuthClient;
use futures::{StreamExt, stream};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::cluster::Cluster;
use crate::support::load::{Load, all_work};
use crate::support::operator::{
    OPERATOR_USER, Options, RunningOperator, service_account_kubeconfig,
};
use crate::support::snapshot::{Credentials, credentials_in, differences, everything};
use crate::support::test_namespace::{TestNamespace, condition, eventually_within, when};

const MANY: usize = 1000;
/// Time for many objects in a debug build on a busy machine.
const LONG: Duration = Duration::from_mins(3);
/// What would be written without a cause is written within this, or by a timer of minutes that no test waits for:
/// a quiet time cannot be shown by any condition but its passing.
const QUIET: Duration = Duration::from_secs(3);

async fn create_many(space: &TestNamespace, count: usize) {
    stream::iter(0..count)
        .map(|number| async move { space.create(&format!("c{number}"), json!({})).await })
        .buffer_unordered(16)
        .for_each(async |_| ())
        .await;
}

async fn wait_all_ready(space: &TestNamespace, count: usize) {
    eventually_within(LONG, "all are Ready", || async {
        let list = space.clients().list(&ListParams::default()).await.unwrap();
        let is_ready = |object: &&OAuthClient| {
            condition(object, "Ready").is_some_and(|(status, _)| status == "True")
        };
        let ready = list.iter().filter(is_ready).count();
        when(ready == count, (), || format!("{ready} of {count}"))
    })
    .await;
}

/// Waits until the registry serves them, and the first client.
async fn wait_served(operator: &RunningOperator, count: usize) {
    let wanted = f64::from(u32::try_from(count + 1).unwrap());
    eventually_within(LONG, "all are served", || async {
        let served = operator.metric("clientele_registry_clients");
        when(served == Some(wanted), (), || format!("{served:?}"))
    })
    .await;
}

/// How many reconciles of clients this process has begun, those included that found nothing to do yet.
fn reconciles(operator: &RunningOperator) -> usize {
    let count = "clientele_reconcile_duration_seconds_count{kind=\"OAuthClient\"}";
    let text = operator.metrics();
    let count = text.lines().find_map(|line| line.strip_prefix(count));
    count.map_or(0, |count| count.trim().parse().unwrap())
}

/// How often the operator wrote which object of this resource in the namespace, as `verb namespace/name`.
fn writes(cluster: &Cluster, space: &TestNamespace, resource: &str) -> BTreeMap<String, usize> {
    let within = format!("{}/", space.name);
    let mut counts = BTreeMap::new();
    for (verb, what, place) in cluster.writes_by(OPERATOR_USER) {
        if what == resource && place.starts_with(&within) {
            *counts.entry(format!("{verb} {place}")).or_default() += 1;
        }
    }
    counts
}

/// Each of this many objects was written once, by this verb.
fn each_once(counts: &BTreeMap<String, usize>, verb: &str, objects: usize) {
    let odd: Vec<_> = counts
        .iter()
        .filter(|(write, count)| **count != 1 || !write.starts_with(verb))
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
    assert_eq!(counts.len(), objects, "{verb}");
}

/// Waits until two observations of registry and audit log, with a quiet time between them, are the same.
async fn wait_at_rest(cluster: &Cluster, operator: &RunningOperator) {
    let observe = || {
        let revision = operator.metric("clientele_registry_revision");
        (revision, cluster.writes_by(OPERATOR_USER).len())
    };
    eventually_within(LONG, "at rest", || async {
        let before = observe();
        tokio::time::sleep(QUIET).await;
        let after = observe();
        when(after == before, (), || format!("{before:?} {after:?}"))
    })
    .await;
}

fn same(before: &Credentials, after: &Credentials) {
    assert_eq!(differences(before, after), Vec::<String>::new());
}

async fn second_life(
    cluster: &Cluster,
    space: &TestNamespace,
    listen: &str,
    before: &Credentials,
) -> RunningOperator {
    let (objects, written) = (
        everything(&space.kube).await,
        cluster.writes_by(OPERATOR_USER).len(),
    );
    let operator = RunningOperator::start(cluster, &Options::flags(&[]).at(listen));
    wait_served(&operator, before.len()).await;
    // A process that was killed leaves the Lease to expire.
    eventually_within(LONG, "each is reconciled", || async {
        let reconciled = reconciles(&operator);
        when(reconciled > before.len(), (), || format!("{reconciled}"))
    })
    .await;
    wait_at_rest(cluster, &operator).await;
    // Each once, and the first client.
    assert_eq!(reconciles(&operator), before.len() + 1);
    let since = cluster.writes_by(OPERATOR_USER).split_off(written);
    assert_eq!(since, [], "writes of the second life");
    assert_eq!(
        differences(&objects, &everything(&space.kube).await),
        Vec::<String>::new()
    );
    same(before, &credentials_in(&space.kube, &space.name).await);
    all_work(before).await;
    operator
}

#[tokio::test]
async fn a_thousand_clients_cost_two_writes_each_and_a_restart_none() {
    let cluster = Cluster::with_chart(&[]);
    let first = RunningOperator::start(&cluster, &Options::flags(&[]));
    let listen = first.listen.clone();
    let space = TestNamespace::within(&cluster, &first.issuer, "restart").await;
    // A client that comes before its tenant is known has one status more.
    wait_at_rest(&cluster, &first).await;
    create_many(&space, MANY).await;
    wait_all_ready(&space, MANY).await;
    let credentials = credentials_in(&space.kube, &space.name).await;
    assert_eq!(credentials.len(), MANY);
    each_once(&writes(&cluster, &space, "secrets"), "create ", MANY);
    let statuses = writes(&cluster, &space, "oauthclients/status");
    each_once(&statuses, "patch ", MANY);
    all_work(&credentials).await;

    first.stop();
    let second = second_life(&cluster, &space, &listen, &credentials).await;
    second.kill();
    let third = second_life(&cluster, &space, &listen, &credentials).await;
    third.stop();
}

/// Remembers what was published, and complains when it is not the same later.
async fn collect(space: &TestNamespace, seen: &mut Credentials) {
    for (name, entries) in credentials_in(&space.kube, &space.name).await {
        let first = seen.entry(name.clone()).or_insert_with(|| entries.clone());
        assert!(*first == entries, "{name} changed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_killed_while_clients_are_made_it_loses_nothing() {
    const COUNT: usize = 200;
    let cluster = Cluster::with_chart(&[]);
    let mut operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let listen = operator.listen.clone();
    let space = TestNamespace::within(&cluster, &operator.issuer, "churn").await;
    let mut seen = Credentials::new();
    let creator = TestNamespace {
        kube: space.kube.clone(),
        name: space.name.clone(),
        issuer: space.issuer.clone(),
    };
    let creation = tokio::spawn(async move { create_many(&creator, COUNT).await });
    for published in [20, 60, 100, 140] {
        eventually_within(LONG, "some more are published", || async {
            let now = credentials_in(&space.kube, &space.name).await.len();
            when(now >= published, (), || format!("{now}"))
        })
        .await;
        operator.kill();
        collect(&space, &mut seen).await;
        operator = RunningOperator::start(&cluster, &Options::flags(&[]).at(&listen));
    }
    creation.await.unwrap();
    wait_all_ready(&space, COUNT).await;
    collect(&space, &mut seen).await;
    assert_eq!(seen.len(), COUNT);
    all_work(&seen).await;
    let written = writes(&cluster, &space, "secrets");
    let created = |write: &String| write.starts_with("create ");
    assert!(written.keys().all(created), "no Secret was written twice");
    assert!(events_tell_nothing_twice(&space).await);
}

/// Makes, edits, rotates and deletes clients until told to stop; some are never deleted.
async fn churn(space: &TestNamespace, stop: CancellationToken) {
    for turn in 0.. {
        if stop.is_cancelled() {
            return;
        }
        let name = format!("c{}", turn % 40);
        if turn < 40 {
            space.create(&name, json!({})).await;
        } else if turn % 10 == 9 {
            let passing = format!("p{turn}");
            space.create(&passing, json!({})).await;
            space.delete(&passing).await;
        } else {
            let label = json!({ "reloader.stakater.com/turn": format!("{turn}") });
            space
                .patch(&name, json!({ "spec": { "secret": { "labels": label } } }))
                .await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Each at another moment of its life: while it lists, while it catches up, while it waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_killed_two_hundred_times_in_churn_it_loses_nothing() {
    let cluster = Cluster::with_chart(&[]);
    let first = RunningOperator::start(&cluster, &Options::flags(&[]));
    let kubeconfig = service_account_kubeconfig(&cluster);
    let listen = first.listen.clone();
    let space = TestNamespace::within(&cluster, &first.issuer, "kills").await;
    first.kill();
    let (mut seen, stop) = (Credentials::new(), CancellationToken::new());
    let churner = TestNamespace {
        kube: space.kube.clone(),
        name: space.name.clone(),
        issuer: space.issuer.clone(),
    };
    let stopped = stop.clone();
    let churning = tokio::spawn(async move { churn(&churner, stopped).await });
    for kill in 0..200_u64 {
        let options = Options {
            kubeconfig: Some(kubeconfig.clone()),
            ..Options::flags(&[]).at(&listen)
        };
        let operator = RunningOperator::start_unready(&cluster, &options);
        // A fixed row of moments: a failure comes again.
        tokio::time::sleep(Duration::from_millis(20 + kill * 37 % 400)).await;
        operator.kill();
        if kill % 10 == 9 {
            collect(&space, &mut seen).await;
        }
    }
    stop.cancel();
    churning.await.unwrap();
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]).at(&listen));
    wait_all_ready(&space, 40).await;
    collect(&space, &mut seen).await;
    wait_at_rest(&cluster, &operator).await;
    let now = eventually_within(LONG, "what was of the deleted is collected", || async {
        let now = credentials_in(&space.kube, &space.name).await;
        let names: Vec<String> = now.keys().cloned().collect();
        when(now.len() == 40, now, || format!("{names:?}"))
    })
    .await;
    all_work(&now).await;
    seen.retain(|name, _| now.contains_key(name));
    same(&seen, &now);
}

/// A client whose Secret existed already was not told to have got new credentials.
async fn events_tell_nothing_twice(space: &TestNamespace) -> bool {
    use k8s_openapi::api::events::v1::Event;
    let events: Api<Event> = Api::namespaced(space.kube.clone(), &space.name);
    let list = events.list(&ListParams::default()).await.unwrap();
    let mut issued: Vec<Option<String>> = list
        .iter()
        .filter(|event| event.reason.as_deref() == Some("Issued"))
        .map(|event| {
            event
                .regarding
                .as_ref()
                .and_then(|about| about.name.clone())
        })
        .collect();
    let all = issued.len();
    issued.sort();
    issued.dedup();
    issued.len() == all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_a_token_asked_for_before_the_end_is_answered() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "drain").await;
    space.ready("web", json!({})).await;
    let entries = space.entries("web-oauth").await;
    let load: Vec<Load> = (0..4).map(|_| Load::start(entries.clone())).collect();
    operator.stop();
    for load in load {
        let tally = load.stop().await;
        // Once no process listens, connections are refused; no connection that was accepted is cut.
        let cut = tally
            .refused
            .iter()
            .find(|refused| !refused.contains("ConnectionRefused"));
        assert_eq!(cut, None);
    }
    assert!(
        space
            .clients()
            .get("web")
            .await
            .unwrap()
            .finalizers()
            .is_empty()
    );
    assert_eq!(json!(space.entries("web-oauth").await), json!(entries));
}
