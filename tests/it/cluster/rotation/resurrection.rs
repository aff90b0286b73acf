//! A retired secret stays retired, whatever is restored, cleared or rewritten.

use clientele_api::OAuthClient;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{ledger, wait_refused, wait_rotated};
use crate::support::cluster::Cluster;
use crate::support::load::{Entries, Load, ask};
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{TestNamespace, content, entries, http};

/// A client whose first secret has leaked and was retired; returns that secret.
async fn with_a_retired_secret(space: &TestNamespace) -> Entries {
    space.ready("web", json!({})).await;
    let old = space.entries("web-oauth").await;
    let leak = json!({ "spec": { "rotation": { "maxOverlap": "0s", "requestId": "leak" } } });
    space.patch("web", leak).await;
    wait_rotated(space, "web", "leak").await;
    wait_refused(&old).await;
    old
}

async fn stays_retired(old: &Entries) {
    let answer = ask(&http(), old).await.unwrap_err();
    assert!(answer.starts_with("401 "), "{answer}");
}

#[tokio::test]
async fn restoring_the_old_secret_brings_nothing_back() {
    let space = TestNamespace::new("resurrection").await;
    let old = with_a_retired_secret(&space).await;
    let new = space.secrets().get("web-oauth").await.unwrap();
    let load = Load::start(entries(&new));
    // Its bytes in the Secret that is there.
    let data = json!({ "stringData": { "CLIENT_SECRET": old["CLIENT_SECRET"] } });
    let params = PatchParams::default();
    space
        .secrets()
        .patch("web-oauth", &params, &Patch::Merge(data))
        .await
        .unwrap();
    let is_right = |secret: &k8s_openapi::api::core::v1::Secret| entries(secret) == entries(&new);
    space
        .wait_secret("web-oauth", "it is put right", is_right)
        .await;
    stays_retired(&old).await;
    // A Secret in its place, as a backup would restore it, with our proof in it.
    let mut backup = content(&new);
    backup.metadata.uid = None;
    let data = backup.data.get_or_insert_default();
    let bytes = old["CLIENT_SECRET"].clone().into_bytes();
    data.insert("CLIENT_SECRET".to_owned(), k8s_openapi::ByteString(bytes));
    let _ = space
        .secrets()
        .delete("web-oauth", &DeleteParams::default())
        .await
        .unwrap();
    // The operator may be faster; then there is nothing to restore into.
    let _ = space
        .secrets()
        .create(&PostParams::default(), &backup)
        .await;
    space
        .wait_secret("web-oauth", "it is put right", is_right)
        .await;
    stays_retired(&old).await;
    load.stop().await.is_flawless();
    let object = space.clients().get("web").await.unwrap();
    assert_eq!(ledger(&object), (2, 2, 2));
}

/// Without the policy of the chart an administrator may write the status; the definition still keeps the ledger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clearing_or_rewriting_the_status_brings_nothing_back() {
    let cluster = Cluster::with_chart(&["admissionPolicies.enabled=false"]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "resurrection").await;
    let old = with_a_retired_secret(&space).await;
    let first = json!({ "requested": 1, "published": 1, "oldestAccepted": 1 });
    let table = [
        ("cleared", Value::Null),
        ("without its ledger", json!({ "secretGeneration": null })),
        (
            "with the first ledger",
            json!({ "secretGeneration": first }),
        ),
        (
            "with a lower floor",
            json!({ "secretGeneration": { "oldestAccepted": 1 } }),
        ),
        (
            "with another root key",
            json!({ "secretGeneration": { "rootKey": "another0" } }),
        ),
    ];
    let api: Api<OAuthClient> = space.clients();
    for (what, status) in table {
        let patch = Patch::Merge(json!({ "status": status }));
        let answer = api
            .patch_status("web", &PatchParams::default(), &patch)
            .await;
        assert!(answer.is_err(), "a status {what} was accepted");
        stays_retired(&old).await;
    }
    // What is not of the ledger may be rewritten, and brings no rotation back either.
    let forgotten = json!({ "status": { "rotation": null, "secretUid": null } });
    api.patch_status("web", &PatchParams::default(), &Patch::Merge(forgotten))
        .await
        .unwrap();
    let object = wait_rotated(&space, "web", "leak").await;
    assert!(ledger(&object).2 >= 2, "{:?}", ledger(&object));
    stays_retired(&old).await;
    // Nor does a start that has nothing in memory and an empty store.
    let listen = operator.listen.clone();
    operator.stop();
    let _operator = RunningOperator::start(&cluster, &Options::flags(&[]).at(&listen));
    stays_retired(&old).await;
    ask(&http(), &space.entries("web-oauth").await)
        .await
        .unwrap();
}
