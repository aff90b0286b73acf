//! Whatever happens to a credentials Secret, the same bytes are in it a moment later, and they work all the while.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::support::load::{Load, ask};
use crate::support::test_namespace::{TestNamespace, entries, eventually, http, when};

async fn change(space: &TestNamespace, secret: &str, patch: &Value) {
    space
        .secrets()
        .patch(secret, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
}

/// An event of this reason about the object.
async fn wait_event(space: &TestNamespace, object: &str, reason: &str) {
    let events: Api<Event> = Api::namespaced(space.kube.clone(), &space.name);
    eventually(reason, || async {
        let list = events.list(&ListParams::default()).await.unwrap();
        let seen: Vec<String> = list
            .iter()
            .filter(|event| {
                event.regarding.as_ref().and_then(|r| r.name.as_deref()) == Some(object)
            })
            .filter_map(|event| event.reason.clone())
            .collect();
        when(seen.iter().any(|seen| seen == reason), (), || {
            format!("{seen:?}")
        })
    })
    .await;
}

/// What of a Secret is the operator's; nothing else is in it when no other client wrote it.
fn ours(secret: &Secret) -> Value {
    json!([
        secret.data,
        secret.type_,
        secret.metadata.labels,
        secret.metadata.annotations,
        secret.metadata.owner_references,
    ])
}

/// Changes the Secret of a ready client, and waits until it is as it was, while tokens are asked for.
async fn is_put_right(patch: impl FnOnce(&TestNamespace) -> Value) {
    let space = TestNamespace::new("repair").await;
    space.ready("web", json!({})).await;
    let before = space.secrets().get("web-oauth").await.unwrap();
    let load = Load::start(entries(&before));
    change(&space, "web-oauth", &patch(&space)).await;
    let after = space
        .wait_secret("web-oauth", "the Secret is as it was", |secret| {
            secret.resource_version() != before.resource_version() && ours(secret) == ours(&before)
        })
        .await;
    assert_eq!(after.uid(), before.uid(), "repaired, not recreated");
    load.stop().await.is_flawless();
    assert_eq!(space.token("web-oauth").await.0, 200);
    wait_event(&space, "web", "Repaired").await;
}

#[tokio::test]
async fn f33_a_deleted_secret_comes_back_with_the_same_bytes() {
    let space = TestNamespace::new("repair").await;
    space.ready("web", json!({})).await;
    let before = space.secrets().get("web-oauth").await.unwrap();
    let load = Load::start(entries(&before));
    for _ in 0..3 {
        let gone = space.secrets().get("web-oauth").await.unwrap().uid();
        let now = DeleteParams::default();
        space.secrets().delete("web-oauth", &now).await.unwrap();
        let after = space
            .wait_secret("web-oauth", "the Secret is back", |secret| {
                secret.uid() != gone
            })
            .await;
        assert_eq!(ours(&after), ours(&before));
    }
    load.stop().await.is_flawless();
    wait_event(&space, "web", "Restored").await;
    let back = space.secrets().get("web-oauth").await.unwrap();
    space
        .wait_client("web", "the status knows the new Secret", |object| {
            object.status.as_ref().unwrap().secret_uid == back.uid()
        })
        .await;
}

#[tokio::test]
async fn f47_an_edited_value_is_put_back_and_never_authenticates() {
    let space = TestNamespace::new("repair").await;
    space.ready("web", json!({})).await;
    let mut forged = space.entries("web-oauth").await;
    let good = forged["CLIENT_SECRET"].clone();
    for value in ["hunter2", "", &good.to_uppercase(), &good.replace('.', "-")] {
        forged.insert("CLIENT_SECRET".into(), value.to_owned());
        let patch = json!({ "data": { "CLIENT_SECRET": ByteString(value.as_bytes().to_vec()) } });
        change(&space, "web-oauth", &patch).await;
        let refused = ask(&http(), &forged).await.unwrap_err();
        assert!(refused.starts_with("401 "), "{value:?}: {refused}");
        space
            .wait_secret("web-oauth", "the value is back", |secret| {
                entries(secret)["CLIENT_SECRET"] == good
            })
            .await;
        ask(&http(), &forged).await.unwrap_err();
    }
    assert_eq!(space.token("web-oauth").await.0, 200);
}

#[tokio::test]
async fn f47_an_entry_that_was_changed_is_put_back() {
    is_put_right(
        |_| json!({ "data": { "CLIENT_SECRET": "aHVudGVyMg==", "CLIENT_ID": "YWRtaW4=" } }),
    )
    .await;
}

#[tokio::test]
async fn entries_that_were_removed_are_put_back() {
    is_put_right(|_| json!({ "data": null })).await;
}

#[tokio::test]
async fn f49_the_label_that_was_stripped_is_put_back() {
    is_put_right(|_| json!({ "metadata": { "labels": { "clientele.dev/oauthclient": null } } }))
        .await;
}

#[tokio::test]
async fn f49_all_labels_that_were_stripped_are_put_back() {
    is_put_right(|_| json!({ "metadata": { "labels": null } })).await;
}

#[tokio::test]
async fn f49_the_labels_of_another_client_are_corrected() {
    is_put_right(
        |_| json!({ "metadata": { "labels": { "clientele.dev/oauthclient": "another" } } }),
    )
    .await;
}

#[tokio::test]
async fn f35_the_owner_that_was_removed_is_put_back() {
    is_put_right(|_| json!({ "metadata": { "ownerReferences": null } })).await;
}

#[tokio::test]
async fn f35_an_owner_that_was_put_in_our_place_is_replaced() {
    let space = TestNamespace::new("repair").await;
    space.ready("web", json!({})).await;
    let before = space.secrets().get("web-oauth").await.unwrap();
    let api: Api<ConfigMap> = Api::namespaced(space.kube.clone(), &space.name);
    let other = serde_json::from_value(json!({ "metadata": { "name": "other" } })).unwrap();
    let other = api.create(&PostParams::default(), &other).await.unwrap();
    let owner = json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": other.uid(), "controller": true });
    change(
        &space,
        "web-oauth",
        &json!({ "metadata": { "ownerReferences": [owner] } }),
    )
    .await;
    api.delete("other", &DeleteParams::default()).await.unwrap();
    space
        .wait_secret("web-oauth", "it is ours again", |secret| {
            ours(secret) == ours(&before)
        })
        .await;
    assert_eq!(space.token("web-oauth").await.0, 200);
}

#[tokio::test]
async fn f65_a_proof_that_was_changed_is_put_back() {
    is_put_right(|_| json!({ "metadata": { "annotations": { "clientele.dev/proof": "forged" } } }))
        .await;
}

#[tokio::test]
async fn f65_the_list_of_what_is_ours_that_was_changed_is_put_back() {
    is_put_right(|_| json!({ "metadata": { "annotations": { "clientele.dev/ours": ";;" } } }))
        .await;
}

#[tokio::test]
async fn everything_at_once_is_put_right() {
    is_put_right(|_| {
        json!({
            "data": null,
            "metadata": {
                "annotations": null,
                "labels": { "clientele.dev/oauthclient": "unknown", "app.kubernetes.io/managed-by": "me" },
            },
        })
    })
    .await;
}

#[tokio::test]
async fn f50_what_others_add_is_kept() {
    let space = TestNamespace::new("repair").await;
    space.ready("web", json!({})).await;
    let before = space.secrets().get("web-oauth").await.unwrap();
    let foreign = json!({
        "data": { "INJECTED": "eA==" },
        "metadata": { "labels": { "team": "a" }, "annotations": { "scanned": "yes" } },
    });
    change(&space, "web-oauth", &foreign).await;
    let is_there = |secret: &Secret| {
        secret.data.as_ref().unwrap().contains_key("INJECTED")
            && secret.labels()["team"] == "a"
            && secret.annotations()["scanned"] == "yes"
    };
    let broken =
        json!({ "data": { "CLIENT_SECRET": null }, "metadata": { "ownerReferences": null } });
    change(&space, "web-oauth", &broken).await;
    let after = space
        .wait_secret("web-oauth", "our part is right", |secret| {
            entries(secret).contains_key("CLIENT_SECRET") && !secret.owner_references().is_empty()
        })
        .await;
    assert!(is_there(&after), "{:?}", after.metadata);
    let (mut own, was) = (entries(&after), entries(&before));
    own.remove("INJECTED");
    assert_eq!(own, was);
}

/// As `kubectl replace` does with a manifest that knows nothing of us.
#[tokio::test]
async fn a_secret_that_was_replaced_by_a_bare_one_is_put_right() {
    is_put_right(|_| {
        json!({
            "metadata": { "labels": null, "annotations": null, "ownerReferences": null },
            "data": {
                "CLIENT_ID": null, "ISSUER": null, "JWKS_URI": null, "TOKEN_ENDPOINT": null,
                "CLIENT_SECRET": "bm90IG91cnM=",
            },
        })
    })
    .await;
}
