//! What a reader returns, and what the report says.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::needs::TenantNeeds;

/// What became of a field of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It means the same as before.
    Exact,
    /// It means something else, or is written elsewhere.
    Changed,
    /// It does not come along.
    Lost,
}

/// A field of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name in the source.
    pub field: String,
    /// What became of it.
    pub verdict: Verdict,
    /// The field that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub todo: String,
}

/// A client secret that was brought. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct BroughtSecret {
    /// The name of the Secret.
    pub name: String,
    /// The value.
    pub current: String,
    /// The value that is accepted as well.
    pub previous: Option<String>,
}

impl std::fmt::Debug for BroughtSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BroughtSecret([redacted])")
    }
}

/// A client.
#[derive(Clone, Debug)]
pub struct ImportedClient {
    /// Where it comes from, for people.
    pub origin: String,
    /// The namespace of the OAuthClient.
    pub namespace: String,
    /// The name of the OAuthClient.
    pub name: String,
    /// `spec` of the OAuthClient; `None` if nothing usable is left.
    pub spec: Option<Map<String, Value>>,
    /// Its client secret.
    pub secret: Option<BroughtSecret>,
    /// Field by field.
    pub fields: Vec<Field>,
}

impl ImportedClient {
    /// The client ID that it has in the end.
    pub fn client_id(&self) -> String {
        let chosen = self
            .spec
            .as_ref()
            .and_then(|spec| spec.get("clientId")?.as_str());
        chosen.map_or_else(
            || format!("{}.{}", self.namespace, self.name),
            str::to_owned,
        )
    }

    /// Whether it gets tokens for itself.
    pub fn is_machine(&self) -> bool {
        let grants = self
            .spec
            .as_ref()
            .and_then(|spec| spec.get("grantTypes")?.as_array());
        grants.is_some_and(|grants| grants.iter().any(|grant| grant == "client_credentials"))
    }
}

/// A person.
#[derive(Clone)]
pub struct ImportedUser {
    /// Where the person comes from, for people.
    pub origin: String,
    /// The namespace of the OAuthUser.
    pub namespace: String,
    /// The name of the OAuthUser.
    pub name: String,
    /// `spec` of the OAuthUser; `None` if nothing usable is left.
    pub spec: Option<Map<String, Value>>,
    /// The hash of the password.
    pub hash: Option<String>,
    /// Field by field.
    pub fields: Vec<Field>,
}

impl std::fmt::Debug for ImportedUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImportedUser({}/{})", self.namespace, self.name)
    }
}

/// What a reader made of its documents.
#[derive(Clone, Debug)]
pub struct Import {
    /// The source, for people.
    pub source: &'static str,
    /// The clients.
    pub clients: Vec<ImportedClient>,
    /// The people.
    pub users: Vec<ImportedUser>,
    /// What was passed over, and why: it belongs to the source itself.
    pub skipped: BTreeMap<String, String>,
    /// What is about the whole source.
    pub notes: Vec<Field>,
    /// What the tenant must allow.
    pub needs: TenantNeeds,
}

impl Import {
    /// Nothing yet.
    pub fn new(source: &'static str) -> Self {
        Self {
            source,
            clients: Vec::new(),
            users: Vec::new(),
            skipped: BTreeMap::new(),
            notes: Vec::new(),
            needs: TenantNeeds::default(),
        }
    }

    /// The same in an order that does not depend on that of the files.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let key = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
        self.clients
            .sort_by_key(|client| key(&client.namespace, &client.name));
        self.users
            .sort_by_key(|user| key(&user.namespace, &user.name));
        self
    }

    /// Every field with its verdict.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields_with_origin().map(|(_, field)| field)
    }

    /// Every field with where it comes from: an object of the source, or the source itself.
    pub fn fields_with_origin(&self) -> impl Iterator<Item = (&str, &Field)> {
        let clients = self.clients.iter().map(|one| (&*one.origin, &one.fields));
        let users = self.users.iter().map(|one| (&*one.origin, &one.fields));
        let of_objects = clients
            .chain(users)
            .flat_map(|(origin, fields)| fields.iter().map(move |field| (origin, field)));
        let source: &str = self.source;
        let notes = self.notes.iter().map(move |field| (source, field));
        of_objects.chain(notes)
    }

    /// How many fields have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.fields()
            .filter(|field| field.verdict == verdict)
            .count()
    }
}
