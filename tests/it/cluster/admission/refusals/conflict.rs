//! Who has a client ID of one's own.

use serde_json::{Value, json};

use crate::support::test_namespace::{TestNamespace, condition, message};

/// A space with a tenant that allows client IDs of one's own, and the spec that claims one.
async fn claiming() -> (TestNamespace, Value) {
    let space = TestNamespace::new("conflict").await;
    let tenant = space
        .tenant(json!({ "customClientIds": { "namespaces": space.selector() } }))
        .await;
    let spec = json!({ "tenant": tenant, "clientId": "legacy" });
    (space, spec)
}

#[tokio::test]
async fn k10_f51_the_first_to_claim_an_id_has_it() {
    let (space, spec) = claiming().await;
    space.ready("winner", spec.clone()).await;
    space.create("loser", spec).await;
    let holder = format!("belongs to OAuthClient {}/winner", space.name);
    let said = space.refused("loser", "ClientIdConflict", &holder).await;
    assert!(said.contains("recreate this OAuthClient with another clientId or without one"));
    assert_eq!(space.token("winner-oauth").await.0, 200);
    assert!(!space.has_secret("loser-oauth").await);

    // A new look at either changes nothing.
    for name in ["winner", "loser"] {
        space
            .patch(
                name,
                json!({ "spec": { "displayName": "Looked at again" } }),
            )
            .await;
    }
    space.accepted("winner").await;
    space.refused("loser", "ClientIdConflict", &holder).await;
    assert_eq!(space.token("winner-oauth").await.0, 200);
}

#[tokio::test]
async fn k10_f52_a_loser_is_not_promoted_before_a_person_acts() {
    let (space, spec) = claiming().await;
    space.ready("winner", spec.clone()).await;
    let won = space.entries("winner-oauth").await;
    space.create("loser", spec.clone()).await;
    space.refused("loser", "ClientIdConflict", "winner").await;

    space.delete("winner").await;
    let object = space
        .wait_client("loser", "it knows that the winner was deleted", |object| {
            condition(object, "Ready") == Some(("False".into(), "ClientIdConflict".into()))
                && !message(object).contains("winner")
        })
        .await;
    let said = message(&object);
    assert!(said.contains("edit the spec"), "{said}");
    assert!(!space.has_secret("loser-oauth").await);

    let change = json!({ "spec": { "displayName": "Mine now" } });
    space.patch("loser", change).await;
    space.wait_ready("loser").await;
    let now = space.entries("loser-oauth").await;
    assert_eq!(now["CLIENT_ID"], "legacy");
    assert_eq!(space.token("loser-oauth").await.0, 200);
    // The new holder of the ID inherits nothing.
    let old = &won["CLIENT_SECRET"];
    assert_eq!(
        space.token_from(&now["ISSUER"], "legacy", old, &[]).await.0,
        401
    );
}

#[tokio::test]
async fn f62_ids_are_compared_byte_by_byte() {
    let (space, mut spec) = claiming().await;
    for (name, id) in [
        ("lower", "legacy"),
        ("upper", "Legacy"),
        ("dash", "legacy-"),
    ] {
        spec["clientId"] = json!(id);
        space.ready(name, spec.clone()).await;
        assert_eq!(
            space.entries(&format!("{name}-oauth")).await["CLIENT_ID"],
            id
        );
    }
    let lower = space.entries("lower-oauth").await;
    let (code, _) = space
        .token_from(&lower["ISSUER"], "Legacy", &lower["CLIENT_SECRET"], &[])
        .await;
    assert_eq!(code, 401);
}
