//! Apply → Secret → token.

use serde_json::json;

use crate::support::test_namespace::TestNamespace;

#[tokio::test]
async fn an_empty_spec_is_a_working_machine_client() {
    let space = TestNamespace::new("issue").await;
    let object = space.ready("hello", json!({})).await;
    let status = object.status.unwrap();
    assert_eq!(status.client_id.unwrap(), format!("{}.hello", space.name));
    assert_eq!(status.secret_name.unwrap(), "hello-oauth");

    let entries = space.entries("hello-oauth").await;
    assert_eq!(entries["CLIENT_ID"], format!("{}.hello", space.name));
    assert_eq!(entries["ISSUER"], space.issuer);
    assert_eq!(entries["TOKEN_ENDPOINT"], format!("{}/token", space.issuer));
    assert_eq!(entries["JWKS_URI"], format!("{}/jwks", space.issuer));

    let (code, body) = space.token("hello-oauth").await;
    assert_eq!(code, 200, "{body}");
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
}
