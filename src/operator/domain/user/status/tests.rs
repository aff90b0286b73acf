use std::time::Duration;

use clientele_oauth::client::{IdTokenClaims, Lifetimes, PkceRule};
use clientele_oauth::{Algorithm, Client};
use serde_json::{Value, json};

use crate::domain::reason::Refusal;
use crate::tests::{generous, judged, object, tenant};

const URI: &str = "https://app.example/cb";

fn registered(spec: Value) -> Result<Client, Refusal> {
    judged(&object("web", spec), &generous())
}

#[test]
fn a_client_for_people_has_safe_defaults() {
    let client = registered(json!({ "redirectUris": [URI] })).unwrap();
    assert_eq!(*client.redirect_uris, [URI.into()]);
    assert_eq!(client.pkce, PkceRule::UnlessNonce);
    assert_eq!(client.id_token_algorithm, Algorithm::Rs256);
    assert_eq!(client.id_token_claims, IdTokenClaims::All);
    assert_eq!(client.allowed_groups, None, "everybody of the tenant");
    assert!(client.post_logout_redirect_uris.is_empty() && client.allowed_origins.is_empty());
    assert_eq!(
        *client.lifetimes,
        Lifetimes {
            access_token: Duration::from_mins(5),
            ..Lifetimes::DEFAULT
        },
        "the tenant's default for access tokens"
    );
}

#[test]
fn what_a_client_says_about_signing_in_is_registered() {
    let client = registered(json!({
        "redirectUris": [URI],
        "postLogoutRedirectUris": ["https://app.example/bye"],
        "allowedOrigins": ["https://app.example", "http://localhost:3000"],
        "requirePkce": false,
        "idTokenSignedResponseAlg": "EdDSA",
        "idTokenClaims": "Requested",
        "allowedGroups": ["staff", "team-a:admins"],
        "lifetimes": { "authorizationCode": "30s", "refreshToken": "12h" },
        "scopes": ["openid", "groups"],
    }))
    .unwrap();
    assert_eq!(
        *client.post_logout_redirect_uris,
        ["https://app.example/bye".into()]
    );
    assert_eq!(client.allowed_origins.len(), 2);
    assert_eq!(client.pkce, PkceRule::Optional);
    assert_eq!(client.id_token_algorithm, Algorithm::EdDsa);
    assert_eq!(client.id_token_claims, IdTokenClaims::Requested);
    let groups = client.allowed_groups.unwrap();
    assert_eq!(*groups, ["staff".into(), "team-a:admins".into()]);
    assert_eq!(client.lifetimes.authorization_code, Duration::from_secs(30));
    assert_eq!(client.lifetimes.refresh_token, Duration::from_hours(12));
    assert_eq!(
        client.lifetimes.refresh_token_idle,
        Duration::from_hours(12)
    );
}

/// An object that was stored before the rules existed, or past them, is judged all the same.
#[test]
fn f72_what_admission_would_have_refused_about_signing_in_is_refused_here_too() {
    for spec in [
        json!({ "redirectUris": [URI], "postLogoutRedirectUris": ["http://evil.example"] }),
        json!({ "redirectUris": [URI], "postLogoutRedirectUris": ["javascript:alert(1)"] }),
        json!({ "redirectUris": [URI], "allowedOrigins": ["*"] }),
        json!({ "redirectUris": [URI], "allowedOrigins": ["null"] }),
        json!({ "redirectUris": [URI], "allowedOrigins": ["https://app.example/"] }),
        json!({ "redirectUris": [URI], "allowedOrigins": ["http://app.example"] }),
        json!({ "redirectUris": [URI], "allowedGroups": ["system:masters"] }),
        json!({ "redirectUris": [URI], "allowedGroups": [] }),
        json!({ "redirectUris": [URI], "type": "Public", "requirePkce": false }),
        json!({ "grantTypes": ["authorization_code"] }),
        json!({ "redirectUris": [URI], "grantTypes": ["refresh_token"] }),
    ] {
        let refusal = registered(spec.clone()).unwrap_err();
        assert_eq!(refusal.reason.as_str(), "InvalidSpec", "{spec}");
    }
}

#[test]
fn b09_a_tenant_makes_the_pkce_rule_of_a_client_stricter() {
    let under = |tenant_spec: Value, spec: Value| {
        let mut spec = spec;
        spec["redirectUris"] = json!([URI]);
        judged(&object("web", spec), &tenant(tenant_spec)).map(|client| client.pkce)
    };
    for (spec, by_client) in [
        (json!({}), PkceRule::UnlessNonce),
        (json!({ "requirePkce": true }), PkceRule::Required),
        (json!({ "requirePkce": false }), PkceRule::Optional),
        (json!({ "type": "Public" }), PkceRule::UnlessNonce),
    ] {
        for tenant_spec in [json!({}), json!({ "pkce": "ByClient" })] {
            assert_eq!(under(tenant_spec, spec.clone()), Ok(by_client), "{spec}");
        }
        let strict = json!({ "pkce": "Required" });
        assert_eq!(
            under(strict, spec.clone()),
            Ok(PkceRule::RequiredByTenant),
            "{spec}"
        );
    }
}

#[test]
fn id_tokens_are_signed_by_a_published_algorithm() {
    use Algorithm::{EdDsa, Es256, Rs256};
    let judged = |algorithms: Value, named: Option<&str>| {
        let tenant =
            tenant(json!({ "signing": { "algorithm": algorithms[0], "algorithms": algorithms } }));
        let mut spec = json!({ "redirectUris": [URI] });
        if let Some(named) = named {
            spec["idTokenSignedResponseAlg"] = named.into();
        }
        let client = judged(&object("web", spec), &tenant);
        client.map(|client| client.id_token_algorithm)
    };
    for (algorithms, named, expected) in [
        (json!(["RS256", "ES256"]), None, Rs256),
        (json!(["ES256", "RS256"]), None, Es256),
        (json!(["EdDSA"]), None, EdDsa),
        (json!(["ES256", "RS256"]), Some("RS256"), Rs256),
    ] {
        assert_eq!(
            judged(algorithms.clone(), named),
            Ok(expected),
            "{algorithms}"
        );
    }
    let refusal = judged(json!(["ES256", "EdDSA"]), Some("RS256")).unwrap_err();
    assert_eq!(refusal.reason.as_str(), "AlgorithmNotPublished");
    for word in ["RS256", "ES256, EdDSA", "spec.signing.algorithms"] {
        assert!(refusal.message.contains(word), "{}", refusal.message);
    }
}
