//! What the tenant must allow, so that what is imported works: read off the manifests, so that it is about nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::model::{ImportedClient, ImportedUser};
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
    /// What these need.
    pub fn of(clients: &[ImportedClient], users: &[ImportedUser]) -> Self {
        let mut needs = Self::default();
        for client in clients {
            if let Some(spec) = &client.spec {
                needs.id(client, spec);
                needs.rest(client, spec);
            }
        }
        let written = users.iter().filter(|user| user.spec.is_some());
        needs.users = written.map(|user| user.namespace.clone()).collect();
        needs
    }

    fn id(&mut self, client: &ImportedClient, spec: &Map<String, Value>) {
        let Some(id) = spec.get("clientId").and_then(Value::as_str) else {
            return;
        };
        let judged = client_id(id, &client.namespace, &client.name);
        self.uri_characters |= judged == ClientId::Uri;
        if judged == ClientId::Reserved {
            self.reserved
                .insert((id.to_owned(), client.namespace.clone()));
        } else {
            self.custom_client_ids.insert(client.namespace.clone());
        }
    }

    fn rest(&mut self, client: &ImportedClient, spec: &Map<String, Value>) {
        let here = || client.namespace.clone();
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
