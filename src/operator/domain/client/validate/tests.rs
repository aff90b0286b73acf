use std::time::Duration;

use clientele_oauth::{AuthMethod, Client, ClientType, GrantType};
use serde_json::{Value, json};

use crate::domain::reason::Refusal;
use crate::tests::{generous, judged, namespace, object, tenant};

fn registered_in(space: &str, spec: Value) -> Result<Client, Refusal> {
    let mut object = object("web", spec);
    object.metadata.namespace = Some(space.to_owned());
    judged(&object, &generous())
}

fn registered(spec: Value) -> Client {
    registered_in("team-a", spec).unwrap()
}

fn refused(spec: Value) -> String {
    registered_in("team-a", spec)
        .unwrap_err()
        .reason
        .to_string()
}

#[test]
fn an_empty_spec_is_a_machine_client_with_safe_defaults() {
    let client = registered(json!({}));
    assert_eq!(&*client.id, "team-a.web");
    assert_eq!(&*client.uid, "uid-of-web");
    assert_eq!(client.client_type, ClientType::Confidential);
    assert_eq!(*client.grant_types, [GrantType::ClientCredentials]);
    assert_eq!(client.lifetimes.access_token, Duration::from_mins(5));
    assert_eq!(client.oldest_accepted, 1);
    assert!(
        client.allows_method(AuthMethod::ClientSecretBasic)
            && client.allows_method(AuthMethod::ClientSecretPost)
    );
    assert!(!client.allows_method(AuthMethod::None));
}

#[test]
fn redirect_uris_make_it_a_client_for_people() {
    let client = registered(json!({ "redirectUris": ["https://app.example/cb"] }));
    assert_eq!(
        *client.grant_types,
        [GrantType::AuthorizationCode, GrantType::RefreshToken]
    );
    let scopes: Vec<&str> = client.scopes.iter().map(|scope| &**scope).collect();
    assert_eq!(scopes, ["openid", "profile", "email", "offline_access"]);
}

#[test]
fn naming_a_method_refuses_the_others() {
    let client = registered(json!({ "tokenEndpointAuthMethod": "client_secret_post" }));
    assert!(client.allows_method(AuthMethod::ClientSecretPost));
    assert!(!client.allows_method(AuthMethod::ClientSecretBasic));
}

#[test]
fn a_lifetime_is_capped_by_the_tenant() {
    let lifetime = |text: &str| {
        registered(json!({ "lifetimes": { "accessToken": text } }))
            .lifetimes
            .access_token
    };
    assert_eq!(lifetime("30m"), Duration::from_mins(30));
    assert_eq!(lifetime("12h"), Duration::from_hours(1));
}

#[test]
fn what_the_tenant_gives_is_had() {
    let client = registered(
        json!({ "scopes": ["orders.read"], "audiences": ["https://orders.example"], "firstParty": true }),
    );
    assert!(client.first_party);
    assert_eq!(&*client.audiences[0].uri, "https://orders.example");
    assert_eq!(&*client.default_scope, "orders.read");
    assert_eq!(
        &*registered(json!({ "clientId": "Legacy_App" })).id,
        "Legacy_App"
    );
}

#[test]
fn what_the_tenant_does_not_give_is_refused_with_its_reason() {
    let cases = [
        (json!({ "scopes": ["unheard.of"] }), "ScopeNotFound"),
        (json!({ "scopes": ["bills.read"] }), "ScopeNotAllowed"),
        (json!({ "scopes": ["*"] }), "ScopeNotFound"),
        (
            json!({ "audiences": ["https://bills.example"] }),
            "AudienceNotAllowed",
        ),
        (
            json!({ "audiences": ["https://nowhere.example"] }),
            "AudienceNotAllowed",
        ),
    ];
    for (spec, reason) in cases {
        assert_eq!(refused(spec.clone()), reason, "{spec}");
    }
}

#[test]
fn privileges_follow_from_the_namespace_and_not_from_the_object() {
    for (spec, reason) in [
        (json!({ "firstParty": true }), "FirstPartyNotAllowed"),
        (json!({ "clientId": "legacy" }), "CustomClientIdNotAllowed"),
    ] {
        assert_eq!(
            registered_in("team-b", spec)
                .unwrap_err()
                .reason
                .to_string(),
            reason
        );
    }
    assert_eq!(
        registered_in("team-c", json!({}))
            .unwrap_err()
            .reason
            .to_string(),
        "NamespaceNotAllowed"
    );
}

/// F72: an object that was stored before the rules existed, or past them, is judged all the same.
#[test]
fn f72_what_admission_would_have_refused_is_refused_here_too() {
    let cases = [
        (
            json!({ "redirectUris": ["http://evil.example/cb"] }),
            "InvalidSpec",
        ),
        (
            json!({ "redirectUris": ["javascript:alert(1)"] }),
            "InvalidSpec",
        ),
        (json!({ "type": "Public" }), "InvalidSpec"),
        (
            json!({ "type": "Public", "redirectUris": ["https://a.example"], "tokenEndpointAuthMethod": "client_secret_basic" }),
            "InvalidSpec",
        ),
        (json!({ "scopes": ["a b"] }), "InvalidSpec"),
        (json!({ "clientId": "team-b.web" }), "ClientIdReserved"),
        (json!({ "clientId": "kubernetes" }), "ClientIdReserved"),
        (json!({ "clientId": "KUBERNETES" }), "ClientIdReserved"),
        (json!({ "clientId": "system:admin" }), "ClientIdReserved"),
        (json!({ "clientId": "" }), "ClientIdReserved"),
    ];
    for (spec, reason) in cases {
        assert_eq!(refused(spec.clone()), reason, "{spec}");
    }
}

#[test]
fn a_selector_that_cannot_be_parsed_selects_nobody() {
    let policy = tenant(
        json!({ "namespaces": { "matchExpressions": [{ "key": "a", "operator": "Bogus" }] } }),
    );
    assert!(!policy.namespaces.contains(&namespace("team-a")));
}

#[test]
fn an_empty_selector_selects_everybody() {
    let policy = tenant(json!({ "firstParty": { "namespaces": {} } }));
    assert!(policy.first_party.contains(&namespace("anybody")));
}

fn key(kty: &str, crv: &str, x: &str) -> Value {
    json!({ "kty": kty, "crv": crv, "x": x })
}

const ED25519: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

#[test]
fn a_client_with_keys_signs_beside_its_secret_until_the_method_is_named() {
    let jwks = json!({ "keys": [key("OKP", "Ed25519", ED25519)] });
    let both = registered(json!({ "jwks": jwks }));
    let only = registered(json!({ "jwks": jwks, "tokenEndpointAuthMethod": "private_key_jwt" }));
    for (client, secret) in [(both, true), (only, false), (registered(json!({})), true)] {
        let keys = client.assertion_methods.keys.len() == 1;
        assert_eq!(client.allows_method(AuthMethod::PrivateKeyJwt), keys);
        assert_eq!(client.allows_method(AuthMethod::ClientSecretPost), secret);
    }
}

#[test]
fn a_service_account_proves_the_client_beside_its_secret_until_the_method_is_named() {
    let accounts = json!([{ "name": "web" }, { "name": "web.v2", "uid": "0f8fad5b-d9cb-469f-a165-70867728950e" }]);
    let both = registered(json!({ "serviceAccounts": accounts }));
    let only = registered(
        json!({ "serviceAccounts": accounts, "tokenEndpointAuthMethod": "service_account" }),
    );
    for (client, secret) in [(both, true), (only, false)] {
        assert_eq!(client.assertion_methods.service_accounts.len(), 2);
        assert!(client.allows_method(AuthMethod::ServiceAccount));
        assert!(!client.allows_method(AuthMethod::PrivateKeyJwt));
        assert_eq!(client.allows_method(AuthMethod::ClientSecretBasic), secret);
        assert_eq!(client.holds_secret(), secret);
    }
    assert!(!registered(json!({})).allows_method(AuthMethod::ServiceAccount));
}

#[test]
fn h04_where_the_tenant_verifies_offline_a_uid_is_needed() {
    let policy = tenant(json!({ "serviceAccountTokens": { "verification": "Offline" } }));
    let judge = |accounts: Value| {
        let spec = json!({ "serviceAccounts": accounts });
        judged(&object("web", spec), &policy)
    };
    let uid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    assert!(judge(json!([{ "name": "web", "uid": uid }])).is_ok());
    let refusal = judge(json!([{ "name": "web", "uid": uid }, { "name": "batch" }])).unwrap_err();
    assert_eq!(refusal.reason.to_string(), "ServiceAccountNotPinned");
    assert!(
        refusal
            .message
            .contains("-n team-a get serviceaccount batch")
    );
}

#[test]
fn f72_service_accounts_that_admission_would_have_refused_are_refused_here_too() {
    let uri = ["https://a.example/cb"];
    for spec in [
        json!({ "tokenEndpointAuthMethod": "service_account" }),
        json!({ "tokenEndpointAuthMethod": "client_secret_post", "serviceAccounts": [{ "name": "web" }] }),
        json!({ "type": "Public", "redirectUris": uri, "serviceAccounts": [{ "name": "web" }] }),
        json!({ "serviceAccounts": [{ "name": "" }] }),
        json!({ "serviceAccounts": [{ "name": "team-b:web" }] }),
        json!({ "serviceAccounts": [{ "name": "web." }] }),
        json!({ "serviceAccounts": [{ "name": "-web" }] }),
        json!({ "serviceAccounts": vec![json!({ "name": "web" }); 17] }),
    ] {
        assert_eq!(refused(spec.clone()), "InvalidSpec", "{spec}");
    }
}

#[test]
fn f72_keys_that_admission_would_have_refused_are_refused_here_too() {
    let good = key("OKP", "Ed25519", ED25519);
    let with = |keys: Vec<Value>, more: Value| {
        let mut spec = more;
        spec["jwks"] = json!({ "keys": keys });
        spec
    };
    let uri = ["https://a.example/cb"];
    for spec in [
        json!({ "tokenEndpointAuthMethod": "private_key_jwt" }),
        with(
            vec![],
            json!({ "tokenEndpointAuthMethod": "private_key_jwt" }),
        ),
        with(
            vec![good.clone()],
            json!({ "tokenEndpointAuthMethod": "client_secret_post" }),
        ),
        with(
            vec![good.clone()],
            json!({ "type": "Public", "redirectUris": uri }),
        ),
        with(vec![json!({ "kty": "oct" })], json!({})),
        with(vec![key("OKP", "Ed25519", "AAAA")], json!({})),
        with(vec![good; 9], json!({})),
    ] {
        assert_eq!(refused(spec.clone()), "InvalidSpec", "{spec}");
    }
}

#[test]
fn the_floor_of_generations_comes_from_the_ledger() {
    let mut object = object("web", json!({}));
    object.status = Some(
        serde_json::from_value(
            json!({ "secretGeneration": { "requested": 3, "published": 3, "oldestAccepted": 2 } }),
        )
        .unwrap(),
    );
    assert_eq!(judged(&object, &generous()).unwrap().oldest_accepted, 2);
}

#[test]
fn every_refusal_names_a_remedy() {
    let words = [
        "create", "correct", "remove", "ask", "name", "label", "leave", "recreate", "must",
    ];
    for spec in [
        json!({ "scopes": ["x"] }),
        json!({ "audiences": ["urn:x"] }),
        json!({ "clientId": "kubernetes" }),
        json!({ "redirectUris": ["x"] }),
    ] {
        let message = registered_in("team-a", spec).unwrap_err().message;
        assert!(words.iter().any(|word| message.contains(word)), "{message}");
    }
}

#[test]
fn f43_namespaces_of_the_cluster_itself_are_reserved() {
    for space in ["kube-system", "kube-public", "kube-node-lease"] {
        let refusal = registered_in(space, json!({})).unwrap_err();
        assert_eq!(refusal.reason.to_string(), "NamespaceReserved");
        assert!(refusal.message.contains(space), "{}", refusal.message);
    }
    for space in ["default", "kube", "kube-systems"] {
        let reason = registered_in(space, json!({})).unwrap_err().reason;
        assert_eq!(reason.to_string(), "NamespaceNotAllowed", "{space}");
    }
}

#[test]
fn f72_a_name_that_is_too_long_is_refused() {
    let refusal = judged(&object(&"n".repeat(64), json!({})), &generous()).unwrap_err();
    assert_eq!(refusal.reason.to_string(), "InvalidSpec");
}
