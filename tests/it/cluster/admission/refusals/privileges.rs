//! A privilege follows from the labels of a namespace, which belong to its administrator.

use clientele_api::OAuthClient;
use kube::api::PostParams;
use serde_json::json;

use crate::support::test_namespace::TestNamespace;

#[tokio::test]
async fn f58_labels_on_the_oauthclient_itself_give_nothing() {
    let space = TestNamespace::new("privileges").await;
    let chosen = json!({ "namespaces": { "matchLabels": { "platform": "true" } } });
    let tenant = space.tenant(json!({ "firstParty": chosen })).await;
    let labels = json!({
        "platform": "true",
        "kubernetes.io/metadata.name": "kube-system",
    });
    let object: OAuthClient = serde_json::from_value(json!({
        "apiVersion": "clientele.dev/v1alpha1",
        "kind": "OAuthClient",
        "metadata": { "name": "climber", "labels": labels, "annotations": labels },
        "spec": { "tenant": tenant, "firstParty": true },
    }))
    .unwrap();
    let params = PostParams::default();
    space.clients().create(&params, &object).await.unwrap();
    space
        .refused("climber", "FirstPartyNotAllowed", "remove firstParty")
        .await;

    // The same label on the namespace does.
    space.label("platform", "true").await;
    space.accepted("climber").await;
}

#[tokio::test]
async fn k12_a_client_edited_into_a_refused_one_stops_alone() {
    let space = TestNamespace::new("privileges").await;
    space.ready("edited", json!({})).await;
    space.ready("other", json!({})).await;
    let before = space.entries("edited-oauth").await;
    assert_eq!(space.token("edited-oauth").await.0, 200);

    space
        .patch("edited", json!({ "spec": { "firstParty": true } }))
        .await;
    space
        .refused("edited", "FirstPartyNotAllowed", "remove firstParty")
        .await;
    let (code, body) = space.token("edited-oauth").await;
    assert_eq!((code, &body["error"]), (401, &json!("invalid_client")));
    assert_eq!(space.token("other-oauth").await.0, 200);

    space
        .patch("edited", json!({ "spec": { "firstParty": false } }))
        .await;
    space.accepted("edited").await;
    assert_eq!(space.token("edited-oauth").await.0, 200);
    assert_eq!(space.entries("edited-oauth").await, before);
}
