//! The root key rotates: the ordinary way interrupts no request, and after an emergency nothing earlier works.

use std::time::Duration;

use clientele_api::OAuthClient;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use crate::cluster::rotation::{
    generation, ledger, notes, rotation, wait_refused, wait_refused_within, wait_retired,
};
use crate::support::cluster::Cluster;
use crate::support::load::{Load, ask};
use crate::support::machine;
use crate::support::operator::{Options, RunningOperator};
use crate::support::proxy::{CLIENTS, Proxy};
use crate::support::test_namespace::{TestNamespace, eventually, eventually_within, http, when};

const NAMESPACE: &str = "clientele-system";
const ROOT_KEY: &str = "clientele-root-key";
/// Time for what waits for watches that are restarted, on a machine that does other things as well.
const BACKOFF: Duration = Duration::from_secs(90);

/// A replica without an event about a write reads again after half a minute.
const UNANSWERED: Duration = Duration::from_secs(90);

/// What an administrator types.
fn rotate_root_key(cluster: &Cluster, flags: &[&str]) -> String {
    let output = machine::program(env!("CARGO_BIN_EXE_clientele"))
        .args(["root-key", "rotate"])
        .args(flags)
        .env("KUBECONFIG", &cluster.kubeconfig)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    said
}

fn own_secrets(space: &TestNamespace) -> Api<Secret> {
    Api::namespaced(space.kube.clone(), NAMESPACE)
}

async fn root_key(space: &TestNamespace) -> Secret {
    own_secrets(space).get(ROOT_KEY).await.unwrap()
}

/// The IDs of the keys, the one that derives first.
async fn key_ids(space: &TestNamespace) -> Vec<String> {
    let mut data = root_key(space).await.data.unwrap();
    let current = String::from_utf8(data.remove("current").unwrap().0).unwrap();
    data.remove(&current).unwrap();
    std::iter::once(current).chain(data.into_keys()).collect()
}

fn options() -> Options {
    let seconds = ["--usage-report-interval", "1s", "--root-key-grace", "2s"];
    Options::flags(&seconds)
}

/// Waits until the operator has checked this many times whether a root key can leave.
async fn was_looked(proxy: &Proxy, times: u32) {
    let before = proxy.mark_reads();
    eventually("it was looked", || async {
        let looks = proxy.mark_reads() - before;
        when(looks >= times, (), || format!("{looks}"))
    })
    .await;
}

/// Its clients are served although the list lacks them: what takes a key away must not believe that list either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_f89_a_former_root_key_stays_during_a_doubted_list() {
    let cluster = Cluster::with_chart(&[]);
    let proxy = Proxy::before(&cluster).await;
    let operator = RunningOperator::start(&cluster, &options().through(&proxy));
    let space = TestNamespace::within(&cluster, &operator.issuer, "doubted").await;
    space.ready("web", json!({})).await;
    let old = space.entries("web-oauth").await;
    rotate_root_key(&cluster, &[]);
    let moved = |object: &OAuthClient| ledger(object) == (2, 2, 1);
    let what = "it moves to the new root key";
    space.wait_client("web", what, moved).await;
    let keys = key_ids(&space).await;
    assert_eq!(keys.len(), 2);

    // Its clients are what it stays for, and nothing else: every second it is looked, and reported who signed in.
    eventually("clients are what it waits for", || async {
        let said = operator
            .log()
            .contains("client secrets are still derived from it");
        when(said, (), || operator.log())
    })
    .await;
    was_looked(&proxy, 5).await;
    proxy.lie(CLIENTS);
    let held = || operator.metric("clientele_relist_guard_held_objects");
    eventually_within(BACKOFF, "the brake holds", || async {
        when(held() > Some(0.0), (), || format!("{:?}", held()))
    })
    .await;
    // For ten seconds. The second look begins when one is over.
    was_looked(&proxy, 2).await;
    proxy.be_honest();
    eventually_within(BACKOFF, "the second list settles the doubt", || async {
        when(held() == Some(0.0), (), || format!("{:?}", held()))
    })
    .await;
    assert_eq!(key_ids(&space).await, keys);
    ask(&http(), &old).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f89_clients_move_to_a_new_root_key_and_the_former_leaves() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &options());
    let space = TestNamespace::within(&cluster, &operator.issuer, "root-key").await;
    // The client of the first start, which is not used here.
    let at_once = r#"{"spec":{"rotation":{"maxOverlap":"0s"}}}"#;
    let patch = [
        "patch",
        "oauthclient",
        "clientele",
        "--namespace",
        NAMESPACE,
    ];
    let patch = [&patch[..], &["--type", "merge", "--patch", at_once]].concat();
    cluster.kubectl(&patch).unwrap();
    let spec = json!({ "rotation": { "quietPeriod": "5s" } });
    space.ready("web", spec).await;
    let public = json!({ "type": "Public", "redirectUris": ["https://a.example/cb"] });
    space.ready("page", public).await;
    let old = space.entries("web-oauth").await;
    let load = Load::reading(space.secrets(), "web-oauth", 10);
    let outdated = Load::start(old.clone());
    let former = key_ids(&space).await;

    let said = rotate_root_key(&cluster, &[]);
    let now = key_ids(&space).await;
    assert_eq!((now.len(), &now[1..]), (2, &former[..]));
    assert!(said.contains(&now[0]), "{said}");
    let object = space
        .wait_client("web", "it moves to the new root key", |object| {
            ledger(object) == (2, 2, 1)
        })
        .await;
    let record = generation(&object);
    assert_eq!(record.root_key.as_ref(), Some(&now[0]));
    assert_eq!(record.older_root_keys, former);
    assert_eq!(
        rotation(&object).last_cause.as_deref(),
        Some("RootKeyRotated")
    );
    let new = space.entries("web-oauth").await;
    assert!(new["CLIENT_SECRET"].starts_with(&format!("clt_{}", now[0])));
    // A client still has the old one: neither it nor its key leaves.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(key_ids(&space).await, now);
    outdated.stop().await.is_flawless();
    eventually("it is said what it waits for", || async {
        let log = operator.log();
        let said = log.contains("keeping a former root key");
        when(said, (), || log.clone())
    })
    .await;
    // Then no client has.
    let object = wait_retired(&space, "web").await;
    assert_eq!(generation(&object).older_root_keys, Vec::<String>::new());
    eventually("the former root key leaves", || async {
        let ids = key_ids(&space).await;
        when(ids == now[..1], (), || format!("{ids:?}"))
    })
    .await;
    load.stop().await.is_flawless();
    wait_refused(&old).await;
    // What is there now is good after a restart as well.
    let listen = operator.listen.clone();
    operator.stop();
    let _operator = RunningOperator::start(&cluster, &options().at(&listen));
    ask(&http(), &new).await.unwrap();
    for name in ["web", "page"] {
        space.wait_ready(name).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_emergency_no_former_secret_works_even_from_backup() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &options());
    let space = TestNamespace::within(&cluster, &operator.issuer, "emergency").await;
    for name in ["a", "b", "c"] {
        space.ready(name, json!({})).await;
    }
    let old = space.entries("a-oauth").await;
    let backup = root_key(&space).await;

    let said = rotate_root_key(&cluster, &["--emergency"]);
    let ids = key_ids(&space).await;
    assert!(ids.len() == 1 && said.contains(&ids[0]), "{ids:?} {said}");
    for name in ["a", "b", "c"] {
        let object = space
            .wait_client(name, "its Secret is written again", |object| {
                ledger(object) == (2, 2, 2)
            })
            .await;
        // One may have been quick, and moved before the other keys were withdrawn.
        let cause = rotation(&object).last_cause.unwrap();
        assert!(cause.starts_with("RootKey"), "{cause}");
        let entries = space.entries(&format!("{name}-oauth")).await;
        ask(&http(), &entries).await.unwrap();
    }
    wait_refused(&old).await;
    assert!(notes(&space, "Retired").await[0].contains("root key"));

    // The earlier Secret is no way back.
    let mut restored = backup.clone();
    restored.metadata = root_key(&space).await.metadata;
    let params = PostParams::default();
    own_secrets(&space)
        .replace(ROOT_KEY, &params, &restored)
        .await
        .unwrap();
    eventually("it says so", || async {
        let log = operator.log();
        when(log.contains("names a withdrawn root key"), (), || {
            log.clone()
        })
    })
    .await;
    wait_refused(&old).await;
    ask(&http(), &space.entries("a-oauth").await).await.unwrap();
    // With the Secret of after, everything goes on; here by a further rotation.
    rotate_root_key(&cluster, &["--emergency"]);
    space
        .wait_client("a", "its Secret is written again", |object| {
            ledger(object) == (3, 3, 3)
        })
        .await;
    wait_refused(&old).await;
    ask(&http(), &space.entries("a-oauth").await).await.unwrap();
}

/// What has leaked must not go on working because a ConfigMap cannot be written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_f89_a_withdrawn_key_stops_before_the_next_is_recorded() {
    let cluster = Cluster::with_chart(&[]);
    let proxy = Proxy::before(&cluster).await;
    let operator = RunningOperator::start(&cluster, &options().through(&proxy));
    let space = TestNamespace::within(&cluster, &operator.issuer, "unrecorded").await;
    space.ready("web", json!({})).await;
    let old = space.entries("web-oauth").await;
    ask(&http(), &old).await.unwrap();

    proxy.hold_writes();
    rotate_root_key(&cluster, &["--emergency"]);
    wait_refused_within(UNANSWERED, &old).await;
    eventually("it says what it waits for", || async {
        let log = operator.log();
        when(log.contains("is not recorded in ConfigMap"), (), || {
            log.clone()
        })
    })
    .await;
    assert_eq!(space.entries("web-oauth").await, old);

    proxy.release_writes();
    let moved = |object: &OAuthClient| ledger(object) == (2, 2, 2);
    let what = "its Secret is written again";
    space.wait_client("web", what, moved).await;
    let new = space.entries("web-oauth").await;
    ask(&http(), &new).await.unwrap();
    wait_refused(&old).await;
}
