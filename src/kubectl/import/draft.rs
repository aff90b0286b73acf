//! A client while a reader fills it: each step judges a field of the source and says what became of it.

mod fields;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::model::{BroughtSecret, Field, ImportedClient, Verdict};

/// A client that is being filled.
pub struct Draft {
    origin: String,
    /// The namespace of the OAuthClient.
    pub namespace: String,
    /// The name of the OAuthClient.
    pub name: String,
    /// `spec`.
    pub spec: Map<String, Value>,
    secret: Option<BroughtSecret>,
    fields: Vec<Field>,
    grants: BTreeSet<&'static str>,
    unusable: bool,
}

impl Draft {
    /// A client of this origin, with nothing in it.
    pub fn new(origin: String, namespace: &str, name: String, tenant: &str) -> Self {
        let mut spec = Map::new();
        if tenant != clientele_api::DEFAULT_TENANT {
            spec.insert("tenant".to_owned(), tenant.into());
        }
        Self {
            origin,
            namespace: namespace.to_owned(),
            name,
            spec,
            secret: None,
            fields: Vec::new(),
            grants: BTreeSet::new(),
            unusable: false,
        }
    }

    /// Says that a field means the same as before.
    pub fn exact(&mut self, field: &str, to: &str) {
        self.field(field, Verdict::Exact, Some(to), "", "");
    }

    /// Says that a field has no meaning here.
    pub fn meaningless(&mut self, field: &str, why: &str) {
        self.field(field, Verdict::Exact, None, why, "");
    }

    /// Says that a field means something else, or is written elsewhere.
    pub fn changed(&mut self, field: &str, to: &str, why: &str, todo: &str) {
        self.field(field, Verdict::Changed, Some(to), why, todo);
    }

    /// Says that a field does not come along.
    pub fn lost(&mut self, field: &str, why: &str, todo: &str) {
        self.field(field, Verdict::Lost, None, why, todo);
    }

    fn field(&mut self, field: &str, verdict: Verdict, to: Option<&str>, why: &str, todo: &str) {
        self.fields.push(Field {
            field: field.to_owned(),
            verdict,
            to: to.map(str::to_owned),
            why: why.to_owned(),
            todo: todo.to_owned(),
        });
    }

    /// Sets a field of `spec`.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.spec.insert(name.to_owned(), value.into());
    }

    /// The whole object cannot be had.
    pub fn give_up(&mut self, field: &str, why: &str, todo: &str) {
        self.unusable = true;
        self.lost(field, why, todo);
    }

    /// Whether the client is Public.
    pub fn is_public(&self) -> bool {
        self.spec.get("type").is_some_and(|type_| type_ == "Public")
    }

    /// Makes the client Public or Confidential.
    pub fn public(&mut self, field: &str, public: bool) {
        if public {
            self.set("type", "Public");
        }
        self.exact(field, "spec.type");
    }

    /// A grant that Clientele knows.
    pub fn grant(&mut self, grant: &'static str) {
        self.grants.insert(grant);
    }

    /// Whether the client has a grant.
    pub fn has_grant(&self, grant: &str) -> bool {
        self.grants.contains(grant)
    }

    /// The client, with what belongs together checked.
    pub fn finish(mut self) -> ImportedClient {
        let has_uris = self.spec.contains_key("redirectUris");
        if self.grants.contains("authorization_code") && !has_uris && !self.unusable {
            if self.grants.contains("client_credentials") && !self.is_public() {
                self.grants.retain(|grant| *grant == "client_credentials");
                self.lost(
                    "(sign-in)",
                    "no redirect URI is left, so people cannot sign in",
                    "list at least one exact URI in spec.redirectUris, and authorization_code in spec.grantTypes",
                );
            } else {
                self.give_up(
                    "(all)",
                    "no redirect URI is left, so no manifest is written",
                    "list at least one exact URI in the source (of a program on the person's machine http://127.0.0.1), and import again",
                );
            }
        }
        if !self.grants.contains("authorization_code") {
            self.grants.remove("refresh_token");
            for unused in ["redirectUris", "postLogoutRedirectUris", "requirePkce"] {
                self.spec.remove(unused);
            }
        }
        if self.grants.is_empty() && !self.unusable {
            let why = "no grant is left, so no manifest is written";
            self.give_up("(all)", why, "see docs/how-to/import.md about grants");
        }
        let order = ["authorization_code", "refresh_token", "client_credentials"];
        let grants: Vec<&str> = order
            .into_iter()
            .filter(|grant| self.grants.contains(grant))
            .collect();
        self.spec.insert("grantTypes".to_owned(), grants.into());
        let secret = self.secret.filter(|_| !self.unusable);
        if let Some(secret) = &secret {
            let mut reference = json!({ "name": secret.name });
            if secret.previous.is_some() {
                reference["previousKey"] = "previous-client-secret".into();
            }
            self.spec.insert("secretRef".to_owned(), reference);
        }
        ImportedClient {
            origin: self.origin,
            namespace: self.namespace,
            name: self.name,
            spec: (!self.unusable).then_some(self.spec),
            secret,
            fields: merged(self.fields, self.unusable),
        }
    }
}

/// The same said twice about a field is said once, and what is changed is not exact. Of an object that is not written
/// nothing is exact.
fn merged(fields: Vec<Field>, unusable: bool) -> Vec<Field> {
    let changed: Vec<(String, Option<String>)> = fields
        .iter()
        .filter(|field| field.verdict == Verdict::Changed)
        .map(|field| (field.field.clone(), field.to.clone()))
        .collect();
    let is_changed = |field: &Field| {
        let mut changed = changed.iter();
        changed.any(|(name, to)| *name == field.field && *to == field.to)
    };
    let mut kept: Vec<Field> = Vec::new();
    for field in fields {
        let drop = match field.verdict {
            Verdict::Lost => false,
            Verdict::Changed => unusable,
            Verdict::Exact => unusable || is_changed(&field),
        };
        if !drop && !kept.contains(&field) {
            kept.push(field);
        }
    }
    kept
}
