//! The root key is made once. An administrator who loses it is told what to restore, and nothing changes until then.

mod lost;
mod rotation;
mod signing;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::load::{Load, all_work, ask, ask_at};
use crate::support::machine;
use crate::support::operator::{OPERATOR_USER, Options, RunningOperator, free_address};
use crate::support::snapshot::{credentials, credentials_in, differences, everything};
use crate::support::test_namespace::{TestNamespace, eventually, http, message, when};

const NAMESPACE: &str = "clientele-system";
const ROOT_KEY: &str = "clientele-root-key";
const MARKS: &str = "clientele-installation";

fn own_secrets(kube: &kube::Client) -> Api<Secret> {
    Api::namespaced(kube.clone(), NAMESPACE)
}

fn own_marks(kube: &kube::Client) -> Api<ConfigMap> {
    Api::namespaced(kube.clone(), NAMESPACE)
}

/// Removes the root key and returns what a backup would hold.
async fn lose(kube: &kube::Client) -> Secret {
    let secrets = own_secrets(kube);
    let mut backup = secrets.get(ROOT_KEY).await.unwrap();
    let now = DeleteParams::default();
    let _ = secrets.delete(ROOT_KEY, &now).await.unwrap();
    backup.metadata.resource_version = None;
    backup.metadata.uid = None;
    backup
}

async fn put(kube: &kube::Client, secret: &Secret) {
    let params = PostParams::default();
    own_secrets(kube).create(&params, secret).await.unwrap();
}

/// A Secret as `clientele root-key` prints it.
pub fn printed_root_key(name: &str) -> Secret {
    let output = machine::program(env!("CARGO_BIN_EXE_clientele"))
        .args(["root-key", "--name", name])
        .output()
        .unwrap();
    assert!(output.status.success());
    serde_yaml::from_slice(&output.stdout).unwrap()
}

async fn wait_usable(operator: &RunningOperator, usable: f64) {
    eventually("the metric says whether the root key is usable", || async {
        let seen = operator.metric("clientele_root_key_usable");
        when(seen == Some(usable), (), || format!("{seen:?}"))
    })
    .await;
}

/// Waits until the operator says that it is not ready, and why.
async fn wait_unready(operator: &RunningOperator, because: &str) {
    eventually("not ready", || async {
        let sentence = operator.readiness();
        let so = operator.readyz() == Some(503) && sentence.contains(because);
        when(so, (), || sentence)
    })
    .await;
}

/// Those who were refused before are told the present reason.
async fn wait_all_told(space: &TestNamespace, remedy: &str) {
    eventually("all who are refused know why", || async {
        let list = space.clients().list(&ListParams::default()).await.unwrap();
        let mut refused = list.iter().map(message).filter(|m| m.contains("root key"));
        when(refused.all(|m| m.contains(remedy)), (), || {
            remedy.to_owned()
        })
    })
    .await;
}

/// An operator that cannot derive: a new client is told so, and nothing of the old ones changes.
async fn changes_nothing(space: &TestNamespace, newcomer: &str, remedy: &str) {
    wait_all_told(space, remedy).await;
    let before = everything(&space.kube).await;
    space.create(newcomer, json!({})).await;
    let told = space.wait_refused(newcomer, "RootKeyUnavailable").await;
    assert!(told.contains(ROOT_KEY) && told.contains(remedy), "{told}");
    let after = everything(&space.kube).await;
    let newcomer = format!("OAuthClient {}/{newcomer}", space.name);
    assert_eq!(differences(&before, &after), [newcomer]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_root_key_stops_issuing_until_it_is_restored() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let listen = operator.listen.clone();
    let space = TestNamespace::within(&cluster, &operator.issuer, "lost").await;
    for name in ["a", "b", "c"] {
        space.ready(name, json!({})).await;
    }
    space.is_settled().await;
    let issued = credentials(&space.kube).await;
    let before = everything(&space.kube).await;
    let load = Load::start(space.entries("a-oauth").await);

    // While it runs.
    let backup = lose(&space.kube).await;
    wait_usable(&operator, 0.0).await;
    changes_nothing(&space, "new", "restore it from a backup").await;
    all_work(&issued).await;
    load.stop().await.is_flawless();

    // A second life without it.
    operator.stop();
    let operator = RunningOperator::start_unready(&cluster, &Options::flags(&[]).at(&listen));
    wait_unready(&operator, "restore it from a backup").await;
    changes_nothing(&space, "newer", "restore it from a backup").await;
    assert!(operator.log().contains("ERROR"), "it says so loudly");
    let secrets = own_secrets(&space.kube);
    assert_eq!(
        secrets.get_opt(ROOT_KEY).await.unwrap(),
        None,
        "none was made"
    );

    // Another key in its place is no better.
    put(&space.kube, &printed_root_key(ROOT_KEY)).await;
    wait_unready(&operator, "it was replaced").await;
    changes_nothing(&space, "newest", "it was replaced").await;
    let now = DeleteParams::default();
    let _ = secrets.delete(ROOT_KEY, &now).await.unwrap();

    // The backup.
    put(&space.kube, &backup).await;
    operator.wait_ready();
    for name in ["new", "newer", "newest"] {
        space.wait_ready(name).await;
    }
    let restored = credentials(&space.kube).await;
    for (name, entries) in &issued {
        assert_eq!(restored.get(name), Some(entries), "{name}");
    }
    all_work(&restored).await;
    let after = everything(&space.kube).await;
    for (name, object) in before.iter().filter(|(name, _)| !name.contains("root-key")) {
        assert!(after.get(name) == Some(object), "{name} was written");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_key_replaced_at_runtime_is_refused_and_tokens_go_on() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "replaced").await;
    space.ready("web", json!({})).await;
    space.is_settled().await;
    let issued = credentials(&space.kube).await;
    let load = Load::start(space.entries("web-oauth").await);
    let backup = lose(&space.kube).await;
    put(&space.kube, &printed_root_key(ROOT_KEY)).await;
    eventually("it says so loudly", || async {
        when(operator.log().contains("it was replaced"), (), || {
            operator.log()
        })
    })
    .await;
    changes_nothing(&space, "new", "it was replaced").await;
    // A deleted Secret cannot be derived again either, and is not made with another key.
    let now = DeleteParams::default();
    space.secrets().delete("web-oauth", &now).await.unwrap();
    space.wait_refused("web", "RootKeyUnavailable").await;
    changes_nothing(&space, "newer", "it was replaced").await;
    assert_eq!(space.secrets().get_opt("web-oauth").await.unwrap(), None);
    load.stop().await.is_flawless();

    let _ = own_secrets(&space.kube)
        .delete(ROOT_KEY, &now)
        .await
        .unwrap();
    put(&space.kube, &backup).await;
    wait_usable(&operator, 1.0).await;
    space.wait_ready("new").await;
    space.wait_ready("web").await;
    let back = space.wait_secret("web-oauth", "it is back", |_| true).await;
    assert_eq!(
        crate::support::test_namespace::entries(&back),
        issued[&format!("{}/web-oauth", space.name)]
    );
}

#[tokio::test]
async fn lost_fingerprints_are_recorded_again() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "marks").await;
    space.ready("web", json!({})).await;
    let marks = own_marks(&space.kube);
    let before = marks.get(MARKS).await.unwrap().data.unwrap();
    assert!(before.keys().any(|mark| mark.starts_with("root-key.")));
    let now = DeleteParams::default();
    let _ = marks.delete(MARKS, &now).await.unwrap();
    eventually("all marks are back", || async {
        let after = marks
            .get_opt(MARKS)
            .await
            .unwrap()
            .and_then(|marks| marks.data);
        when(after.as_ref() == Some(&before), (), || format!("{after:?}"))
    })
    .await;
    // With the marks gone and the key as well, the clients themselves tell that there was one.
    let backup = lose(&space.kube).await;
    let _ = marks.delete(MARKS, &now).await.unwrap();
    operator.stop();
    let operator = RunningOperator::start_unready(&cluster, &Options::flags(&[]));
    wait_unready(&operator, "restore it from a backup").await;
    assert_eq!(
        own_secrets(&space.kube).get_opt(ROOT_KEY).await.unwrap(),
        None
    );
    put(&space.kube, &backup).await;
    operator.wait_ready();
}

/// Two operators with one issuer, started at the same moment on an empty cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j15_f29_two_operators_starting_at_once_agree_on_keys() {
    let cluster = Cluster::with_chart(&[]);
    let issuer = format!("http://{}", free_address());
    let options = |listen: String| Options {
        issuer: Some(issuer.clone()),
        ..Options::flags(&[]).at(&listen)
    };
    let operators: Vec<RunningOperator> = [free_address(), free_address()]
        .map(|listen| RunningOperator::start_unready(&cluster, &options(listen)))
        .into();
    let space = TestNamespace::within(&cluster, &issuer, "replicas").await;
    for name in ["a", "b", "c"] {
        space.create(name, json!({})).await;
    }
    operators.iter().for_each(RunningOperator::wait_ready);
    for name in ["a", "b", "c"] {
        space.wait_ready(name).await;
    }
    let http = http();
    for (name, entries) in credentials(&space.kube).await {
        for operator in &operators {
            let endpoint = format!("http://{}/token", operator.listen);
            eventually("each accepts what either has written", || async {
                let answer = ask_at(&http, &endpoint, &entries).await;
                answer.map_err(|refused| format!("{name}: {refused}"))
            })
            .await;
        }
    }
    let labelled = |label| ListParams::default().labels(label);
    let secrets = own_secrets(&space.kube);
    for label in ["clientele.dev/root-key", "clientele.dev/signing-keys"] {
        let list = secrets.list(&labelled(label)).await.unwrap();
        assert_eq!(list.items.len(), 1, "{label}");
    }
    let of_clients =
        |write: &(String, String, String)| write.1 == "secrets" && write.2.starts_with("replicas");
    let writes: Vec<_> = cluster
        .writes_by(OPERATOR_USER)
        .into_iter()
        .filter(of_clients)
        .collect();
    assert!(writes.iter().all(|write| write.0 == "create"), "{writes:?}");
}

#[tokio::test]
async fn a_brought_root_key_is_used_and_left_as_it_is() {
    let cluster = Cluster::start();
    let kube = cluster.kube().await;
    cluster
        .kubectl(&["create", "namespace", NAMESPACE])
        .unwrap();
    put(&kube, &printed_root_key("brought")).await;
    let brought = own_secrets(&kube).get("brought").await.unwrap();
    cluster.install_chart(&["rootKey.existingSecret=brought"]);
    let flags = Options::flags(&["--root-key-secret", "brought"]);
    let operator = RunningOperator::start(&cluster, &flags);
    let space = TestNamespace::within(&cluster, &operator.issuer, "brought").await;
    space.ready("web", json!({})).await;
    all_work(&credentials_in(&kube, &space.name).await).await;
    let key_id = String::from_utf8(brought.data.clone().unwrap()["current"].0.clone()).unwrap();
    let secret = &space.entries("web-oauth").await["CLIENT_SECRET"];
    assert!(
        secret.starts_with(&format!("clt_{key_id}")),
        "derived from the brought key"
    );
    assert_eq!(own_secrets(&kube).get("brought").await.unwrap(), brought);
    assert_eq!(own_secrets(&kube).get_opt(ROOT_KEY).await.unwrap(), None);
}

/// A suspended client and one of a namespace that was refused need no key to be told so.
#[tokio::test]
async fn without_a_root_key_mistakes_are_still_explained() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "mistakes").await;
    space.ready("web", json!({})).await;
    lose(&space.kube).await;
    wait_usable(&operator, 0.0).await;
    space.create("wrong", json!({ "firstParty": true })).await;
    space.wait_refused("wrong", "FirstPartyNotAllowed").await;
    // A change that needs the key is not made, and the object says so.
    space
        .patch("web", json!({ "spec": { "secret": { "name": "login" } } }))
        .await;
    space.wait_refused("web", "RootKeyUnavailable").await;
    let object = space.clients().get("web").await.unwrap();
    assert!(message(&object).contains("restore"), "{}", message(&object));
    assert!(object.finalizers().is_empty());
    let entries = space.entries("web-oauth").await;
    ask(&http(), &entries).await.unwrap();
}
