//! The whole way, as people go it: the binary, the chart, and a client library that others wrote.

mod authority;
mod browser;
mod command_line;
mod dashboard;
mod dashboard_people;
mod dashboard_speed;
mod example_app;
mod exhibits;
mod fonts;
mod gallery;
mod kubectl;
mod nginx;
mod node;
mod own_shell;
mod people;
mod program;
mod relying_party;
mod secure;
mod sign_in;
mod signing;
mod visitor;

use serde_json::json;

use crate::support::test_namespace::TestNamespace;
use node::machine;

#[tokio::test]
async fn a_client_library_of_others_gets_and_verifies_tokens() {
    let space = TestNamespace::new("journey").await;
    space.ready("machine", json!({})).await;
    let entries = space.entries("machine-oauth").await;
    let seen = machine(&entries).run().await;
    for token in [&seen["basic"], &seen["post"]] {
        assert_eq!(token["alg"], "ES256");
        assert_eq!(token["expiresIn"], 600);
        assert_eq!(token["claims"]["client_id"], entries["CLIENT_ID"]);
    }
    let refusal = json!({ "status": 401, "scheme": "basic", "error": "invalid_client" });
    assert_eq!(seen["wrongSecret"], refusal);
}

#[tokio::test]
async fn it_gets_tokens_for_the_api_of_a_tenant_of_its_own() {
    const API: &str = "https://api.journey.example.com";
    let space = TestNamespace::new("journey-api").await;
    let everywhere = json!({});
    let tenant = json!({
        "signing": { "algorithm": "RS256" },
        "scopes": [{ "name": "orders.read" }, { "name": "orders.write" }],
        "audiences": [{ "uri": API, "scopes": ["orders.read", "orders.write"], "namespaces": everywhere }],
    });
    space.try_create_tenant(&space.name, tenant).await.unwrap();
    let client = json!({
        "tenant": space.name,
        "grantTypes": ["client_credentials"],
        "scopes": ["orders.read", "orders.write"],
        "audiences": [API],
        "lifetimes": { "accessToken": "2m" },
    });
    space.ready("reader", client).await;
    let entries = space.entries("reader-oauth").await;
    assert_eq!(
        entries["ISSUER"],
        format!("{}/t/{}", space.issuer, space.name)
    );
    let seen = machine(&entries)
        .with("AUDIENCE", API)
        .with("SCOPE", "orders.read")
        .run()
        .await;
    for token in [&seen["basic"], &seen["post"]] {
        assert_eq!(token["alg"], "RS256");
        assert_eq!(token["expiresIn"], 120);
        assert_eq!(token["claims"]["scope"], "orders.read");
    }
}
