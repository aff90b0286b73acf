use std::time::Duration;

use clientele_oauth::tenant::{Branding, SessionLifetimes};
use clientele_oauth::{AccessTokenType, Algorithm};
use serde_json::json;

use crate::domain::tenant::policy::TenantPolicy;
use crate::tests::{namespace, tenant};

#[test]
fn a_tenant_that_says_nothing_has_no_people_and_safe_defaults() {
    let policy = tenant(json!({}));
    assert!(!policy.users.contains(&namespace("team-a")));
    assert_eq!(policy.session, SessionLifetimes::DEFAULT);
    assert_eq!(policy.branding, Branding::default());
    assert_eq!(policy.access_token_algorithm, Algorithm::Es256);
    assert!(
        !tenant(json!({ "users": {} }))
            .users
            .contains(&namespace("team-a"))
    );
}

#[test]
fn a_selector_that_cannot_be_parsed_selects_nobody() {
    let bad = json!({ "users": { "namespaces": { "matchExpressions": [{ "key": "a", "operator": "Near" }] } } });
    assert!(!tenant(bad).users.contains(&namespace("team-a")));
    let all = json!({ "users": { "namespaces": {} } });
    assert!(tenant(all).users.contains(&namespace("team-a")));
}

#[test]
fn a_session_is_never_idle_for_longer_than_it_lasts() {
    let policy = tenant(json!({ "session": { "absolute": "1h" } }));
    assert_eq!(policy.session.idle, Duration::from_hours(1));
    let policy = tenant(json!({ "session": { "idle": "5m" } }));
    assert_eq!(policy.session.idle, Duration::from_mins(5));
    assert_eq!(policy.session.absolute, SessionLifetimes::DEFAULT.absolute);
}

#[test]
fn what_stands_in_pages_is_looked_at_again() {
    let branding = |logo: &str, color: &str| {
        tenant(json!({ "displayName": "Orders", "branding": { "logo": logo, "color": color } }))
            .branding
    };
    let good = branding("data:image/png;base64,iVBORw0KGgo=", "#1A73e8");
    assert_eq!(&*good.name, "Orders");
    assert!(good.logo.is_some() && good.color.is_some());
    for logo in [
        "https://evil.example/logo.png",
        "data:text/html;base64,PHNjcmlwdD4=",
        "data:image/png;base64,\" onerror=",
        "data:image/gif;base64,R0lGODlh",
        "javascript:alert(1)",
        &format!("data:image/png;base64,{}", "A".repeat(40_000)),
    ] {
        assert_eq!(branding(logo, "#000000").logo, None, "{logo}");
    }
    for color in ["red", "#fff", "#1a73e8;}", "#12345g", "123456"] {
        assert_eq!(branding("", color).color, None, "{color}");
    }
}

#[test]
fn scopes_and_audiences_say_what_pages_and_tokens_need() {
    let policy = tenant(json!({
        "scopes": [{ "name": "orders.read", "description": "Read your orders", "claims": ["department"] }],
        "audiences": [{ "uri": "https://orders.example", "introspectors": ["team-a.api"] }],
    }));
    let scope = &policy.scopes["orders.read"].scope;
    assert_eq!(scope.description.as_deref(), Some("Read your orders"));
    assert_eq!(*scope.claims, ["department".into()]);
    let audience = &policy.audiences.known["https://orders.example"];
    assert_eq!(*audience.introspectors, ["team-a.api".into()]);
}

#[test]
fn an_audience_inherits_the_typ_of_its_tenant() {
    let [at_jwt, jwt] = AccessTokenType::ALL;
    let types = |of_tenant: Option<&str>| {
        let mut spec = json!({ "audiences": [
            { "uri": "https://none.example" },
            { "uri": "https://at.example", "accessTokens": { "type": "at+jwt" } },
            { "uri": "https://jwt.example", "accessTokens": { "type": "JWT" } },
        ]});
        if let Some(typ) = of_tenant {
            spec["accessTokens"] = json!({ "type": typ });
        }
        let policy = tenant(spec);
        let of = |uri: &str| policy.audiences.known[uri].access_token_type;
        let audiences = [
            of("https://none.example"),
            of("https://at.example"),
            of("https://jwt.example"),
        ];
        (policy.access_token_type, audiences)
    };
    assert_eq!(types(None), (at_jwt, [at_jwt, at_jwt, jwt]));
    assert_eq!(types(Some("at+jwt")), (at_jwt, [at_jwt, at_jwt, jwt]));
    assert_eq!(types(Some("JWT")), (jwt, [jwt, at_jwt, jwt]));
}

#[test]
fn what_signs_access_tokens_is_published() {
    use Algorithm::{EdDsa, Es256, Rs256};
    for (signing, published, access_tokens) in [
        (json!({}), &[Rs256, Es256, EdDsa][..], Es256),
        (
            json!({ "algorithm": "EdDSA" }),
            &[Rs256, Es256, EdDsa],
            EdDsa,
        ),
        (
            json!({ "algorithms": ["ES256", "RS256"] }),
            &[Es256, Rs256],
            Es256,
        ),
        (
            json!({ "algorithm": "RS256", "algorithms": ["RS256"] }),
            &[Rs256],
            Rs256,
        ),
        // Past admission.
        (json!({ "algorithms": ["RS256"] }), &[Rs256, Es256], Es256),
        (json!({ "algorithms": ["ES256", "ES256"] }), &[Es256], Es256),
    ] {
        let policy = tenant(json!({ "signing": signing }));
        assert_eq!(*policy.published_algorithms, *published, "{signing}");
        assert_eq!(policy.access_token_algorithm, access_tokens, "{signing}");
    }
}

fn declaring(uris: &[&str]) -> TenantPolicy {
    let audiences: Vec<_> = uris.iter().map(|uri| json!({ "uri": uri })).collect();
    tenant(json!({ "audiences": audiences }))
}

#[test]
fn two_spellings_of_an_audience_are_one_the_second_is_refused() {
    let policy = declaring(&[
        "https://orders.example",
        "https://Orders.example:443/",
        "https://orders.example/v1",
        "https://orders.example/v1/",
    ]);
    assert_eq!(policy.audiences.known.len(), 3);
    let [refused] = &policy.audiences.refused[..] else {
        panic!("{:?}", policy.audiences.refused);
    };
    assert!(refused.starts_with("spec.audiences[1].uri"), "{refused}");
    assert!(refused.contains("\"https://orders.example\"; remove"));
    for (asked, declared) in [
        ("https://orders.example", Some("https://orders.example")),
        ("HTTPS://ORDERS.example/", Some("https://orders.example")),
        (
            "https://orders.example/v1",
            Some("https://orders.example/v1"),
        ),
        (
            "https://orders.example/v1/",
            Some("https://orders.example/v1/"),
        ),
        ("https://orders.example/v2", None),
    ] {
        let found = policy.audiences.get(asked).map(|(uri, _)| &**uri);
        assert_eq!(found, declared, "{asked}");
    }
}

#[test]
fn an_audience_is_no_issuer_but_its_own_and_no_reserved_name() {
    for (uri, taken) in [
        ("https://id.example", false),
        ("https://id.example/t", false),
        ("https://id.example/t/other", true),
        ("https://ID.example:443/t/%6fther", true),
        ("https://id.example/t/other/api", false),
        ("usr:AAAA", true),
        ("system:serviceaccount:a:b", true),
        ("urn:example:orders", false),
    ] {
        let policy = declaring(&[uri]);
        let refused = [policy.problems, policy.audiences.refused].concat();
        assert_eq!(!refused.is_empty(), taken, "{uri}: {refused:?}");
    }
}
