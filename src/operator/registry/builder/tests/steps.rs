//! Random events: objects appear, change, disappear, return with another UID, and exchange their names.

use std::collections::BTreeMap;

use clientele_api::secret_ref::CLIENT_SECRET_TYPE;
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Resource;
use kube::runtime::watcher::Event;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::stage::Stage;
use super::user_steps::{self, UserStep};
use crate::domain::tenant::signing_secret;
use crate::watch::objects::WatchEvent;

pub const ORIGINS: [&str; 2] = ["https://a.example", "https://b.example"];
pub const NAMESPACES: [&str; 3] = ["ns0", "ns1", "ns2"];
const NAMES: [&str; 3] = ["web", "api", "job"];
pub const TENANTS: [&str; 2] = ["default", "second"];

/// One event, or a few that belong together.
#[derive(Clone, Debug)]
pub enum Step {
    Namespace(usize, Option<&'static str>),
    Tenant(usize, Value),
    TenantStatus(usize),
    TenantGone(usize),
    Client(usize, Value),
    ClientStatus(usize, usize),
    ClientGone(usize),
    /// Another object of the same name, without a word about the end of the first.
    ClientReborn(usize, Value),
    ClientGoing(usize),
    /// Two clients exchange what they say, with their IDs.
    Swap(usize, usize),
    Person(UserStep),
    ClientSecret(usize, Option<&'static str>),
    SigningKeys(usize, bool),
    RootKey,
    /// A list, which lacks a client.
    Relist(usize),
}

fn client_spec() -> impl Strategy<Value = Value> {
    let id = prop_oneof![
        3 => Just(None),
        4 => Just(Some("legacy")),
        2 => Just(Some("urn:orders")),
        1 => Just(Some("other")),
    ];
    let origins = prop::sample::subsequence(ORIGINS.to_vec(), 0..=2);
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2));
    let lives = prop_oneof![Just(None), Just(Some("5m")), Just(Some("20m"))];
    let scopes = prop_oneof![Just(Value::Null), Just(json!(["openid", "orders.read"]))];
    let under_policy = (lives, scopes, any::<bool>(), any::<bool>());
    (id, origins, 0..TENANTS.len(), flags, under_policy).prop_map(
        |(id, origins, tenant, (brings, orders, suspended), under_policy)| {
            let (lives, scopes, signs_in, shows) = under_policy;
            let template = json!({ "template": { "shown": "{{ audiences | csv }}" } });
            json!({
                "lifetimes": lives.map(|lives| json!({ "accessToken": lives })),
                "scopes": scopes,
                "redirectUris": if signs_in { json!(["https://a.example/cb"]) } else { json!([]) },
                "secret": shows.then_some(template),
                "tenant": TENANTS[tenant],
                "clientId": id,
                "allowedOrigins": origins,
                "suspended": suspended,
                "secretRef": brings.then(|| json!({ "name": "brought" })),
                "audiences": if orders { json!(["urn:orders"]) } else { json!([]) },
            })
        },
    )
}

fn tenant_spec() -> impl Strategy<Value = Value> {
    let team_a = json!({ "matchLabels": { "team": "a" } });
    let whose = prop_oneof![Just(Value::Null), Just(json!({})), Just(team_a)];
    let audiences = prop_oneof![
        Just(json!([])),
        Just(json!([{ "uri": "urn:orders" }])),
        Just(json!([{ "uri": "urn:orders" }, { "uri": "urn:bills" }])),
    ];
    let users = (whose.clone(), any::<bool>());
    let policy = (limits(), of_head());
    (whose.clone(), whose, users, audiences, policy).prop_map(
        |(admitted, ids, (users, by_email), audiences, (limits, head))| {
            let mut spec = json!({
                "namespaces": admitted,
                "customClientIds": { "namespaces": ids, "uriCharacters": true },
                "users": {
                    "namespaces": users,
                    "signInWith": if by_email { "UsernameOrEmail" } else { "Username" },
                },
                "audiences": audiences,
            });
            for part in [limits, head] {
                let fields = part.as_object().cloned().unwrap_or_default();
                spec.as_object_mut().unwrap().extend(fields);
            }
            spec
        },
    )
}

/// What makes another client of an object, which a reconcile mostly does not show.
fn limits() -> impl Strategy<Value = Value> {
    let lives = || prop_oneof![Just(None), Just(Some("7m")), Just(Some("15m"))];
    let team_a = json!({ "matchLabels": { "team": "a" } });
    let scopes = prop_oneof![
        Just(json!([])),
        Just(json!([{ "name": "orders.read" }])),
        Just(json!([{ "name": "orders.read", "description": "Orders", "namespaces": team_a }])),
    ];
    let hosts = prop_oneof![
        2 => Just(json!([])),
        1 => Just(json!([{ "hosts": ["a.example"] }])),
    ];
    (lives(), lives(), scopes, hosts, any::<bool>()).prop_map(
        |(default, maximum, scopes, hosts, pkce)| {
            let lives = |lives: Option<&str>| lives.map(|lives| json!({ "accessToken": lives }));
            json!({
                "lifetimes": { "default": lives(default), "maximum": lives(maximum) },
                "scopes": scopes,
                "redirectHosts": hosts,
                "pkce": if pkce { "Required" } else { "ByClient" },
            })
        },
    )
}

/// What is no matter of clients and people.
fn of_head() -> impl Strategy<Value = Value> {
    let idle = prop_oneof![Just(None), Just(Some("1h"))];
    (any::<bool>(), idle).prop_map(|(named, idle)| {
        json!({
            "displayName": named.then_some("Acme"),
            "session": { "idle": idle },
        })
    })
}

pub fn step() -> impl Strategy<Value = Step> {
    let (place, tenant) = (0..9_usize, 0..TENANTS.len());
    let team = prop_oneof![Just(Some("a")), Just(Some("b")), Just(None)];
    let value = prop_oneof![
        Just(None),
        Just(Some("a-secret-that-is-long-enough-1")),
        Just(Some("a-secret-that-is-long-enough-2")),
        Just(Some("short"))
    ];
    prop_oneof![
        2 => (0..3_usize, team).prop_map(|(n, team)| Step::Namespace(n, team)),
        3 => (tenant.clone(), tenant_spec()).prop_map(|(n, spec)| Step::Tenant(n, spec)),
        1 => tenant.clone().prop_map(Step::TenantStatus),
        1 => tenant.clone().prop_map(Step::TenantGone),
        8 => (place.clone(), client_spec()).prop_map(|(n, spec)| Step::Client(n, spec)),
        4 => (place.clone(), 0..4_usize).prop_map(|(n, status)| Step::ClientStatus(n, status)),
        2 => place.clone().prop_map(Step::ClientGone),
        2 => (place.clone(), client_spec()).prop_map(|(n, spec)| Step::ClientReborn(n, spec)),
        1 => place.clone().prop_map(Step::ClientGoing),
        2 => (place.clone(), place.clone()).prop_map(|(a, b)| Step::Swap(a, b)),
        8 => user_steps::step().prop_map(Step::Person),
        2 => (0..3_usize, value).prop_map(|(n, value)| Step::ClientSecret(n, value)),
        1 => (tenant, any::<bool>()).prop_map(|(n, there)| Step::SigningKeys(n, there)),
        1 => Just(Step::RootKey),
        1 => place.prop_map(Step::Relist),
    ]
}

/// What is stored.
#[derive(Default)]
pub struct Stored {
    clients: BTreeMap<usize, OAuthClient>,
    tenants: BTreeMap<usize, OAuthTenant>,
    pub users: BTreeMap<usize, OAuthUser>,
    pub births: usize,
}

/// Another object, or another version of the one that is stored.
pub fn next<K: Resource + Clone>(
    stage: &mut Stage,
    stored: Option<&K>,
    mut object: K,
    births: &mut usize,
) -> K {
    let generation = if let Some(stored) = stored.map(Resource::meta) {
        object.meta_mut().uid.clone_from(&stored.uid);
        object
            .meta_mut()
            .creation_timestamp
            .clone_from(&stored.creation_timestamp);
        object
            .meta_mut()
            .deletion_timestamp
            .clone_from(&stored.deletion_timestamp);
        stored.generation.unwrap_or_default() + 1
    } else {
        *births += 1;
        object.meta_mut().uid = Some(format!("uid-{births}"));
        // Some are equally old.
        let second = i64::try_from(*births / 2).unwrap();
        let created = jiff::Timestamp::from_second(second).unwrap();
        object.meta_mut().creation_timestamp = Some(Time(created));
        1
    };
    stage.stored(object, generation)
}

impl Stored {
    pub fn play(&mut self, stage: &mut Stage, step: &Step) {
        match step.clone() {
            Step::Namespace(n, Some(team)) => stage.namespace(NAMESPACES[n], team),
            Step::Namespace(n, None) => stage.delete_namespace(NAMESPACES[n]),
            Step::Tenant(n, spec) => {
                let tenant = OAuthTenant::new(TENANTS[n], serde_json::from_value(spec).unwrap());
                let mut tenant = next(stage, self.tenants.get(&n), tenant, &mut self.births);
                tenant.status = self.tenants.get(&n).and_then(|known| known.status.clone());
                self.put_tenant(stage, n, tenant);
            }
            Step::TenantStatus(n) => {
                if let Some(mut tenant) = self.tenants.get(&n).cloned() {
                    let status = json!({ "keyIds": ["k"], "issuer": "https://id.example" });
                    tenant.status = serde_json::from_value(status).unwrap();
                    let generation = tenant.metadata.generation.unwrap();
                    let tenant = stage.stored(tenant, generation);
                    self.put_tenant(stage, n, tenant);
                }
            }
            Step::TenantGone(n) => {
                if let Some(tenant) = self.tenants.remove(&n) {
                    stage.see(WatchEvent::Tenant(Box::new(Event::Delete(tenant))));
                }
            }
            Step::Person(step) => self.play_user(stage, step),
            Step::ClientSecret(n, value) => client_secret(stage, NAMESPACES[n], value),
            Step::SigningKeys(n, there) => {
                let mut secret = Secret::default();
                secret.metadata.namespace = Some("own".into());
                secret.metadata.name = Some(signing_secret::name_of(TENANTS[n]));
                stage.own_secret(secret, there);
            }
            Step::RootKey => stage.new_root_key(),
            step => self.play_clients(stage, step),
        }
    }

    fn play_clients(&mut self, stage: &mut Stage, step: Step) {
        match step {
            Step::Client(n, spec) => self.put_client(stage, n, spec),
            Step::ClientReborn(n, spec) => {
                self.clients.remove(&n);
                self.put_client(stage, n, spec);
            }
            Step::ClientStatus(n, status) => {
                if let Some(mut client) = self.clients.get(&n).cloned() {
                    client.status = serde_json::from_value(status_of(&client, status)).unwrap();
                    self.store_again(stage, n, client);
                }
            }
            Step::ClientGoing(n) => {
                if let Some(mut client) = self.clients.get(&n).cloned() {
                    client.metadata.deletion_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
                    self.store_again(stage, n, client);
                }
            }
            Step::ClientGone(n) => {
                if let Some(client) = self.clients.remove(&n) {
                    stage.see(WatchEvent::Client(Box::new(Event::Delete(client))));
                }
            }
            Step::Swap(a, b) => {
                let spec = |n| self.clients.get(n).map(|client| json!(client.spec));
                if let (Some(of_a), Some(of_b)) = (spec(&a), spec(&b)) {
                    self.put_client(stage, a, of_b);
                    self.put_client(stage, b, of_a);
                }
            }
            Step::Relist(without) => {
                self.clients.remove(&without);
                stage.see(WatchEvent::Client(Box::new(Event::Init)));
                for client in self.clients.values() {
                    let event = Event::InitApply(client.clone());
                    stage.see(WatchEvent::Client(Box::new(event)));
                }
                stage.see(WatchEvent::Client(Box::new(Event::InitDone)));
            }
            _ => {}
        }
    }

    fn put_tenant(&mut self, stage: &mut Stage, n: usize, tenant: OAuthTenant) {
        self.tenants.insert(n, tenant.clone());
        stage.see(WatchEvent::Tenant(Box::new(Event::Apply(tenant))));
    }

    fn put_client(&mut self, stage: &mut Stage, n: usize, spec: Value) {
        let mut client = OAuthClient::new(NAMES[n % 3], serde_json::from_value(spec).unwrap());
        client.metadata.namespace = Some(NAMESPACES[n / 3].into());
        let known = self.clients.get(&n);
        client.status = known.and_then(|known| known.status.clone());
        let client = next(stage, known, client, &mut self.births);
        self.clients.insert(n, client.clone());
        stage.see(WatchEvent::Client(Box::new(Event::Apply(client))));
    }

    /// What leaves the manifest as it is.
    fn store_again(&mut self, stage: &mut Stage, n: usize, client: OAuthClient) {
        let generation = client.metadata.generation.unwrap();
        let client = stage.stored(client, generation);
        self.clients.insert(n, client.clone());
        stage.see(WatchEvent::Client(Box::new(Event::Apply(client))));
    }
}

fn client_secret(stage: &mut Stage, namespace: &str, value: Option<&str>) {
    let index = &stage.inputs.cache.client_secrets;
    let Some(value) = value else {
        return index.forget(namespace, "brought");
    };
    let mut secret = Secret {
        type_: Some(CLIENT_SECRET_TYPE.to_owned()),
        data: Some([("client-secret".to_owned(), ByteString(value.into()))].into()),
        ..Secret::default()
    };
    secret.metadata.namespace = Some(namespace.to_owned());
    secret.metadata.name = Some("brought".to_owned());
    index.put(&secret);
}

/// What the status of a client may say: nothing, that it has its ID, that it was refused it, that it is ready.
fn status_of(client: &OAuthClient, which: usize) -> Value {
    let condition = |status: &str, reason: &str| {
        json!([{
            "type": "Ready", "status": status, "reason": reason, "message": "",
            "observedGeneration": client.metadata.generation,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }])
    };
    match which {
        0 => Value::Null,
        1 => json!({ "clientId": client.spec.client_id }),
        2 => json!({ "conditions": condition("False", "ClientIdConflict") }),
        _ => json!({
            "clientId": client.spec.client_id,
            "observedGeneration": client.metadata.generation,
            "conditions": condition("True", "Registered"),
        }),
    }
}
