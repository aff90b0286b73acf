//! Rules of the Kubernetes side, values in and values out: no cluster, no mock.

mod kept;
mod tenancy;

use std::time::Duration;

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::keys::root_keyring::RootKey;
use clientele_oauth::{Client, Keyring};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::domain::client::validate::{ClientInputs, validate_client};
use super::domain::reason::Refusal;
use super::domain::tenant::policy::{Labels, TenantPolicy};
use crate::domain::client::identity::ClientObject;

/// An OAuthClient of namespace team-a with this spec.
pub fn object(name: &str, spec: Value) -> OAuthClient {
    let mut object = OAuthClient::new(name, serde_json::from_value(spec).unwrap());
    object.metadata.namespace = Some("team-a".into());
    object.metadata.uid = Some(format!("uid-of-{name}"));
    object.metadata.generation = Some(1);
    object.metadata.creation_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
    object
}

/// An OAuthUser of namespace team-a with this spec.
pub fn user(name: &str, spec: Value) -> OAuthUser {
    let mut user = OAuthUser::new(name, serde_json::from_value(spec).unwrap());
    user.metadata.namespace = Some("team-a".into());
    user.metadata.uid = Some(format!("uid-of-{name}"));
    user.metadata.generation = Some(1);
    user.metadata.creation_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
    user
}

/// The tenant `default` with this spec.
pub fn tenant(spec: Value) -> TenantPolicy {
    let tenant = OAuthTenant::new("default", serde_json::from_value(spec).unwrap());
    TenantPolicy::new(&tenant, "https://id.example", Duration::from_mins(15))
}

/// A tenant that gives namespace team-a (and no other) something of everything.
pub fn generous() -> TenantPolicy {
    let team_a = json!({ "matchLabels": { "kubernetes.io/metadata.name": "team-a" } });
    let team_b =
        json!({ "matchExpressions": [{ "key": "team", "operator": "In", "values": ["b"] }] });
    tenant(json!({
        "namespaces": { "matchExpressions": [{ "key": "kubernetes.io/metadata.name", "operator": "In", "values": ["team-a", "team-b"] }] },
        "firstParty": { "namespaces": team_a },
        "users": { "namespaces": team_a },
        "customClientIds": { "namespaces": team_a },
        "scopes": [{ "name": "orders.read" }, { "name": "bills.read", "namespaces": team_b }],
        "audiences": [
            { "uri": "https://orders.example", "scopes": ["orders.read"] },
            { "uri": "https://bills.example", "namespaces": team_b },
        ],
        "lifetimes": { "default": { "accessToken": "5m" }, "maximum": { "accessToken": "1h" } },
    }))
}

/// The labels of a namespace.
pub fn namespace(name: &str) -> Labels {
    Labels::from([("kubernetes.io/metadata.name".to_owned(), name.to_owned())])
}

/// What becomes of an object in its namespace, which has nothing from others but what this tenant gives.
pub fn judged(object: &OAuthClient, tenant: &TenantPolicy) -> Result<Client, Refusal> {
    let space = object.metadata.namespace.as_deref().unwrap();
    let around = ClientInputs {
        tenant: Some(tenant),
        namespace: &namespace(space),
        id_holder: None,
        external_secret: None,
    };
    validate_client(&ClientObject::parse(object), around)
}

/// A keyring with one key.
pub fn keyring() -> Keyring {
    Keyring::new(
        "testkey1",
        vec![RootKey::new("testkey1", &[7; 32]).unwrap()],
    )
    .unwrap()
}
