//! H, F73–F76: tokens of ServiceAccounts, reviewed by the API server that issued them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::authentication::v1::TokenReview;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use super::{Accounts, only};
use crate::cluster::install::namespaces::scoped;
use crate::support::assertions::stranger;
use crate::support::cluster::shared;
use crate::support::test_namespace::{TestNamespace, eventually, http};

#[tokio::test]
async fn h01_h13_an_account_token_proves_the_client_without_a_secret() {
    let team = Accounts::with_app().await;
    let entries = team.space.entries("app-oauth").await;
    assert!(!entries.contains_key("CLIENT_SECRET"));
    let token = team.token("web");
    for _ in 0..2 {
        let (status, body) = team.ask("app", &token).await;
        assert_eq!(
            (status, &body["token_type"]),
            (200, &json!("Bearer")),
            "{body}"
        );
    }
    team.pod("web-0", "web").await;
    let bound = team.token_in("web-0", "web", &team.space.issuer);
    assert_eq!(team.ask("app", &bound).await.0, 200);
    let log = shared().operator.log();
    for token in [token, bound] {
        let signature = token.rsplit_once('.').unwrap().1;
        assert!(!log.contains(signature), "a token is in the log");
    }
}

#[tokio::test]
async fn h02_h10_f73_a_token_with_another_audience_is_refused() {
    let team = Accounts::with_app().await;
    let issuer = &team.space.issuer;
    for (what, audiences) in [
        ("the API server's", vec![]),
        (
            "the API server's by name",
            vec!["https://kubernetes.default.svc"],
        ),
        (
            "ours and the API server's",
            vec![issuer.as_str(), "https://kubernetes.default.svc"],
        ),
        ("another", vec!["https://other.example"]),
        ("the token endpoint", vec![&*format!("{issuer}/token")]),
    ] {
        let flags: Vec<&str> = audiences
            .iter()
            .flat_map(|audience| ["--audience", audience])
            .collect();
        team.refused("app", what, &team.token_for("web", &flags))
            .await;
    }
    assert_eq!(team.ask("app", &team.token("web")).await.0, 200);
}

#[tokio::test]
async fn h03_f75_other_accounts_and_other_namespaces_are_refused() {
    let (team, others) = (
        Accounts::new("accounts").await,
        Accounts::new("accounts").await,
    );
    for accounts in [&team, &others] {
        accounts.account("web").await;
        accounts.account("batch").await;
        accounts.space.ready("app", only("web")).await;
    }
    team.refused("app", "another account", &team.token("batch"))
        .await;
    team.refused("app", "another namespace", &others.token("web"))
        .await;
    others
        .refused("app", "another namespace", &team.token("web"))
        .await;
    // While no method is named, the secret works beside the account; and an account may prove several clients.
    team.space
        .ready(
            "second",
            json!({ "serviceAccounts": [{ "name": "web" }, { "name": "batch" }] }),
        )
        .await;
    for account in ["web", "batch"] {
        assert_eq!(team.ask("second", &team.token(account)).await.0, 200);
    }
    assert_eq!(team.space.token("second-oauth").await.0, 200);
}

#[tokio::test]
async fn h04_f74_an_account_that_is_made_again_is_another() {
    let team = Accounts::new("accounts").await;
    let uid = team.account("web").await;
    team.space.ready("app", only("web")).await;
    let pinned = json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": "web", "uid": uid }] });
    team.space.ready("pinned", pinned).await;
    let before = team.token("web");
    for client in ["app", "pinned"] {
        assert_eq!(team.ask(client, &before).await.0, 200);
    }
    team.remove("web").await;
    let uid = team.account("web").await;
    for client in ["app", "pinned"] {
        team.wait(
            client,
            "the token of the old account is refused",
            &before,
            401,
        )
        .await;
    }
    let after = team.token("web");
    assert_eq!(team.ask("app", &after).await.0, 200);
    team.refused("pinned", "until the UID is the new one", &after)
        .await;
    let bound = json!({ "spec": { "serviceAccounts": [{ "name": "web", "uid": uid }] } });
    team.space.patch("pinned", bound).await;
    team.wait("pinned", "the new UID counts", &after, 200).await;
    team.refused("pinned", "the old one does not", &before)
        .await;
}

#[tokio::test]
async fn h05_f74_the_token_of_a_pod_ends_with_the_pod() {
    let team = Accounts::with_app().await;
    team.pod("web-0", "web").await;
    let bound = team.token_in("web-0", "web", &team.space.issuer);
    assert_eq!(team.ask("app", &bound).await.0, 200);
    let now = DeleteParams::default().grace_period(0);
    team.pods().delete("web-0", &now).await.unwrap();
    team.wait("app", "within ten seconds it is refused", &bound, 401)
        .await;
    // A pod of the same name is another.
    team.pod("web-0", "web").await;
    team.refused("app", "the earlier pod", &bound).await;
    assert_eq!(team.ask("app", &team.token("web")).await.0, 200);
}

#[tokio::test]
async fn h06_h07_tokens_that_live_longer_than_an_hour_are_refused() {
    let team = Accounts::with_app().await;
    let audience = ["--audience", &team.space.issuer];
    let long = team.token_for("web", &[&audience[..], &["--duration", "2h"]].concat());
    team.refused("app", "two hours", &long).await;
    let hour = team.token_for("web", &[&audience[..], &["--duration", "1h"]].concat());
    assert_eq!(team.ask("app", &hour).await.0, 200);
    // The kind that Kubernetes made before 1.24, and still makes on request.
    let secret: Secret = serde_json::from_value(json!({
        "metadata": { "name": "legacy", "annotations": { "kubernetes.io/service-account.name": "web" } },
        "type": "kubernetes.io/service-account-token",
    }))
    .unwrap();
    team.space
        .secrets()
        .create(&PostParams::default(), &secret)
        .await
        .unwrap();
    let legacy = eventually("the token is there", || async {
        let secret = team.space.secrets().get("legacy").await.unwrap();
        let token = secret.data.and_then(|data| data.get("token").cloned());
        token.ok_or_else(|| "not yet".to_owned())
    })
    .await;
    let legacy = String::from_utf8(legacy.0).unwrap();
    team.refused("app", "a legacy token", &legacy).await;
}

#[tokio::test]
async fn h08_f74_a_token_of_a_cluster_with_equal_names_is_refused() {
    let team = Accounts::with_app().await;
    let genuine = team.token("web");
    // Its issuer has the same name, as in every cluster with the default; its keys differ.
    let other = &scoped().await.cluster;
    for create in [
        vec!["create", "namespace", &team.space.name],
        vec![
            "--namespace",
            &team.space.name,
            "create",
            "serviceaccount",
            "web",
        ],
    ] {
        other.kubectl(&create).unwrap();
    }
    let create = [
        "--namespace",
        &team.space.name,
        "create",
        "token",
        "web",
        "--audience",
        &team.space.issuer,
    ];
    let foreign = other.kubectl(&create).unwrap();
    assert_eq!(issuer(&genuine), issuer(&foreign));
    team.refused("app", "another cluster", foreign.trim()).await;
    assert_eq!(team.ask("app", &genuine).await.0, 200);
}

fn issuer(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["iss"].clone()
}

#[tokio::test]
async fn h09_h15_a_token_not_issued_for_an_account_is_refused() {
    let team = Accounts::with_app().await;
    let genuine = team.token("web");
    let claims = genuine.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let forged = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims.clone();
        change(&mut claims);
        stranger().token(r#"{"alg":"ES256","kid":"x"}"#, &claims.to_string())
    };
    team.refused("app", "another's key", &forged(&|_| ())).await;
    team.refused(
        "app",
        "another issuer",
        &forged(&|claims| claims["iss"] = json!("http://127.0.0.1:1")),
    )
    .await;
    team.refused(
        "app",
        "a node",
        &forged(&|claims| claims["sub"] = json!("system:node:n")),
    )
    .await;
    team.refused("app", "a bootstrap token", "abcdef.0123456789abcdef")
        .await;
    team.refused("app", "half a token", &genuine[..genuine.len() - 8])
        .await;
    let operator = team
        .cluster
        .kubectl(&[
            "--namespace",
            "clientele-system",
            "create",
            "token",
            "clientele",
            "--audience",
            &team.space.issuer,
        ])
        .unwrap();
    team.refused("app", "the operator's own", operator.trim())
        .await;
}

#[tokio::test]
async fn h14_f76_server_and_cluster_tokens_are_not_interchangeable() {
    let team = Accounts::with_app().await;
    let genuine = team.token("web");
    let ours = team.ask("app", &genuine).await.1["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    team.refused("app", "our own token", &ours).await;
    // To the API server, ours belongs to no user.
    let review = json!({ "spec": { "token": ours, "audiences": [team.space.issuer] } });
    let reviews: Api<TokenReview> = Api::all(team.space.kube.clone());
    let review = serde_json::from_value::<TokenReview>(review).unwrap();
    let status = reviews
        .create(&PostParams::default(), &review)
        .await
        .unwrap()
        .status
        .unwrap();
    assert_ne!(status.authenticated, Some(true));
    // To us, the cluster's is no access token.
    let userinfo = http()
        .get(format!("{}/userinfo", team.space.issuer))
        .bearer_auth(&genuine);
    assert_eq!(userinfo.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_caller_migrates_from_secret_to_account_without_a_pause() {
    let team = Accounts::new("accounts").await;
    team.account("web").await;
    team.space.ready("app", json!({})).await;
    let entries = team.space.entries("app-oauth").await;
    let by_secret = async |space: &TestNamespace| {
        space
            .token_from(
                &space.issuer,
                &entries["CLIENT_ID"],
                &entries["CLIENT_SECRET"],
                &[],
            )
            .await
            .0
    };
    team.space
        .patch(
            "app",
            json!({ "spec": { "serviceAccounts": [{ "name": "web" }] } }),
        )
        .await;
    team.space.wait_ready("app").await;
    let token = team.token("web");
    assert_eq!(
        (
            team.ask("app", &token).await.0,
            by_secret(&team.space).await
        ),
        (200, 200)
    );
    team.space
        .patch(
            "app",
            json!({ "spec": { "tokenEndpointAuthMethod": "service_account" } }),
        )
        .await;
    team.space.wait_ready("app").await;
    assert_eq!(
        (
            team.ask("app", &token).await.0,
            by_secret(&team.space).await
        ),
        (200, 401)
    );
    assert!(
        !team
            .space
            .entries("app-oauth")
            .await
            .contains_key("CLIENT_SECRET")
    );
}
