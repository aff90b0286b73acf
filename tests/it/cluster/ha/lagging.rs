//! An operator that hears late of what happens to OAuthClients, beside one that hears at once.

use std::time::Duration;

use kube::ResourceExt;
use serde_json::json;

use crate::cluster::ha::replicas::come_to_rest;
use crate::support::cluster::Cluster;
use crate::support::load::{Entries, ask, ask_at};
use crate::support::operator::{Options, RunningOperator};
use crate::support::proxy::Proxy;
use crate::support::snapshot::{differences, everything};
use crate::support::test_namespace::{
    TestNamespace, entries, eventually, eventually_within, http, when,
};

/// Time for what waits for a backoff.
const LONG: Duration = Duration::from_secs(90);

struct Lagging {
    space: TestNamespace,
    late: RunningOperator,
    proxy: Proxy,
    _first: RunningOperator,
    _cluster: Cluster,
}

impl Lagging {
    /// Both serve the client `web`, and from now on one hears nothing of OAuthClients.
    async fn new(prefix: &str) -> Self {
        let cluster = Cluster::with_chart(&[]);
        let first = RunningOperator::start(&cluster, &Options::flags(&[]));
        let proxy = Proxy::before(&cluster).await;
        let options = Options {
            issuer: Some(first.issuer.clone()),
            ..Options::flags(&[])
        };
        let late = RunningOperator::start(&cluster, &options.through(&proxy));
        let space = TestNamespace::within(&cluster, &first.issuer, prefix).await;
        let lagging = Self {
            space,
            late,
            proxy,
            _first: first,
            _cluster: cluster,
        };
        lagging.space.ready("web", json!({})).await;
        lagging.space.is_settled().await;
        let before = lagging.space.entries("web-oauth").await;
        eventually("it serves the client", || lagging.asked(&before)).await;
        // What it wrote itself it must have heard of: otherwise it waits, and tries nothing.
        come_to_rest(&lagging.space).await;
        lagging.proxy.hold_watches();
        lagging
    }

    /// The answer of the one that hears late.
    async fn asked(&self, entries: &Entries) -> Result<String, String> {
        let endpoint = format!("http://{}/token", self.late.listen);
        ask_at(&http(), &endpoint, entries).await
    }

    /// Asks for a rotation; returns what is published then.
    async fn rotated(&self, rotation: serde_json::Value) -> Entries {
        let before = self.space.entries("web-oauth").await;
        let patch = json!({ "spec": { "rotation": rotation } });
        self.space.patch("web", patch).await;
        let changed = |secret: &k8s_openapi::api::core::v1::Secret| entries(secret) != before;
        let what = "a new generation is published";
        let secret = self.space.wait_secret("web-oauth", what, changed).await;
        self.space.wait_ready("web").await;
        entries(&secret)
    }

    /// Waits until it has tried to do something that it would not if it heard; for a while, because it need not.
    async fn has_time_to_try(&self) {
        let tried = async {
            while self.late.conflicts() == 0.0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(5), tried).await;
    }

    /// Every Secret as it is. Statuses are left out: a replica that receives old events at once may date them again.
    async fn secrets(&self) -> std::collections::BTreeMap<String, serde_json::Value> {
        let mut all = everything(&self.space.kube).await;
        all.retain(|name, _| name.starts_with("Secret "));
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_a_replica_accepts_a_generation_not_yet_seen() {
    let lagging = Lagging::new("newer").await;
    let space = &lagging.space;
    let old = space.entries("web-oauth").await;
    let new = lagging.rotated(json!({ "requestId": "one" })).await;
    for entries in [&old, &new] {
        lagging.asked(entries).await.unwrap();
        ask(&http(), entries).await.unwrap();
    }
    let leak = json!({ "requestId": "two", "maxOverlap": "0s" });
    let newest = lagging.rotated(leak).await;
    lagging.asked(&newest).await.unwrap();
    // The one that is late takes the new Secret for a wrong one, and does not put the old one back.
    lagging.has_time_to_try().await;
    assert_eq!(space.entries("web-oauth").await, newest);
    let before = lagging.secrets().await;

    // It is late indeed: a client that is new altogether is not known to it.
    space.ready("unheard", json!({})).await;
    let unheard = space.entries("unheard-oauth").await;
    lagging.asked(&unheard).await.unwrap_err();
    lagging.proxy.release_watches();
    eventually_within(LONG, "it has heard", || lagging.asked(&unheard)).await;
    for retired in [&old, &new] {
        eventually_within(LONG, "what leaked is refused", || async {
            let refused = lagging.asked(retired).await.is_err();
            when(refused, (), || "issued".to_owned())
        })
        .await;
    }
    lagging.asked(&newest).await.unwrap();
    let mut after = lagging.secrets().await;
    after.retain(|name, _| before.contains_key(name));
    assert_eq!(differences(&before, &after), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_an_operator_with_a_stale_uid_spares_the_new_client() {
    let lagging = Lagging::new("recreated").await;
    let space = &lagging.space;
    let old = space.entries("web-oauth").await;
    let uid = space.clients().get("web").await.unwrap().uid();
    space.delete("web").await;
    let object = space.create("web", json!({})).await;
    assert_ne!(object.uid(), uid);
    let is_new = |secret: &k8s_openapi::api::core::v1::Secret| entries(secret) != old;
    space.wait_secret("web-oauth", "it is new", is_new).await;
    space.wait_ready("web").await;
    let (before, new) = (lagging.secrets().await, space.entries("web-oauth").await);
    lagging.has_time_to_try().await;
    ask(&http(), &new).await.unwrap();
    ask(&http(), &old).await.unwrap_err();

    lagging.proxy.release_watches();
    eventually_within(LONG, "it has heard", || lagging.asked(&new)).await;
    lagging.asked(&old).await.unwrap_err();
    let after = lagging.secrets().await;
    assert_eq!(differences(&before, &after), Vec::<String>::new());
    let now = space.wait_ready("web").await;
    assert_eq!(now.uid(), object.uid());
}
