//! A namespace whose manifests all reach for what another has. The rules about every field are a property
//! (src/operator/tests/tenancy.rs); this is what an API server and the operator make of some.

use std::collections::BTreeMap;

use clientele_api::{OAuthClient, OAuthUser};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cluster::credentials::brought::provide;
use crate::support::load::{Entries, ask};
use crate::support::test_namespace::{TestNamespace, entries, http};

const BROUGHT: &str = "of-a-0123456789abcdef0123456789abcdef";
const PASSWORD: &str = "correct horse of team a";
/// A's clients that have a secret which is written somewhere.
const WITH_SECRET: [&str; 3] = ["web", "legacy", "machine"];

/// A tenant that gives something to A alone, and lets both bring people and client IDs.
async fn tenant(a: &TestNamespace) -> String {
    let of_a = a.selector();
    a.tenant(json!({
        "users": { "namespaces": {} },
        "customClientIds": { "namespaces": {} },
        "firstParty": { "namespaces": of_a },
        "redirectHosts": [{ "hosts": ["a.example"], "namespaces": of_a }],
        "scopes": [{ "name": "of.a", "namespaces": of_a }],
        "audiences": [{ "uri": "https://api.a.example", "namespaces": of_a }],
    }))
    .await
}

async fn settle(a: &TestNamespace, tenant: &str) {
    provide(a, BROUGHT).await;
    let web = json!({
        "redirectUris": ["https://a.example/cb"], "grantTypes": ["authorization_code", "client_credentials"],
        "firstParty": true, "scopes": ["openid", "of.a"], "audiences": ["https://api.a.example"],
    });
    for (name, mut spec) in [
        ("web", web),
        ("legacy", json!({ "clientId": "legacy" })),
        ("machine", json!({ "rotation": { "every": "720h" } })),
        ("brought", json!({ "secretRef": { "name": "mine" } })),
        (
            "pod",
            json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": "pod" }] }),
        ),
    ] {
        spec["tenant"] = json!(tenant);
        a.ready(name, spec).await;
    }
    a.write_password("anna", PASSWORD).await;
    let password = json!({ "name": "anna" });
    let anna = json!({ "tenant": tenant, "username": "anna", "subject": "b7e0c1d2", "passwordSecretRef": password });
    a.create_user("anna", anna).await;
    a.enrolled("anna").await;
}

/// What B writes about clients, and what becomes of it.
fn clients() -> Vec<(&'static str, Value, &'static str)> {
    let reading = json!({ "all": "{{ clientId }} {{ clientSecret }} {{ cookieSecret }} {{ namespace }} {{ name }} {{ scopes }} {{ audiences }}" });
    let marked = json!({ "reloader.stakater.com/match": "true" });
    vec![
        (
            "web",
            json!({ "secret": { "name": "web-oauth", "annotations": marked } }),
            "",
        ),
        (
            "machine",
            json!({ "secret": { "template": reading }, "rotation": { "requestId": "now" } }),
            "",
        ),
        (
            "other",
            json!({ "secret": { "name": "mine", "format": "OAuth2Proxy" } }),
            "",
        ),
        (
            "pod",
            json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": "pod" }] }),
            "",
        ),
        (
            "legacy",
            json!({ "clientId": "legacy" }),
            "ClientIdConflict",
        ),
        (
            "person",
            json!({ "clientId": "b7e0c1d2" }),
            "ClientIdConflict",
        ),
        (
            "brought",
            json!({ "secretRef": { "name": "anna" } }),
            "SecretNotFound",
        ),
        (
            "asks",
            json!({ "audiences": ["https://api.a.example"] }),
            "AudienceNotAllowed",
        ),
        ("scoped", json!({ "scopes": ["of.a"] }), "ScopeNotAllowed"),
        (
            "first",
            json!({ "firstParty": true }),
            "FirstPartyNotAllowed",
        ),
        (
            "returns",
            json!({ "redirectUris": ["https://a.example/cb"] }),
            "RedirectHostNotAllowed",
        ),
        (
            "scripts",
            json!({ "allowedOrigins": ["https://a.example"] }),
            "RedirectHostNotAllowed",
        ),
    ]
}

/// And about people. B has no Secret with a password.
fn users() -> [(&'static str, Value, &'static str); 3] {
    let password = json!({ "name": "anna" });
    [
        ("anna", json!({ "username": "anna" }), "UsernameConflict"),
        (
            "subject",
            json!({ "username": "bert", "subject": "b7e0c1d2" }),
            "SubjectConflict",
        ),
        (
            "password",
            json!({ "username": "carl", "passwordSecretRef": password }),
            "PasswordSecretNotFound",
        ),
    ]
}

async fn attack(b: &TestNamespace, tenant: &str) {
    for (name, mut spec, reason) in clients() {
        spec["tenant"] = json!(tenant);
        b.create(name, spec).await;
        match reason {
            "" => drop(b.wait_ready(name).await),
            reason => drop(b.wait_refused(name, reason).await),
        }
    }
    for (name, mut spec, reason) in users() {
        spec["tenant"] = json!(tenant);
        b.create_user(name, spec).await;
        b.not_enrolled(name, reason).await;
    }
}

/// Everything of a kind in a namespace, as the API server has it.
async fn all<K>(space: &TestNamespace) -> Vec<Value>
where
    K: Clone + std::fmt::Debug + Serialize + DeserializeOwned,
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
{
    let api: Api<K> = Api::namespaced(space.kube.clone(), &space.name);
    let all = api.list(&ListParams::default()).await.unwrap();
    all.iter()
        .map(|object| serde_json::to_value(object).unwrap())
        .collect()
}

async fn everything(space: &TestNamespace) -> Vec<Value> {
    [
        all::<OAuthClient>(space).await,
        all::<OAuthUser>(space).await,
        all::<Secret>(space).await,
    ]
    .concat()
}

/// What proves A's clients, by name.
async fn credentials(space: &TestNamespace, names: &[&str]) -> BTreeMap<String, Entries> {
    let mut credentials = BTreeMap::new();
    for name in names {
        credentials.insert(
            (*name).to_owned(),
            space.entries(&format!("{name}-oauth")).await,
        );
    }
    credentials
}

#[tokio::test]
async fn f57_f61_a_hostile_namespace_changes_and_learns_nothing() {
    let (a, b) = (
        TestNamespace::new("victim").await,
        TestNamespace::new("hostile").await,
    );
    let tenant = tenant(&a).await;
    settle(&a, &tenant).await;
    let of_a = credentials(&a, &WITH_SECRET).await;
    let before = everything(&a).await;

    attack(&b, &tenant).await;
    // The operator has turned to A after all of it.
    a.ready("later", json!({ "tenant": tenant })).await;
    a.delete("later").await;
    let is_of_later = |object: &Value| object["metadata"]["name"] == "later-oauth";
    let mut after = everything(&a).await;
    after.retain(|object| !is_of_later(object));
    assert_eq!(after, before);

    let mut known = vec![BROUGHT.to_owned(), PASSWORD.to_owned()];
    for (name, entries) in &of_a {
        known.push(entries["CLIENT_SECRET"].clone());
        let token = ask(&http(), entries)
            .await
            .unwrap_or_else(|said| panic!("{name}: {said}"));
        known.push(token);
    }
    let uids = before
        .iter()
        .map(|object| object["metadata"]["uid"].as_str().unwrap().to_owned());
    known.extend(uids);
    let events = all::<Event>(&b).await;
    for object in [everything(&b).await, events].concat() {
        let text = plain(&object);
        let leak = known.iter().find(|of_a| text.contains(*of_a));
        assert_eq!(leak, None, "{text}");
    }
    nobody_is_taken_for_another(&of_a, &credentials(&b, &["web", "machine"]).await).await;
}

/// The object as text, with what is in base64 decoded.
fn plain(object: &Value) -> String {
    let secret = (object["kind"] == "Secret").then(|| serde_json::from_value(object.clone()));
    let decoded = secret.map(|secret| entries(&secret.unwrap()));
    format!("{object} {decoded:?}")
}

async fn nobody_is_taken_for_another(
    of_a: &BTreeMap<String, Entries>,
    of_b: &BTreeMap<String, Entries>,
) {
    let mixed = |id: &Entries, secret: &Entries| {
        let mut mixed = id.clone();
        mixed.insert("CLIENT_SECRET".into(), secret["CLIENT_SECRET"].clone());
        mixed
    };
    for (theirs, own) in of_b
        .values()
        .flat_map(|b| of_a.values().map(move |a| (a, b)))
    {
        for pair in [mixed(theirs, own), mixed(own, theirs)] {
            let said = ask(&http(), &pair).await.unwrap_err();
            assert!(said.starts_with("401 "), "{said}");
        }
        ask(&http(), own).await.unwrap();
    }
}
