//! Before the operator has looked, and refused for a while: suspended by a person, or without signing keys.

use clientele_api::condition::{NO_ACTION, NOTHING_LEFT};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::support::test_namespace::{TestNamespace, condition, message};
use crate::support::verdict::{STALLED, triple};

#[tokio::test]
async fn a_suspended_client_keeps_its_objects_and_is_refused() {
    let space = TestNamespace::new("states").await;
    space.ready("hello", json!({})).await;
    let before = space.secrets().get("hello-oauth").await.unwrap();
    space
        .patch("hello", json!({ "spec": { "suspended": true } }))
        .await;
    space
        .refused("hello", "Suspended", "work again when it is set to false")
        .await;
    let (code, body) = space.token("hello-oauth").await;
    assert_eq!((code, &body["error"]), (401, &json!("invalid_client")));

    space
        .patch("hello", json!({ "spec": { "suspended": false } }))
        .await;
    space.accepted("hello").await;
    assert_eq!(space.token("hello-oauth").await.0, 200);
    assert_eq!(space.secrets().get("hello-oauth").await.unwrap(), before);
}

#[tokio::test]
async fn a_client_born_suspended_works_when_it_is_woken() {
    let space = TestNamespace::new("states").await;
    space.create("hello", json!({ "suspended": true })).await;
    space
        .refused("hello", "Suspended", "spec.suspended is true")
        .await;
    assert_eq!(space.token("hello-oauth").await.0, 401);
    space
        .patch("hello", json!({ "spec": { "suspended": null } }))
        .await;
    space.accepted("hello").await;
    assert_eq!(space.token("hello-oauth").await.0, 200);
}

#[tokio::test]
async fn lost_signing_keys_stall_the_clients_until_they_are_restored() {
    let space = TestNamespace::new("states").await;
    let tenant = space.tenant(json!({})).await;
    space.ready("hello", json!({ "tenant": tenant })).await;
    let secrets: Api<Secret> = Api::namespaced(space.kube.clone(), "clientele-system");
    let name = format!("clientele-signing-{tenant}");
    let mut backup = secrets.get(&name).await.unwrap();
    secrets
        .delete(&name, &DeleteParams::default())
        .await
        .unwrap();
    let object = space
        .wait_client("hello", "TenantNotReady", |object| {
            condition(object, "Ready") == Some(("False".into(), "TenantNotReady".into()))
        })
        .await;
    assert_eq!(triple(&object), STALLED);
    assert!(
        message(&object).contains("restore it from a backup"),
        "{}",
        message(&object)
    );

    backup.metadata.uid = None;
    backup.metadata.resource_version = None;
    secrets
        .create(&PostParams::default(), &backup)
        .await
        .unwrap();
    space.accepted("hello").await;
    assert_eq!(space.token("hello-oauth").await.0, 200);
}

#[tokio::test]
async fn no_object_is_ever_without_conditions() {
    let space = TestNamespace::new("states").await;
    let object = space.create("hello", json!({})).await;
    let status = object
        .status
        .expect("the answer to the create has a status");
    let told: Vec<_> = status
        .conditions
        .iter()
        .map(|c| (&*c.type_, &*c.status, &*c.reason))
        .collect();
    assert_eq!(
        told,
        [
            ("Ready", "Unknown", "Pending"),
            ("Reconciling", "True", "Pending"),
            ("Stalled", "False", "Pending"),
        ]
    );
    assert_eq!(status.observed_generation, Some(0));
    // What the API server could not know becomes true: since when, and what it means.
    let created = object.metadata.creation_timestamp.unwrap();
    let object = space.accepted("hello").await;
    let status = object.status.unwrap();
    for condition in &status.conditions {
        let since = &condition.last_transition_time;
        assert!(*since >= created, "{condition:?}");
    }
    let messages: Vec<&str> = status.conditions.iter().map(|c| &*c.message).collect();
    assert_eq!(messages[1..], [NOTHING_LEFT, NO_ACTION]);
    assert!(status.unused_since.is_some() && status.last_used_at.is_none());
}

#[tokio::test]
async fn a_tenant_says_what_does_not_hold_and_since_when() {
    let space = TestNamespace::new("states").await;
    let tenant = space.tenants().get("default").await.unwrap();
    let created = tenant.metadata.creation_timestamp.unwrap();
    let conditions = tenant.status.unwrap().conditions;
    for (kind, message) in [("Reconciling", NOTHING_LEFT), ("Stalled", NO_ACTION)] {
        let condition = conditions.iter().find(|c| c.type_ == kind).unwrap();
        assert_eq!(&*condition.message, message);
        assert!(condition.last_transition_time >= created, "{condition:?}");
    }
}
