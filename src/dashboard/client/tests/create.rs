//! The form to create.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::Server;

#[tokio::test]
async fn a_refusal_is_at_its_field_and_keeps_what_was_typed() {
    let mut server = Server::new();
    server.refusal = Some(json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Invalid", "code": 422, "message": "invalid",
        "details": { "name": "orders", "causes": [{ "field": "spec.redirectUris[0]", "message": "Invalid value: \"ftp://x\": must begin with https://" }] },
    }));
    let body = "display-name=Orders&namespace=apps&type=Confidential&redirect-uris=ftp%3A%2F%2Fx&tenant=staff&first-party=on&preset=grafana";
    let refused = server.post("/clients/new", body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused
            .text
            .contains("id=\"wrong-redirect-uris\">Line 1: Must begin with https://."),
        "{}",
        refused.text
    );
    for kept in [
        "value=\"Orders\"",
        "ftp://x</textarea>",
        "value=\"staff\"",
        "value=\"grafana\"",
        "name=\"first-party\" value=\"on\" checked",
    ] {
        assert!(refused.text.contains(kept), "{kept}: {}", refused.text);
    }
    let typing = server
        .send(
            Method::POST,
            "/clients/new",
            &format!("{body}&check=1"),
            true,
        )
        .await;
    assert_eq!(typing.status, StatusCode::OK);
    assert!(
        typing
            .text
            .contains("id=\"wrong-redirect-uris\" hx-swap-oob=\"true\""),
        "{}",
        typing.text
    );
    assert!(
        typing.text.contains("format: Grafana") && !typing.text.contains("<html"),
        "{}",
        typing.text
    );
}

#[tokio::test]
async fn a_new_client_is_written_once_and_shown() {
    let server = Server::new();
    let body = "display-name=Order+desk&namespace=apps&type=Confidential&redirect-uris=https%3A%2F%2Fa.example%2F&tenant=default&preset=web-app";
    let checked = server
        .post("/clients/new", &format!("{body}&check=1"))
        .await;
    assert_eq!(checked.status, StatusCode::OK);
    assert!(server.writes().is_empty());
    let created = server.post("/clients/new", body).await;
    assert_eq!(
        (created.status, created.location.as_str()),
        (StatusCode::SEE_OTHER, "/clients/apps/order-desk")
    );
    let (line, written) = server.writes().pop().unwrap();
    assert!(line.contains("/namespaces/apps/oauthclients?"), "{line}");
    assert_eq!(written["spec"]["displayName"], "Order desk");
}

#[tokio::test]
async fn yaml_fills_the_form_and_is_created_whole() {
    let server = Server::new();
    let yaml = "kind: OAuthClient\napiVersion: clientele.dev/v1alpha1\nmetadata: {name: web}\nspec: {displayName: Orders, requirePkce: true}\n";
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair("take", "1").append_pair("yaml", yaml);
    let filled = server.post("/clients/new", &body.finish()).await;
    assert_eq!(filled.status, StatusCode::OK);
    assert!(
        filled.text.contains("value=\"Orders\"") && filled.text.contains("requirePkce: true"),
        "{}",
        filled.text
    );
    assert!(server.writes().is_empty());
    let refused = server
        .post("/clients/new", "take=1&yaml=kind%3A+Secret")
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.text.contains("cannot be taken over"),
        "{}",
        refused.text
    );
    assert!(refused.text.matches("cannot be taken over").count() == 1);
}
