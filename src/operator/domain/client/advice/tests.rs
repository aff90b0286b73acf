use serde_json::{Value, json};

use super::advice;
use crate::domain::reason::Reason;
use crate::tests::{generous, judged, object};

/// Reason and field of each advice; the client is registered all the same.
fn advised(spec: Value) -> Vec<(Reason, String)> {
    let object = object("web", spec);
    let accepted = judged(&object, &generous());
    assert!(accepted.is_ok(), "{accepted:?}");
    let found = advice(&object).into_iter().map(|advice| {
        let field = advice.message.split(':').next().unwrap_or_default();
        (advice.reason, field.to_owned())
    });
    found.collect()
}

fn key(kid: Option<&str>) -> Value {
    let mut key = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    if let Some(kid) = kid {
        key["kid"] = json!(kid);
    }
    key
}

#[test]
fn an_ordinary_client_needs_no_advice() {
    for spec in [
        json!({}),
        json!({ "scopes": ["orders.read"] }),
        json!({ "redirectUris": ["https://app.example/cb"], "scopes": ["openid", "offline_access"] }),
        json!({ "redirectUris": ["http://127.0.0.1:80/cb"] }),
        json!({ "type": "Public", "redirectUris": ["http://localhost:80/cb"] }),
        json!({ "redirectUris": ["https://app.example/cb"], "grantTypes": ["authorization_code", "client_credentials"] }),
        json!({ "jwks": { "keys": [key(Some("a")), key(Some("b")), key(None), key(None)] } }),
    ] {
        let said = advised(spec.clone());
        assert!(said.is_empty(), "{spec}: {said:?}");
    }
}

#[test]
fn a_key_id_that_two_keys_have_is_named() {
    let keys = [key(Some("a")), key(Some("b")), key(Some("a"))];
    assert_eq!(
        advised(json!({ "jwks": { "keys": keys } })),
        [(Reason::KeyIdRepeated, "spec.jwks.keys[2]".to_owned())]
    );
}

#[test]
fn an_address_that_browsers_write_otherwise_is_named() {
    let reason = Reason::RedirectUriNotNormal;
    let spec = json!({
        "redirectUris": ["https://app.example/cb", "https://APP.example/cb", "https://app.example/x/../cb"],
        "postLogoutRedirectUris": ["https://app.example:443/"],
    });
    let fields = [
        "redirectUris[1]",
        "redirectUris[2]",
        "postLogoutRedirectUris[0]",
    ];
    let expected = fields.map(|field| (reason, format!("spec.{field}")));
    assert_eq!(advised(spec.clone()), expected);
    let said = advice(&object("web", spec));
    assert!(said[1].message.contains("write \"https://app.example/cb\""));
    let confidential = json!({ "redirectUris": ["http://localhost:80/cb"] });
    assert_eq!(
        advised(confidential),
        [(reason, "spec.redirectUris[0]".to_owned())]
    );
}

#[test]
fn what_a_client_without_the_grant_cannot_use_is_named() {
    let uris = ["https://app.example/cb"];
    for (spec, fields) in [
        (
            json!({ "scopes": ["openid", "orders.read"] }),
            &["spec.scopes"][..],
        ),
        (
            json!({ "grantTypes": ["client_credentials"], "redirectUris": uris, "scopes": ["offline_access"] }),
            &["spec.scopes", "spec"],
        ),
        (json!({ "requirePkce": true }), &["spec"]),
        (json!({ "allowedGroups": ["staff"] }), &["spec"]),
        (
            json!({ "grantTypes": ["authorization_code"], "redirectUris": uris, "scopes": ["offline_access"] }),
            &["spec.scopes"],
        ),
    ] {
        let expected: Vec<(Reason, String)> = fields
            .iter()
            .map(|field| (Reason::NoEffect, (*field).to_owned()))
            .collect();
        assert_eq!(advised(spec.clone()), expected, "{spec}");
    }
    let said = advice(&object(
        "web",
        json!({ "scopes": ["openid", "orders.read", "email"] }),
    ));
    assert!(said[0].message.contains("openid, email have"), "{said:?}");
}
