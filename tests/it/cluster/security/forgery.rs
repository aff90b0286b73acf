//! A forged status. The chart's policy refuses it to everybody but the operator, so here the forger
//! speaks as the operator: what would happen without the policy.

use clientele_api::OAuthClient;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::config::Kubeconfig;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::support::cluster::{kube_config, shared};
use crate::support::load::ask;
use crate::support::operator::OPERATOR_USER;
use crate::support::test_namespace::{TestNamespace, condition, eventually, http, when};

/// The OAuthClients of the namespace, as the operator.
async fn forger(space: &TestNamespace) -> Api<OAuthClient> {
    let config = Kubeconfig::read_from(&shared().cluster.kubeconfig).unwrap();
    let mut config = kube_config(config).await;
    config.auth_info.impersonate = Some(OPERATOR_USER.to_owned());
    let kube = kube::Client::try_from(config).unwrap();
    Api::namespaced(kube, &space.name)
}

async fn forge(api: &Api<OAuthClient>, name: &str, status: Value) {
    let patch = Patch::Merge(json!({ "status": status }));
    api.patch_status(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_but_the_operator_writes_the_status() {
    let space = TestNamespace::new("forgery").await;
    space.ready("web", json!({})).await;
    let patch = Patch::Merge(json!({ "status": { "clientId": "admin" } }));
    let (clients, how) = (space.clients(), PatchParams::default());
    let refused = clients.patch_status("web", &how, &patch).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("only the operator"), "{message}");
}

#[tokio::test]
async fn f64_a_forged_ready_registers_nothing_and_is_put_right() {
    let space = TestNamespace::new("forgery").await;
    space.create("web", json!({ "firstParty": true })).await;
    space.wait_refused("web", "FirstPartyNotAllowed").await;
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Registered", "message": "trust me",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
    });
    forge(
        &forger(&space).await,
        "web",
        json!({ "conditions": [ready] }),
    )
    .await;
    let message = space.wait_refused("web", "FirstPartyNotAllowed").await;
    assert!(!message.contains("trust me"));
    let id = format!("{}.web", space.name);
    let guess = space.token_from(&space.issuer, &id, "guess", &[]).await;
    assert_eq!(guess.0, 401);
    assert!(!space.has_secret("web-oauth").await);
}

#[tokio::test]
async fn f64_a_forged_status_of_a_working_client_is_put_right() {
    let space = TestNamespace::new("forgery").await;
    let before = space.ready("web", json!({})).await.status.unwrap();
    let lies = json!({
        "clientId": "kubernetes", "issuer": "https://evil.example", "secretName": "elsewhere", "secretUid": "0",
        "observedGeneration": 1, "conditions": [],
    });
    forge(&forger(&space).await, "web", lies).await;
    eventually("the status is true again", || async {
        let status = space.clients().get("web").await.unwrap().status.unwrap();
        let same = status.client_id == before.client_id
            && status.issuer == before.issuer
            && status.secret_name == before.secret_name
            && status.secret_uid == before.secret_uid
            && status.secret_generation == before.secret_generation
            && status.conditions.len() == 3;
        when(same, (), || format!("{status:?}"))
    })
    .await;
    assert_eq!(space.token("web-oauth").await.0, 200);
}

#[tokio::test]
async fn the_ledger_cannot_be_lowered_or_removed_even_by_the_operator() {
    let space = TestNamespace::new("forgery").await;
    space.ready("web", json!({})).await;
    let api = forger(&space).await;
    for lower in [
        json!(null),
        json!({ "requested": 0 }),
        json!({ "oldestAccepted": 0 }),
    ] {
        let patch = Patch::Merge(json!({ "status": { "secretGeneration": lower } }));
        let refused = api
            .patch_status("web", &PatchParams::default(), &patch)
            .await;
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("ledger"), "{message}");
    }
}

/// Two clients; the status of the first is made to claim the Secret of the second.
#[tokio::test]
async fn f63_a_status_pointing_at_a_secret_of_another_harms_neither() {
    let space = TestNamespace::new("forgery").await;
    space.ready("web", json!({})).await;
    space
        .ready("victim", json!({ "deletionPolicy": "Retain" }))
        .await;
    let victim = space.secrets().get("victim-oauth").await.unwrap();
    let claim = json!({ "secretName": "victim-oauth", "secretUid": victim.uid() });
    forge(&forger(&space).await, "web", claim).await;
    space
        .wait_client("web", "the status is true again", |object| {
            object.status.as_ref().unwrap().secret_name.as_deref() == Some("web-oauth")
        })
        .await;
    space.delete("web").await;
    let after = space.secrets().get("victim-oauth").await.unwrap();
    assert_eq!(after, victim, "not deleted, not written");
    assert_eq!(space.token("victim-oauth").await.0, 200);
}

/// The same with a Secret without an owner, at the very name that the manifest asks for.
#[tokio::test]
async fn f63_a_status_pointing_at_a_foreign_secret_is_no_claim() {
    let space = TestNamespace::new("forgery").await;
    let foreign: Secret = serde_json::from_value(json!({
        "metadata": { "name": "web-oauth" }, "stringData": { "CLIENT_SECRET": "precious" },
    }))
    .unwrap();
    let secrets = space.secrets();
    let foreign = secrets.create(&PostParams::default(), &foreign).await;
    let foreign = foreign.unwrap();
    space.create("web", json!({})).await;
    space.wait_refused("web", "SecretNotOwned").await;
    let claim = json!({ "secretName": "web-oauth", "secretUid": foreign.uid() });
    forge(&forger(&space).await, "web", claim).await;
    // Without the mark of its label the chart's policy keeps the operator from it.
    space
        .wait_client("web", "refused", |object| {
            let seen = condition(object, "Ready").unwrap();
            seen.0 == "False" && ["SecretNotOwned", "SecretRefused"].contains(&seen.1.as_str())
        })
        .await;
    assert_eq!(secrets.get("web-oauth").await.unwrap(), foreign);
    let now = DeleteParams::default();
    space.clients().delete("web", &now).await.unwrap();
    assert_eq!(secrets.get("web-oauth").await.unwrap(), foreign);
    let entries = [
        ("CLIENT_ID", format!("{}.web", space.name)),
        ("CLIENT_SECRET", "precious".into()),
    ];
    let mut entries: std::collections::BTreeMap<String, String> =
        entries.map(|(name, value)| (name.to_owned(), value)).into();
    entries.insert("TOKEN_ENDPOINT".into(), format!("{}/token", space.issuer));
    ask(&http(), &entries).await.unwrap_err();
}
