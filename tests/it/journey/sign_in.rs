//! People sign in to applications that use openid-client: everything that such an application asks of a provider.

use serde_json::{Value, json};

use super::node::Node;
use super::people::{Someone, with};
use crate::support::test_namespace::TestNamespace;

/// Nothing is there: the person stops where the browser would open it.
const REDIRECT_URI: &str = "https://app.example.com/callback";
const SIGNED_OUT: &str = "https://app.example.com/signed-out";

/// What everything is that was ended.
fn ended(confidential: bool) -> Value {
    let mut ended = json!({ "userinfo": "invalid_token", "refresh": "invalid_grant" });
    if confidential {
        ended["introspection"] = json!(false);
    }
    ended
}

/// A client with these fields, a person, and the whole journey; returns the client ID and what the program saw.
async fn journey(client: Value, environment: &[(&str, &str)]) -> (String, Value) {
    let space = TestNamespace::new("sign-in").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let spec = json!({
        "tenant": tenant,
        "displayName": "The shop",
        "redirectUris": [REDIRECT_URI],
        "postLogoutRedirectUris": [SIGNED_OUT],
    });
    space.ready("shop", with(spec, &client)).await;
    let ada = Someone::new(&space, &tenant, "ada", &["staff"]).await;
    let entries = space.entries("shop-oauth").await;
    let mut program = ada
        .at(Node::new("sign_in.mjs").with_entries(&entries))
        .with("REDIRECT_URI", REDIRECT_URI)
        .with("POST_LOGOUT_REDIRECT_URI", SIGNED_OUT);
    for (name, value) in environment {
        program = program.with(name, value);
    }
    (entries["CLIENT_ID"].clone(), program.run().await)
}

/// What is the same whatever the client.
fn judge(seen: &Value, algorithm: &str, confidential: bool) {
    let first = &seen["first"];
    assert_eq!(seen["met"], json!(["sign-in", "consent"]));
    assert_eq!(first["algorithm"], algorithm);
    assert_eq!(first["expiresIn"], 600);
    assert_eq!(first["userinfo"]["name"], "Ada Example");
    assert_eq!(first["userinfo"]["email"], "ada@example.com");
    assert_eq!(first["userinfo"]["email_verified"], true);
    assert_eq!(first["userinfo"]["preferred_username"], "ada");
    assert_eq!(first["userinfo"]["groups"], Value::Null, "not asked for");

    let rotation = &seen["rotation"];
    assert_eq!(rotation["different"], true);
    assert_eq!(rotation["subject"], first["userinfo"]["sub"]);
    assert_eq!(rotation["authTime"], first["claims"]["auth_time"]);
    assert_eq!(rotation["reused"], "invalid_grant");
    assert_eq!(rotation["after"], ended(confidential));

    let nothing = json!([]);
    assert_eq!(seen["metAgain"], nothing, "signed in, and agreed before");
    assert_eq!(seen["revocation"], ended(confidential));
    assert_eq!(seen["replay"]["again"], "invalid_grant");
    assert_eq!(seen["replay"]["after"], ended(confidential));

    let logout = &seen["logout"];
    assert_eq!(logout["met"], nothing, "the ID token proves who asks");
    assert_eq!(logout["state"], true);
    assert_eq!(logout["silently"], "login_required");
    assert_eq!(logout["after"], ended(confidential));
}

#[tokio::test]
async fn openid_client_signs_people_in_with_a_secret_by_basic() {
    let (client_id, seen) = journey(json!({}), &[("METHOD", "basic")]).await;
    judge(&seen, "RS256", true);
    let introspection = &seen["introspection"];
    assert_eq!(introspection["active"], true);
    assert_eq!(introspection["client_id"], client_id);
    assert_eq!(introspection["sub"], seen["first"]["userinfo"]["sub"]);
    assert_ne!(
        introspection["sub"], client_id,
        "a person is never a client"
    );
}

#[tokio::test]
async fn openid_client_signs_people_in_with_a_secret_by_post_and_a_posted_response() {
    let client = json!({
        "tokenEndpointAuthMethod": "client_secret_post", "idTokenSignedResponseAlg": "ES256",
    });
    let environment = [
        ("METHOD", "post"),
        ("ID_TOKEN_ALG", "ES256"),
        ("RESPONSE_MODE", "form_post"),
    ];
    let (_, seen) = journey(client, &environment).await;
    assert_eq!(seen["posted"], true);
    judge(&seen, "ES256", true);
}

#[tokio::test]
async fn openid_client_signs_people_in_without_a_secret() {
    let client = json!({ "type": "Public", "idTokenSignedResponseAlg": "EdDSA" });
    let environment = [("METHOD", "none"), ("ID_TOKEN_ALG", "EdDSA")];
    let (_, seen) = journey(client, &environment).await;
    judge(&seen, "EdDSA", false);
}
