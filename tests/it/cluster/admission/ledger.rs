//! The ledger of secret generations: its numbers never fall and never vanish, not even by the operator's hand.

use clientele_api::OAuthClient;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::cluster::shared;
use crate::support::person::{operator, sentence};
use crate::support::test_namespace::TestNamespace;

const RISE: &str = "the numbers of this ledger only rise";
const STAY: &str = "status.secretGeneration is a ledger and must not be removed";

async fn write(api: &Api<OAuthClient>, status: Value) -> Result<OAuthClient, String> {
    let patch = Patch::Merge(json!({ "status": status }));
    sentence(
        api.patch_status("hello", &PatchParams::default(), &patch)
            .await,
    )
}

#[tokio::test]
async fn the_ledger_neither_falls_nor_vanishes() {
    let space = TestNamespace::new("ledger").await;
    space.ready("hello", json!({})).await;
    let api = Api::namespaced(operator(&shared().cluster).await, &space.name);
    let higher = json!({ "requested": 3, "published": 3, "oldestAccepted": 2 });
    write(&api, json!({ "secretGeneration": higher }))
        .await
        .unwrap();

    let table = [
        (
            "requested falls",
            json!({ "secretGeneration": { "requested": 2 } }),
            RISE,
        ),
        (
            "published falls",
            json!({ "secretGeneration": { "published": 2 } }),
            RISE,
        ),
        (
            "oldestAccepted falls",
            json!({ "secretGeneration": { "oldestAccepted": 1 } }),
            RISE,
        ),
        (
            "one rises, one falls",
            json!({ "secretGeneration": { "requested": 9, "oldestAccepted": 0 } }),
            RISE,
        ),
        (
            "the ledger vanishes",
            json!({ "secretGeneration": null }),
            STAY,
        ),
        ("the status vanishes", Value::Null, STAY),
        (
            "a number vanishes",
            json!({ "secretGeneration": { "requested": null } }),
            "Required value",
        ),
        (
            "a number is negative",
            json!({ "secretGeneration": { "requested": -1 } }),
            "should be greater than or equal to 0",
        ),
        (
            "a number is too big",
            json!({ "secretGeneration": { "requested": 4_294_967_296_i64 } }),
            "should be less than or equal to 4294967295",
        ),
    ];
    for (what, status, expected) in table {
        let answer = write(&api, status).await.expect_err(what);
        assert!(answer.contains(expected), "{what}: {answer}");
    }
    let now = space.clients().get("hello").await.unwrap().status.unwrap();
    let ledger = now.secret_generation.unwrap();
    assert_eq!((ledger.requested, ledger.oldest_accepted), (3, 2));
}

#[tokio::test]
async fn a_generation_below_the_floor_stops_and_the_secret_follows() {
    let space = TestNamespace::new("ledger").await;
    space.ready("hello", json!({})).await;
    let before = space.entries("hello-oauth").await;
    let api = Api::namespaced(operator(&shared().cluster).await, &space.name);
    let higher = json!({ "requested": 3, "published": 3, "oldestAccepted": 3 });
    write(&api, json!({ "secretGeneration": higher }))
        .await
        .unwrap();
    space
        .wait_secret(
            "hello-oauth",
            "the third generation is published",
            |secret| {
                crate::support::test_namespace::entries(secret)["CLIENT_SECRET"]
                    != before["CLIENT_SECRET"]
            },
        )
        .await;
    assert_eq!(space.token("hello-oauth").await.0, 200);
    let (id, old) = (&before["CLIENT_ID"], &before["CLIENT_SECRET"]);
    assert_eq!(space.token_from(&space.issuer, id, old, &[]).await.0, 401);
}
