use serde_json::{Value, json};

use crate::domain::reason::Reason;
use crate::domain::tenant::policy::TenantPolicy;
use crate::tests::{judged, object, tenant};

fn limited() -> TenantPolicy {
    let of = |space: &str| json!({ "matchLabels": { "kubernetes.io/metadata.name": space } });
    tenant(json!({ "redirectHosts": [
        { "hosts": ["*.a.example"], "namespaces": of("team-a") },
        { "hosts": ["b.example"], "namespaces": of("team-b") },
        { "hosts": ["shared.example"] },
    ] }))
}

/// The message of the refusal, if it is refused.
fn refused(policy: &TenantPolicy, space: &str, spec: Value) -> Option<String> {
    let mut object = object("web", spec);
    object.metadata.namespace = Some(space.to_owned());
    let refusal = judged(&object, policy).err()?;
    assert_eq!(refusal.reason, Reason::RedirectHostNotAllowed);
    Some(refusal.message)
}

fn returning(to: &str) -> Value {
    json!({ "redirectUris": [to] })
}

#[test]
fn f56_a_namespace_returns_to_its_own_hosts_and_to_those_of_everybody() {
    let policy = limited();
    for (space, uri, allowed) in [
        ("team-a", "https://web.a.example/cb", true),
        ("team-a", "https://web.a.example:8443/cb", true),
        ("team-a", "https://a.example/cb", false),
        ("team-a", "https://b.example/cb", false),
        ("team-a", "https://shared.example/cb", true),
        ("team-b", "https://b.example/cb", true),
        ("team-b", "https://web.a.example/cb", false),
        ("team-c", "https://web.a.example/cb", false),
        ("team-c", "https://shared.example/cb", true),
        ("team-c", "http://127.0.0.1/cb", true),
        ("team-c", "http://localhost:3000/cb", true),
        ("team-c", "com.example.app:/cb", true),
    ] {
        let said = refused(&policy, space, returning(uri));
        assert_eq!(said.is_none(), allowed, "{space} {uri}: {said:?}");
    }
}

#[test]
fn f56_every_way_back_is_limited() {
    let fine = "https://web.a.example/cb";
    for (field, spec) in [
        (
            "redirectUris",
            json!({ "redirectUris": [fine, "https://evil.example/cb"] }),
        ),
        (
            "postLogoutRedirectUris",
            json!({ "redirectUris": [fine], "postLogoutRedirectUris": ["https://evil.example/"] }),
        ),
        (
            "allowedOrigins",
            json!({ "redirectUris": [fine], "allowedOrigins": ["https://evil.example"] }),
        ),
    ] {
        let said = refused(&limited(), "team-a", spec).unwrap();
        for part in [
            "evil.example",
            field,
            "spec.redirectHosts",
            "*.a.example, shared.example",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn without_entries_there_is_no_limit_and_a_selector_that_fits_nobody_allows_nothing() {
    let anywhere = returning("https://anywhere.example/cb");
    assert_eq!(
        refused(&tenant(json!({})), "team-a", anywhere.clone()),
        None
    );
    let none = json!({ "redirectHosts": [{ "hosts": ["anywhere.example"], "namespaces": { "matchLabels": { "x": "y" } } }] });
    let said = refused(&tenant(none), "team-a", anywhere).unwrap();
    assert!(said.contains("Allowed: no host"), "{said}");
    assert_eq!(
        refused(&limited(), "team-c", json!({})),
        None,
        "a machine returns nowhere"
    );
}
