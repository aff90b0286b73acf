//! What the tenant must allow, so that what is imported works: read off the manifests, so that it is about nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::rules::{ClientId, bare_scheme, client_id};

/// The scopes that every tenant knows.
const KNOWN_SCOPES: [&str; 7] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "groups",
    "offline_access",
];

/// Fields of the tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantNeeds {
    /// Namespaces that choose client IDs (`customClientIds.namespaces`).
    pub custom_client_ids: BTreeSet<String>,
    /// Whether an ID has `:`, `/` or `@` (`customClientIds.uriCharacters`).
    pub uri_characters: bool,
    /// IDs that mean something to a cluster, with the namespace (`customClientIds.reserved`).
    pub reserved: BTreeSet<(String, String)>,
    /// Namespaces with first-party clients (`firstParty.namespaces`).
    pub first_party: BTreeSet<String>,
    /// Namespaces with people (`users.namespaces`).
    pub users: BTreeSet<String>,
    /// Schemes without a dot, with the namespaces whose clients return to them (`redirectSchemes`).
    pub redirect_schemes: BTreeMap<String, BTreeSet<String>>,
    /// Scopes (`scopes`).
    pub scopes: BTreeSet<String>,
    /// Audiences (`audiences`).
    pub audiences: BTreeSet<String>,
}

impl TenantNeeds {
    /// Notes what a client needs, by its namespace, name and `spec`.
    pub fn add_client(&mut self, namespace: &str, name: &str, spec: &Map<String, Value>) {
        if let Some(id) = spec.get("clientId").and_then(Value::as_str) {
            self.id(namespace, name, id);
        }
        self.rest(namespace, spec);
    }

    /// Notes that a namespace has people.
    pub fn add_user(&mut self, namespace: &str) {
        self.users.insert(namespace.to_owned());
    }

    fn id(&mut self, namespace: &str, name: &str, id: &str) {
        let judged = client_id(id, namespace, name);
        self.uri_characters |= judged == ClientId::Uri;
        if judged == ClientId::Reserved {
            self.reserved.insert((id.to_owned(), namespace.to_owned()));
        } else {
            self.custom_client_ids.insert(namespace.to_owned());
        }
    }

    fn rest(&mut self, namespace: &str, spec: &Map<String, Value>) {
        let here = || namespace.to_owned();
        let texts = |field: &str| {
            let list = spec.get(field).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str)
        };
        if spec.get("firstParty") == Some(&Value::Bool(true)) {
            self.first_party.insert(here());
        }
        let uris = texts("redirectUris").chain(texts("postLogoutRedirectUris"));
        for scheme in uris.filter_map(bare_scheme) {
            let namespaces = self.redirect_schemes.entry(scheme.to_owned());
            namespaces.or_default().insert(here());
        }
        let own = texts("scopes").filter(|scope| !KNOWN_SCOPES.contains(scope));
        self.scopes.extend(own.map(str::to_owned));
        self.audiences.extend(texts("audiences").map(str::to_owned));
    }

    /// Whether the tenant may stay as it is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
