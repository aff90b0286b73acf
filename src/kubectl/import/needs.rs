//! What the tenant must allow, so that what is imported works: read off the manifests, so that it is about nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
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

/// Names of namespaces.
pub type Namespaces = BTreeSet<String>;

/// Fields of the tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantNeeds {
    /// Namespaces with clients (`namespaces`), which a tenant admits unless it says otherwise.
    #[serde(skip)]
    pub clients: Namespaces,
    /// Namespaces that choose client IDs (`customClientIds.namespaces`).
    pub custom_client_ids: Namespaces,
    /// Whether an ID has `:`, `/` or `@` (`customClientIds.uriCharacters`).
    pub uri_characters: bool,
    /// IDs that mean something to a cluster, with the namespace (`customClientIds.reserved`).
    pub reserved: BTreeSet<(String, String)>,
    /// Namespaces with first-party clients (`firstParty.namespaces`).
    pub first_party: Namespaces,
    /// Namespaces with people (`users.namespaces`).
    pub users: Namespaces,
    /// Schemes without a dot, with the namespaces whose clients return to them (`redirectSchemes`).
    pub redirect_schemes: BTreeMap<String, Namespaces>,
    /// Scopes (`scopes`), with the namespaces whose clients have them.
    #[serde(serialize_with = "names")]
    pub scopes: BTreeMap<String, Namespaces>,
    /// Audiences (`audiences`), with the namespaces whose clients have them.
    #[serde(serialize_with = "names")]
    pub audiences: BTreeMap<String, Namespaces>,
}

/// The report lists the names alone.
fn names<S: Serializer>(
    map: &BTreeMap<String, Namespaces>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map.keys())
}

impl TenantNeeds {
    /// Notes what a client needs, by its namespace, name and `spec`.
    pub fn add_client(&mut self, namespace: &str, name: &str, spec: &Map<String, Value>) {
        if let Some(id) = spec.get("clientId").and_then(Value::as_str) {
            self.id(namespace, name, id);
        }
        self.clients.insert(namespace.to_owned());
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
        for scope in own {
            let namespaces = self.scopes.entry(scope.to_owned()).or_default();
            namespaces.insert(here());
        }
        for audience in texts("audiences") {
            let namespaces = self.audiences.entry(audience.to_owned()).or_default();
            namespaces.insert(here());
        }
    }

    /// Whether a tenant that admits every namespace may stay as it is.
    pub fn is_empty(&self) -> bool {
        let clients = self.clients.clone();
        *self
            == Self {
                clients,
                ..Self::default()
            }
    }
}
