//! Tokens of ServiceAccounts, verified by the cluster's public keys alone: the tenant's choice.

use kube::api::DeleteParams;
use serde_json::{Value, json};

use super::{Accounts, ask};

/// A tenant that verifies offline, named after the namespace; and a namespace.
async fn offline(prefix: &str) -> (Accounts<'static>, String) {
    let team = Accounts::new(prefix).await;
    let spec = json!({ "serviceAccountTokens": { "verification": "Offline" } });
    team.space
        .try_create_tenant(&team.space.name, spec)
        .await
        .unwrap();
    let issuer = format!("{}/t/{}", team.space.issuer, team.space.name);
    (team, issuer)
}

fn pinned(team: &Accounts<'_>, uid: &str) -> Value {
    json!({
        "tenant": team.space.name, "tokenEndpointAuthMethod": "service_account",
        "serviceAccounts": [{ "name": "web", "uid": uid }],
    })
}

#[tokio::test]
async fn h01_h05_offline_a_token_counts_until_it_expires() {
    let (team, issuer) = offline("offline").await;
    let uid = team.account("web").await;
    team.space.ready("app", pinned(&team, &uid)).await;
    team.pod("web-0", "web").await;
    let bound = team.token_in("web-0", "web", &issuer);
    assert_eq!(ask(&issuer, &team.id("app"), &bound).await.0, 200);
    let now = DeleteParams::default().grace_period(0);
    team.pods().delete("web-0", &now).await.unwrap();
    assert_eq!(
        ask(&issuer, &team.id("app"), &bound).await.0,
        200,
        "as documented"
    );
    // For the other tenant it was not made.
    assert_eq!(
        ask(&team.space.issuer, &team.id("app"), &bound).await.0,
        401
    );
}

#[tokio::test]
async fn h04_offline_a_recreated_account_is_refused_until_named() {
    let (team, issuer) = offline("offline").await;
    let uid = team.account("web").await;
    team.space.ready("app", pinned(&team, &uid)).await;
    team.remove("web").await;
    let uid = team.account("web").await;
    let token = team.token_for("web", &["--audience", &issuer]);
    assert_eq!(ask(&issuer, &team.id("app"), &token).await.0, 401);
    let spec = json!({ "spec": { "serviceAccounts": [{ "name": "web", "uid": uid }] } });
    team.space.patch("app", spec).await;
    team.space.wait_ready("app").await;
    assert_eq!(ask(&issuer, &team.id("app"), &token).await.0, 200);
}

#[tokio::test]
async fn offline_an_account_without_a_uid_is_refused_with_a_command() {
    let (team, _) = offline("offline").await;
    let spec = json!({ "tenant": team.space.name, "serviceAccounts": [{ "name": "web" }] });
    team.space.create("app", spec).await;
    let message = team
        .space
        .wait_refused("app", "ServiceAccountNotPinned")
        .await;
    let command = format!(
        "kubectl -n {} get serviceaccount web -o jsonpath='{{.metadata.uid}}'",
        team.space.name
    );
    assert!(message.contains(&command), "{message}");
    let uid = team.account("web").await;
    team.space
        .patch(
            "app",
            json!({ "spec": { "serviceAccounts": [{ "name": "web", "uid": uid }] } }),
        )
        .await;
    team.space.wait_ready("app").await;
}
