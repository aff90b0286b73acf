use std::time::Duration;

use clientele_oauth::client::PkceRule;
use clientele_oauth::{ClientType, GrantType};
use serde_json::json;

use super::*;
use crate::tests::{judged, tenant};

const URL: &str = "https://dashboard.example.com";

fn in_a_cluster() -> OAuthClient {
    let mut client = client(URL);
    client.metadata.namespace = Some("clientele-system".to_owned());
    client.metadata.uid = Some("uid".to_owned());
    client
}

#[test]
fn the_client_of_the_dashboard_is_accepted_and_may_no_more() {
    let own = json!({ "matchLabels": { "kubernetes.io/metadata.name": "clientele-system" } });
    let policy = tenant(json!({ "firstParty": { "namespaces": own } }));
    let client = judged(&in_a_cluster(), &policy).unwrap();
    assert_eq!(&*client.id, "clientele-system.clientele-dashboard");
    assert_eq!(client.client_type, ClientType::Confidential);
    assert!(client.first_party && client.holds_secret());
    assert_eq!(client.pkce, PkceRule::Required);
    assert_eq!(*client.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(*client.scopes, SCOPES.map(Into::into));
    assert_eq!(
        *client.redirect_uris,
        ["https://dashboard.example.com/callback".into()]
    );
    assert_eq!(client.lifetimes.id_token, Duration::from_mins(10));
    assert!(client.audiences.is_empty());
}

#[test]
fn a_client_that_people_changed_is_reported_and_not_repaired() {
    let mut client = in_a_cluster();
    assert_eq!(problem(Some(&client), URL), None);
    let moved = problem(Some(&client), "https://other.example.com").unwrap();
    assert!(moved.contains("add https://other.example.com/callback to spec.redirectUris"));
    let uris = &mut client.spec.redirect_uris;
    uris.push("https://other.example.com/callback".to_owned());
    assert_eq!(problem(Some(&client), "https://other.example.com"), None);
    let deleted = problem(None, URL).unwrap();
    assert!(
        deleted.contains("https://dashboard.example.com/callback"),
        "{deleted}"
    );
}
