//! A namespace does not wait for another's thousands.

use std::ops::Range;

use futures::future::join_all;
use futures::{StreamExt, stream};
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::load::ask;
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{TestNamespace, condition, http};

/// Enough to take seconds.
const THOUSANDS: usize = 1200;
/// In no particular order it would be next to impossible that all of these came in the first half.
const NEWCOMERS: usize = 12;

/// When an object was written last, in the order of everything that was ever written.
fn revision<K: ResourceExt>(object: &K) -> u64 {
    object.resource_version().unwrap().parse().unwrap()
}

/// Creates a client and waits for its Secret; when each of them was written.
async fn served(space: &TestNamespace, name: &str) -> Range<u64> {
    let created = revision(&space.create(name, json!({})).await);
    space.wait_ready(name).await;
    let secret = space.secrets().get(&format!("{name}-oauth")).await.unwrap();
    created..revision(&secret)
}

/// How many OAuthClients of a namespace are ready.
async fn ready(space: &TestNamespace) -> usize {
    let list = space.clients().list(&ListParams::default()).await.unwrap();
    let is_ready = |object: &&_| condition(object, "Ready").is_some_and(|(is, _)| is == "True");
    list.iter().filter(is_ready).count()
}

#[tokio::test]
async fn k24_nothing_waits_for_the_thousands_of_another_namespace() {
    let start = || {
        let cluster = Cluster::with_chart(&[]);
        let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
        (cluster, operator)
    };
    let (cluster, operator) = tokio::task::spawn_blocking(start).await.unwrap();
    let other = TestNamespace::within(&cluster, &operator.issuer, "other").await;
    other.ready("known", json!({})).await;
    let entries = other.entries("known-oauth").await;
    let listen = operator.listen.clone();
    operator.stop();
    let hog = TestNamespace::within(&cluster, &other.issuer, "hog").await;
    stream::iter(0..THOUSANDS)
        .for_each_concurrent(16, async |number| {
            hog.create(&format!("client-{number}"), json!({})).await;
        })
        .await;
    // All of them are waiting when it comes back.
    let restart = move || {
        let operator = RunningOperator::start(&cluster, &Options::flags(&[]).at(&listen));
        (cluster, operator)
    };
    let _running = tokio::task::spawn_blocking(restart).await.unwrap();
    let newcomers = (0..NEWCOMERS).map(|number| {
        let (other, name) = (&other, format!("newcomer-{number}"));
        async move { served(other, &name).await }
    });
    let newcomers = join_all(newcomers).await;
    assert_eq!(other.token("newcomer-0-oauth").await.0, 200);
    let http = http();
    while ready(&hog).await < THOUSANDS {
        for _ in 0..20 {
            ask(&http, &entries).await.unwrap();
        }
    }
    let theirs = hog.secrets().list(&ListParams::default()).await.unwrap();
    for newcomer in newcomers {
        let earlier = theirs.iter().map(revision);
        let earlier = earlier.filter(|secret| newcomer.contains(secret)).count();
        assert!(earlier < THOUSANDS / 2, "{earlier} of them came before it");
    }
}
