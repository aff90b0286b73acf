//! Two namespaces: whatever B writes, A's clients and Secrets are what they are without it, and nothing of A's is B's.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{keyring, namespace, object, tenant};
use crate::api::OAuthClient;
use crate::api::secret_template::PLACEHOLDERS;
use crate::controller::access::Access;
use crate::controller::brought_index::BroughtIndex;
use crate::controller::claims::{Claim, Claims};
use crate::controller::credentials_secret::Desired;
use crate::controller::facts::{Digests, Facts};
use crate::controller::plan::{Plan, SecretStep, Situation, plan};
use crate::controller::policy::TenantPolicy;
use crate::controller::reason::Refusal;
use crate::controller::register::{Surroundings, register};
use crate::oauth::credentials::{Credentials, authenticate};
use crate::oauth::{Client, Keyring, Tenant};

const ISSUER: &str = "https://id.example";
const BROUGHT_BY_A: &str = "of-a-0123456789abcdef0123456789abcdef";
const BROUGHT_BY_B: &str = "of-b-0123456789abcdef0123456789abcdef";

/// What the platform gives to A alone, and what both have.
fn policy() -> TenantPolicy {
    let a = json!({ "matchLabels": { "kubernetes.io/metadata.name": "team-a" } });
    let b = json!({ "matchLabels": { "kubernetes.io/metadata.name": "team-b" } });
    tenant(json!({
        "firstParty": { "namespaces": a },
        "customClientIds": { "namespaces": {} },
        "redirectHosts": [
            { "hosts": ["a.example", "*.a.example"], "namespaces": a },
            { "hosts": ["b.example"], "namespaces": b },
        ],
        "scopes": [{ "name": "of.a", "namespaces": a }, { "name": "of.both" }],
        "audiences": [{ "uri": "https://api.a.example", "namespaces": a }, { "uri": "https://api.both.example" }],
    }))
}

fn written(space: &str, name: &str, seconds: i64, spec: Value) -> OAuthClient {
    let mut object = object(name, spec);
    object.metadata.namespace = Some(space.into());
    object.metadata.uid = Some(format!("uid-of-{space}-{name}"));
    let created = jiff::Timestamp::from_second(seconds).unwrap();
    object.metadata.creation_timestamp = Some(Time(created));
    object
}

fn of_a() -> Vec<OAuthClient> {
    let web = json!({
        "redirectUris": ["https://web.a.example/cb"], "firstParty": true, "scopes": ["openid", "of.a"],
        "grantTypes": ["authorization_code", "client_credentials"], "audiences": ["https://api.a.example"],
    });
    vec![
        written("team-a", "web", 1, web),
        written("team-a", "legacy", 2, json!({ "clientId": "legacy" })),
        written(
            "team-a",
            "brought",
            3,
            json!({ "secretRef": { "name": "mine" } }),
        ),
    ]
}

fn secret(space: &str, name: &str, value: &str) -> Secret {
    let mut secret = Secret::default();
    secret.metadata.namespace = Some(space.into());
    secret.metadata.name = Some(name.into());
    let value = ByteString(value.as_bytes().into());
    secret.data = Some([("client-secret".to_owned(), value)].into());
    secret
}

fn index() -> BroughtIndex {
    let index = BroughtIndex::new(&[9; 32]);
    index.put(&secret("team-a", "mine", BROUGHT_BY_A));
    index.put(&secret("team-b", "theirs", BROUGHT_BY_B));
    index.set_access(None, Access::Granted);
    index
}

type Registered = HashMap<String, Result<Client, Refusal>>;

/// What `world` does with the objects, without memory of what was before.
fn registered(objects: &[OAuthClient], policy: &TenantPolicy, index: &BroughtIndex) -> Registered {
    let claims = Claims::decide(objects.iter().filter_map(Claim::of_client_id));
    let each = objects.iter().map(|object| {
        let claim = Claim::of_client_id(object);
        let looked = index.look(object);
        let around = Surroundings {
            tenant: (object.spec.tenant == "default").then_some(policy),
            namespace: &namespace(&object.namespace().unwrap()),
            id_holder: claim.as_ref().and_then(|claim| claims.other_holder(claim)),
            brought: looked.as_ref(),
        };
        (object.uid().unwrap(), register(object, around))
    });
    each.collect()
}

fn planned(object: &OAuthClient, client: &Result<Client, Refusal>, found: Option<&Secret>) -> Plan {
    let digests = Digests::default();
    let facts = found.map(|secret| Facts::new(secret, &digests));
    let former = found.zip(facts.clone());
    let former: Vec<(String, Facts)> = former
        .map(|(secret, facts)| (secret.name_any(), facts))
        .into_iter()
        .collect();
    plan(&Situation {
        object,
        client: client.as_ref(),
        issuer: ISSUER,
        tenant_problem: None,
        keyring: Ok(&keyring()),
        namespace_problem: None,
        secret: facts.as_ref(),
        former: &former,
        digests: &digests,
        observed: None,
        now: jiff::Timestamp::UNIX_EPOCH,
    })
}

fn desired(object: &OAuthClient, registered: &Registered) -> Option<Secret> {
    let client = registered[&object.uid().unwrap()].as_ref().ok()?;
    Some(Desired::new(object, client, ISSUER, &keyring()).to_create())
}

/// The clients as the server has them.
fn serving(registered: &Registered) -> Tenant {
    let clients = registered
        .values()
        .filter_map(|client| client.as_ref().ok());
    let clients = clients.map(|client| (client.id.clone(), Arc::new(client.clone())));
    Tenant {
        clients: clients.collect(),
        ..Tenant::new("default".into(), "uid-of-default".into(), ISSUER.into())
    }
}

fn accepts(tenant: &Tenant, keyring: &Keyring, id: &str, secret: &str) -> bool {
    let credentials = Credentials::Post { id, secret };
    authenticate(tenant, keyring, &credentials, jiff::Timestamp::UNIX_EPOCH).is_ok()
}

/// Every value of a Secret that can be an authenticator.
fn secrets_in(secret: &Secret) -> Vec<String> {
    let values = secret.data.iter().flatten();
    let texts = values.map(|(_, value)| String::from_utf8(value.0.clone()).unwrap());
    texts.filter(|text| text.contains("clt_")).collect()
}

/// A text that B writes somewhere: its own, A's, and what looks like A's.
fn text() -> impl Strategy<Value = String> {
    let known = [
        "web",
        "legacy",
        "team-a",
        "team-a.web",
        "team-b.web",
        "web-oauth",
        "mine",
        "team-a/mine",
        "../team-a/mine",
        "Legacy",
        "legacy ",
        "CLIENT_SECRET",
        "uid-of-team-a-web",
        "of.a",
        "a,b;c",
        "{{ clientSecret }}",
        BROUGHT_BY_A,
    ];
    prop_oneof![
        8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,20}",
    ]
}

/// Mostly one of these, otherwise anything.
fn mostly(good: &'static [&'static str], wild: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop_oneof![6 => prop::sample::select(good).prop_map(str::to_owned), 1 => wild].boxed()
}

fn wild_uri() -> BoxedStrategy<String> {
    let known = [
        "https://web.a.example/cb",
        "https://a.example",
        "https://A.example/cb",
        "https://a.example.b.example/cb",
        "https://a.example@b.example/cb",
        "https://b.example/a.example",
        "http://web.a.example/cb",
        "https://api.a.example",
        "https://a.example:8443",
        "javascript:a.example",
    ];
    prop_oneof![
        8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "https://[a-z.@:/]{0,16}",
    ]
    .boxed()
}

fn uris(good: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(mostly(good, wild_uri()), 0..3)
}

fn template() -> impl Strategy<Value = String> {
    let place = prop::sample::select(PLACEHOLDERS.to_vec());
    prop_oneof![
        6 => place.prop_map(|name| format!("{{{{ {name} | json }}}}")),
        1 => text(),
    ]
}

fn shape() -> impl Strategy<Value = Value> {
    const ENTRIES: &[&str] = &["a.json", "client-id", "CLIENT_ID", "CLIENT_SECRET"];
    let formats = [
        "ArgoCD",
        "Bare",
        "EnvoyGateway",
        "Grafana",
        "OAuth2Proxy",
        "ServiceBinding",
        "SpringBoot",
    ];
    let map = || prop::collection::btree_map(text(), text(), 0..3);
    let entry = || mostly(ENTRIES, text().boxed());
    (
        prop::option::of(text()),
        prop::option::of(prop::sample::select(formats.to_vec())),
        map(),
        map(),
        prop::collection::btree_map(entry(), template(), 0..3),
        prop::option::of(entry()),
    )
        .prop_map(|(name, format, labels, annotations, template, entry)| {
            json!({
                "name": name, "format": format, "labels": labels, "annotations": annotations,
                "template": template, "entries": { "clientSecret": entry },
            })
        })
}

/// What a client refers to as its secret.
fn reference() -> impl Strategy<Value = Value> {
    let name = mostly(&["theirs", "mine"], text().boxed());
    let key = mostly(&["client-secret"], text().boxed());
    (name, key, prop::option::weighted(0.2, text())).prop_map(
        |(name, key, previous)| json!({ "name": name, "key": key, "previousKey": previous }),
    )
}

/// Any spec that the API server's schema would let through, and many that its rules would not.
fn spec() -> impl Strategy<Value = Value> {
    let rarely = || prop::bool::weighted(0.1);
    let scopes = || mostly(&["of.both", "openid"], text().boxed());
    let ways = &[
        "https://b.example/cb",
        "http://127.0.0.1/cb",
        "com.example.app:/cb",
    ];
    let origins = &["https://b.example", "http://localhost:3000"];
    (
        (
            prop::option::weighted(0.3, text()),
            prop::option::of(text()),
            mostly(&["default"], text().boxed()),
        ),
        (uris(ways), uris(ways), uris(origins), uris(&["https://api.both.example"])),
        prop::option::weighted(0.3, prop::collection::vec(scopes(), 0..3)),
        prop::option::of(shape()),
        prop::option::weighted(0.2, reference()),
        (rarely(), rarely(), rarely(), rarely(), any::<bool>()),
    )
        .prop_map(|((id, display, tenant), uris, scopes, secret, reference, flags)| {
            let (public, first_party, retain, suspended, machine) = flags;
            json!({
                "tenant": tenant, "clientId": id, "displayName": display, "firstParty": first_party,
                "type": if public { "Public" } else { "Confidential" },
                "redirectUris": uris.0, "postLogoutRedirectUris": uris.1, "allowedOrigins": uris.2,
                "audiences": uris.3, "scopes": scopes, "secret": secret, "secretRef": reference,
                "grantTypes": machine.then_some(["client_credentials"]), "suspended": suspended,
                "deletionPolicy": if retain { "Retain" } else { "Delete" },
            })
        })
}

fn of_b() -> impl Strategy<Value = OAuthClient> {
    let names = prop::sample::select(vec!["web", "legacy", "brought", "other", "web.team-a"]);
    (names, spec(), any::<bool>(), text(), text()).prop_map(|(name, spec, status, a, b)| {
        let mut object = written("team-b", name, 100, spec);
        if status {
            // As if the guard of the status were gone.
            let claimed = json!({
                "secretName": a, "secretUid": "uid-of-secret", "issuer": b,
                "secretGeneration": { "requested": 7, "published": 7, "oldestAccepted": 1 },
            });
            object.status = serde_json::from_value(claimed).unwrap();
        }
        object
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn f37_f57_f61_whatever_b_writes_a_is_what_it_was_and_nothing_of_a_is_bs(theirs in of_b()) {
        let (policy, index, keyring) = (policy(), index(), keyring());
        let mine = of_a();
        let before = registered(&mine, &policy, &index);
        let mut both = mine.clone();
        both.push(theirs.clone());
        let after = registered(&both, &policy, &index);
        let secrets: Vec<Secret> = mine.iter().map(|object| desired(object, &before).unwrap()).collect();

        // A's behavior is the same.
        for (object, secret) in mine.iter().zip(&secrets) {
            let uid = object.uid().unwrap();
            prop_assert_eq!(&after[&uid], &before[&uid]);
            prop_assert_eq!(desired(object, &after), Some(secret.clone()));
        }

        // B writes in its own namespace, and over no Secret that is not its own: not one of A's that it copied, with
        // every mark.
        let verdict = &after[&theirs.uid().unwrap()];
        for copied in &secrets {
            let mut copied = copied.clone();
            copied.metadata.namespace = Some("team-b".into());
            copied.metadata.uid = Some("uid-of-another-secret".into());
            let plan = planned(&theirs, verdict, Some(&copied));
            prop_assert!(matches!(plan.secret, SecretStep::Keep) && plan.remove.is_empty());
            prop_assert!(plan.verdict.is_err());
        }
        let plan = planned(&theirs, verdict, None);
        if let SecretStep::Create(wanted) | SecretStep::Repair(wanted) = &plan.secret {
            prop_assert_eq!(&wanted.namespace, "team-b");
        }

        let Ok(client) = verdict else { return Ok(()) };
        // B has no ID, scope, audience, privilege or way back of A's.
        let tenant = serving(&after);
        for object in &mine {
            let of_a = before[&object.uid().unwrap()].as_ref().unwrap();
            prop_assert_ne!(&client.id, &of_a.id);
            prop_assert_eq!(&*tenant.clients[&of_a.id].namespace, "team-a");
        }
        prop_assert_eq!(&*client.namespace, "team-b");
        prop_assert!(!client.first_party && !client.scopes.iter().any(|scope| &**scope == "of.a"));
        prop_assert!(!client.audiences.iter().any(|audience| &*audience.uri == "https://api.a.example"));
        let ways = client.redirect_uris.iter().chain(&*client.post_logout_redirect_uris);
        for way in ways.chain(&*client.allowed_origins) {
            let url = url::Url::parse(way).unwrap();
            let host = url.host_str().unwrap_or_default();
            prop_assert!(host != "a.example" && !host.ends_with(".a.example") || host.is_empty(), "{}", way);
        }

        // B's Secret holds nothing of A's, and nothing that authenticates as A; what A has is nothing to B.
        let Some(secret) = desired(&theirs, &after) else { return Ok(()) };
        let own = secrets_in(&secret);
        for of_a in &secrets {
            let id = String::from_utf8(of_a.data.as_ref().unwrap()["CLIENT_ID"].0.clone()).unwrap();
            for value in secrets_in(of_a) {
                prop_assert!(!own.iter().any(|own| own.contains(&value)));
                prop_assert!(accepts(&tenant, &keyring, &id, &value));
                prop_assert!(!accepts(&tenant, &keyring, &client.id, &value));
            }
            for value in own.iter().map(String::as_str).chain([BROUGHT_BY_B, ""]) {
                prop_assert!(!accepts(&tenant, &keyring, &id, value));
            }
        }
        prop_assert!(accepts(&tenant, &keyring, "team-a.brought", BROUGHT_BY_A));
        prop_assert!(!accepts(&tenant, &keyring, &client.id, BROUGHT_BY_A));
    }
}

/// The property says something: a fair part of what B writes is registered, and it can fail.
#[test]
fn much_of_what_b_writes_is_registered_and_a_stolen_id_would_be_seen() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let (policy, index) = (policy(), index());
    let mut runner = TestRunner::deterministic();
    let count = (0..1000).filter(|_| {
        let theirs = of_b().new_tree(&mut runner).unwrap().current();
        let registered = registered(std::slice::from_ref(&theirs), &policy, &index);
        registered[&theirs.uid().unwrap()].is_ok()
    });
    let count = count.count();
    assert!(count > 150, "{count} of 1000");
    // Without A's earlier claim the same name is B's: so the property hangs on that claim.
    let theirs = written("team-b", "other", 100, json!({ "clientId": "legacy" }));
    let alone = registered(std::slice::from_ref(&theirs), &policy, &index);
    assert_eq!(
        &*alone["uid-of-team-b-other"].as_ref().unwrap().id,
        "legacy"
    );
    let mut both = of_a();
    both.push(theirs);
    assert!(registered(&both, &policy, &index)["uid-of-team-b-other"].is_err());
}
