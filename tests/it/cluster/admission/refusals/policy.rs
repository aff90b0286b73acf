//! What a tenant does not allow; and that it works as soon as it does.

use serde_json::{Value, json};

use crate::cluster::documented::obey;
use crate::support::test_namespace::TestNamespace;

/// A spec, why it is refused, the remedy, and the tenant that allows it.
struct Row {
    spec: Value,
    reason: &'static str,
    remedy: &'static str,
    allowing: Value,
}

fn rows(selector: &Value) -> Vec<(&'static str, Row)> {
    let namespaces = json!({ "namespaces": selector });
    let uri = "https://orders.example.com";
    let row = |spec, reason, remedy, allowing| Row {
        spec,
        reason,
        remedy,
        allowing,
    };
    vec![
        (
            "first-party",
            row(
                json!({ "firstParty": true, "redirectUris": ["https://app.example.com/cb"] }),
                "FirstPartyNotAllowed",
                "select the namespace in spec.firstParty.namespaces",
                json!({ "firstParty": namespaces }),
            ),
        ),
        (
            "custom-id",
            row(
                json!({ "clientId": "legacy-4711" }),
                "CustomClientIdNotAllowed",
                "select the namespace in spec.customClientIds.namespaces",
                json!({ "customClientIds": namespaces }),
            ),
        ),
        (
            "cluster-id",
            row(
                json!({ "clientId": "kubernetes" }),
                "ClientIdReserved",
                "to spec.customClientIds.reserved",
                json!({ "customClientIds": { "reserved": [{
                    "id": "kubernetes",
                    "namespace": selector["matchLabels"]["kubernetes.io/metadata.name"],
                }] } }),
            ),
        ),
        (
            "uri-id",
            row(
                json!({ "clientId": "https://legacy.example/app" }),
                "CustomClientIdNotAllowed",
                "set spec.customClientIds.uriCharacters",
                json!({ "customClientIds": { "namespaces": selector, "uriCharacters": true } }),
            ),
        ),
        (
            "bare-scheme",
            row(
                json!({ "redirectUris": ["vscode://publisher.extension/cb"] }),
                "RedirectSchemeNotAllowed",
                "ask the tenant's administrator to add it to spec.redirectSchemes",
                json!({ "redirectSchemes": [{ "schemes": ["vscode"], "namespaces": selector }] }),
            ),
        ),
        (
            "unknown-scope",
            row(
                json!({ "scopes": ["orders.read"] }),
                "ScopeNotFound",
                "ask the tenant's administrator to add it to spec.scopes",
                json!({ "scopes": [{ "name": "orders.read" }] }),
            ),
        ),
        (
            "every-scope",
            row(
                json!({ "scopes": ["*"] }),
                "ScopeNotFound",
                "has no scope \"*\"",
                json!({ "scopes": [{ "name": "*" }] }),
            ),
        ),
        (
            "unknown-audience",
            row(
                json!({ "audiences": [uri] }),
                "AudienceNotAllowed",
                "ask the tenant's administrator to add it to spec.audiences",
                json!({ "audiences": [{ "uri": uri }] }),
            ),
        ),
    ]
}

#[tokio::test]
async fn f57_k14_nothing_is_had_that_the_tenant_does_not_give() {
    let space = TestNamespace::new("policy").await;
    let tenant = space.tenant(json!({})).await;
    let selector = space.selector();
    for (name, row) in rows(&selector) {
        let mut spec = row.spec;
        spec["tenant"] = json!(tenant);
        space.create(name, spec).await;
        space.refused(name, row.reason, row.remedy).await;
        assert!(!space.has_secret(&format!("{name}-oauth")).await, "{name}");
        space.patch_tenant(&row.allowing).await;
        space.accepted(name).await;
    }
}

#[tokio::test]
async fn f57_what_a_tenant_gives_to_others_is_refused_too() {
    let space = TestNamespace::new("policy").await;
    let others = json!({ "matchLabels": { "kubernetes.io/metadata.name": "others" } });
    let uri = "https://orders.example.com";
    let tenant = space
        .tenant(json!({
            "firstParty": { "namespaces": others },
            "customClientIds": { "namespaces": others },
            "scopes": [{ "name": "orders.read", "namespaces": others }],
            "audiences": [{ "uri": uri, "namespaces": others }],
        }))
        .await;
    let table = [
        (
            "first-party",
            json!({ "firstParty": true, "tenant": tenant }),
            "FirstPartyNotAllowed",
            "remove firstParty",
        ),
        (
            "custom-id",
            json!({ "clientId": "legacy", "tenant": tenant }),
            "CustomClientIdNotAllowed",
            "recreate the OAuthClient without clientId",
        ),
        (
            "scope",
            json!({ "scopes": ["orders.read"], "tenant": tenant }),
            "ScopeNotAllowed",
            "remove it from scopes, or ask the tenant's administrator",
        ),
        (
            "audience",
            json!({ "audiences": [uri], "tenant": tenant }),
            "AudienceNotAllowed",
            "correct it, remove it, or ask the tenant's administrator",
        ),
    ];
    for (name, spec, reason, remedy) in table {
        space.create(name, spec).await;
        space.refused(name, reason, remedy).await;
    }
}

#[tokio::test]
async fn a_tenant_that_does_not_exist_yet_may_come_later() {
    let space = TestNamespace::new("policy").await;
    space.create("early", json!({ "tenant": space.name })).await;
    space
        .refused(
            "early",
            "TenantNotFound",
            "create it, or choose one of those that `kubectl get oauthtenants` lists",
        )
        .await;
    space.tenant(json!({})).await;
    let object = space.accepted("early").await;
    let issuer = format!("{}/t/{}", space.issuer, space.name);
    assert_eq!(object.status.unwrap().issuer.as_deref(), Some(&*issuer));
    let (code, body) = space.token("early-oauth").await;
    assert_eq!(code, 200, "{body}");
}

#[tokio::test]
async fn a_namespace_is_admitted_by_the_label_the_tenant_wants() {
    let space = TestNamespace::new("policy").await;
    let tenant = space
        .tenant(json!({ "namespaces": {
            "matchLabels": { "team": "orders" },
            "matchExpressions": [{ "key": "stage", "operator": "In", "values": ["test", "prod"] }],
        } }))
        .await;
    space.label("team", "orders").await;
    space.create("hello", json!({ "tenant": tenant })).await;
    let said = space.refused("hello", "NamespaceNotAllowed", "stage").await;
    assert!(!said.contains("team"), "only what fails is named: {said}");
    obey(&space, &said).await;
    space.accepted("hello").await;
    assert_eq!(space.token("hello-oauth").await.0, 200);

    space.label("team", "other").await;
    // An Event is repeated as it was, so only the condition names the other term.
    let said = space.wait_refused("hello", "NamespaceNotAllowed").await;
    assert!(said.contains("team=orders --overwrite"), "{said}");
    assert_eq!(space.token("hello-oauth").await.0, 401);
}

#[tokio::test]
async fn f43_a_namespace_of_the_cluster_itself_is_refused() {
    let space = TestNamespace::new("policy").await;
    let system = TestNamespace {
        name: "kube-system".into(),
        ..space
    };
    system.create("reserved", json!({})).await;
    system
        .refused(
            "reserved",
            "NamespaceReserved",
            "create the OAuthClient in another namespace",
        )
        .await;
    assert!(!system.has_secret("reserved-oauth").await);
    system.delete("reserved").await;
}

#[tokio::test]
async fn f56_redirects_go_only_where_the_tenant_lets_the_namespace() {
    let space = TestNamespace::new("policy").await;
    let others = json!({ "matchLabels": { "kubernetes.io/metadata.name": "others" } });
    let entry =
        |hosts: &[&str], namespaces: &Value| json!({ "hosts": hosts, "namespaces": namespaces });
    let own = entry(&["*.mine.example"], &space.selector());
    let theirs = entry(&["theirs.example"], &others);
    let tenant = space.tenant(json!({})).await;
    let spec = json!({ "tenant": tenant, "redirectUris": ["https://theirs.example/cb"], "grantTypes": ["authorization_code", "client_credentials"] });
    space.create("web", spec).await;
    space.accepted("web").await;
    assert_eq!(space.token("web-oauth").await.0, 200);

    space
        .patch_tenant(&json!({ "redirectHosts": [own, theirs] }))
        .await;
    let said = space
        .refused("web", "RedirectHostNotAllowed", "spec.redirectHosts")
        .await;
    assert!(said.contains("Allowed: *.mine.example"), "{said}");
    assert_eq!(
        space.token("web-oauth").await.0,
        401,
        "an edit of the tenant counts at once"
    );

    let moved = json!({ "spec": { "redirectUris": ["https://web.mine.example/cb", "http://127.0.0.1/cb"] } });
    space.patch("web", moved).await;
    space.accepted("web").await;
    assert_eq!(space.token("web-oauth").await.0, 200);
}
