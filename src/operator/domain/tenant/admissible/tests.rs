use serde_json::{Value, json};

use super::*;

fn read(spec: Value) -> (OAuthTenantSpec, Vec<String>) {
    let object = OAuthTenant::new("orders", serde_json::from_value(spec).unwrap());
    let (tenant, problems) = admissible(&object);
    (tenant.spec, problems)
}

#[test]
fn f72_a_tenant_as_admission_takes_it_is_left_as_it_is() {
    let spec = json!({
        "displayName": "Orders",
        "namespaces": { "matchExpressions": [{ "key": "team", "operator": "In", "values": ["a"] }] },
        "customClientIds": { "namespaces": {}, "reserved": [{ "id": "kubernetes", "namespace": "kube-login" }] },
        "redirectHosts": [{ "hosts": ["*.example.com"] }],
        "redirectSchemes": [{ "schemes": ["vscode"], "namespaces": {} }],
        "users": { "limits": [{ "emailDomains": ["example.com"], "groups": ["team-a-*"] }] },
        "scopes": [{ "name": "orders.read", "claims": ["department"] }],
        "audiences": [{ "uri": "https://orders.example", "claims": [{ "name": "roles", "from": "groups" }] }],
        "session": { "idle": "1h", "absolute": "8h" },
        "signing": { "algorithms": ["EdDSA", "ES256"], "rotateEvery": "720h" },
        "secrets": { "allowedKeys": ["example.com/*"] },
    });
    let (left, problems) = read(spec.clone());
    assert_eq!(problems, [""; 0]);
    assert_eq!(left, serde_json::from_value(spec).unwrap());
}

#[test]
fn f72_n03_an_entry_that_breaks_a_rule_is_left_out() {
    for (spec, left, problem) in [
        (
            json!({ "redirectHosts": [{ "hosts": ["*", "a.example"] }] }),
            json!({ "redirectHosts": [{ "hosts": ["a.example"] }] }),
            "redirectHosts[0].hosts[0]: \"*\" must be a host",
        ),
        (
            json!({ "redirectHosts": [{ "hosts": ["*.com"] }] }),
            json!({ "redirectHosts": [{ "hosts": [] }] }),
            "redirectHosts[0].hosts[0]",
        ),
        (
            json!({ "redirectSchemes": [{ "schemes": ["javascript"], "namespaces": {} }] }),
            json!({ "redirectSchemes": [{ "schemes": [], "namespaces": {} }] }),
            "redirectSchemes[0].schemes[0]",
        ),
        (
            json!({ "users": { "limits": [{ "groups": ["a*b"] }] } }),
            json!({ "users": { "limits": [{ "groups": [] }] } }),
            "users.limits[0].groups[0]",
        ),
        (
            json!({ "users": { "limits": [{}] } }),
            json!({ "users": { "limits": [{ "emailDomains": [], "groups": [] }] } }),
            "users.limits[0]: limits nothing",
        ),
        (
            json!({ "secrets": { "allowedKeys": ["*"] } }),
            json!({ "secrets": { "allowedKeys": [] } }),
            "secrets.allowedKeys[0]",
        ),
        (
            json!({ "scopes": [{ "name": "openid" }, { "name": "a" }, { "name": "a" }] }),
            json!({ "scopes": [{ "name": "a" }] }),
            "scopes[2]: occurs twice",
        ),
        (
            json!({ "scopes": [{ "name": "a", "claims": ["sub"] }] }),
            json!({ "scopes": [{ "name": "a" }] }),
            "scopes[0].claims[0]: \"sub\" is a claim of the protocol",
        ),
        (
            json!({ "audiences": [{ "uri": "https://kubernetes.default.svc" }] }),
            json!({}),
            "audiences[0].uri",
        ),
        (
            json!({ "audiences": [{ "uri": "urn:a", "claims": [{ "name": "sub", "value": "root" }] }] }),
            json!({ "audiences": [{ "uri": "urn:a" }] }),
            "audiences[0].claims[0].name",
        ),
        (
            json!({ "customClientIds": { "reserved": [{ "id": "a b", "namespace": "x" }] } }),
            json!({ "customClientIds": {} }),
            "customClientIds.reserved[0].id",
        ),
        (
            json!({ "session": { "idle": "9000h" } }),
            json!({ "session": {} }),
            "session.idle: must be a duration",
        ),
        (
            json!({ "signing": { "rotateEvery": "1s" } }),
            json!({}),
            "signing.rotateEvery",
        ),
        (
            json!({ "displayName": "a\u{202e}b", "branding": { "color": "red" } }),
            json!({ "branding": {} }),
            "displayName",
        ),
    ] {
        let (seen, problems) = read(spec.clone());
        assert_eq!(seen, serde_json::from_value(left).unwrap(), "{spec}");
        let named = problems.iter().any(|seen| seen.contains(problem));
        assert!(named, "{spec}: {problems:?}");
    }
}

#[test]
fn f72_a_selector_that_cannot_be_read_selects_nobody() {
    for (expression, good) in [
        (
            json!({ "key": "a", "operator": "In", "values": ["b"] }),
            true,
        ),
        (json!({ "key": "a", "operator": "Exists" }), true),
        (json!({ "key": "a", "operator": "Near" }), false),
        (json!({ "key": "", "operator": "Exists" }), false),
        (json!({ "operator": "Exists" }), false),
        (
            json!({ "key": "a", "operator": "NotIn", "values": [] }),
            false,
        ),
        (json!({ "key": "a", "operator": "NotIn" }), false),
        (
            json!({ "key": "a", "operator": "Exists", "values": ["b"] }),
            false,
        ),
    ] {
        let selector = json!({ "matchExpressions": [expression] });
        for (spec, field) in [
            (json!({ "namespaces": selector }), "namespaces"),
            (
                json!({ "users": { "namespaces": selector } }),
                "users.namespaces",
            ),
            (
                json!({ "firstParty": { "namespaces": selector } }),
                "firstParty.namespaces",
            ),
            (
                json!({ "scopes": [{ "name": "a", "namespaces": selector }] }),
                "scopes[0].namespaces",
            ),
        ] {
            let (_, problems) = read(spec);
            assert_eq!(problems.is_empty(), good, "{expression}: {problems:?}");
            assert!(problems.iter().all(|problem| problem.starts_with(field)));
        }
    }
}

#[test]
fn k04_the_name_is_part_of_the_issuer() {
    let long = "n".repeat(41);
    for bad in ["", "a.b", "A", "-a", "a-", "a_b", &long] {
        assert!(name(bad).is_err(), "{bad}");
    }
    for good in ["a", "0", "orders-2", &long[..40]] {
        assert!(name(good).is_ok(), "{good}");
    }
}

#[test]
fn the_condition_names_some_problems_and_the_manifest_first() {
    let problems: Vec<String> = (0..12).map(|n| format!("p{n}: bad")).collect();
    let refusal = verdict(&problems, &["a1".to_owned()]).unwrap_err();
    assert_eq!(refusal.reason, Reason::InvalidSpec);
    assert!(
        refusal
            .message
            .ends_with("p9: bad; and 2 more; everything else is served")
    );
    let refusal = verdict(&[], &["a1".to_owned()]).unwrap_err();
    assert_eq!(refusal.reason, Reason::AudienceConflict);
    assert_eq!(verdict(&[], &[]), Ok(()));
}
