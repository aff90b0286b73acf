//! A person while a reader fills it.

use clientele_api::schema::PROTOCOL_CLAIMS;
use clientele_api::standard_claims;
use clientele_api::user::FIELD_CLAIMS;
use serde_json::{Map, Value, json};

use super::model::{Field, ImportedUser, Verdict};
use super::password::Hash;
use super::rules;

/// A person who is being filled.
pub struct UserDraft {
    origin: String,
    namespace: String,
    name: String,
    spec: Map<String, Value>,
    hash: Option<String>,
    fields: Vec<Field>,
    unusable: bool,
}

impl UserDraft {
    /// A person of this origin.
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
            hash: None,
            fields: Vec::new(),
            unusable: false,
        }
    }

    /// Says what became of a field.
    pub fn say(&mut self, field: &str, verdict: Verdict, to: Option<&str>, why: &str, todo: &str) {
        let said = Field {
            field: field.to_owned(),
            verdict,
            to: to.map(str::to_owned),
            why: why.to_owned(),
            todo: todo.to_owned(),
        };
        if !self.fields.contains(&said) {
            self.fields.push(said);
        }
    }

    /// Says that a field does not come along.
    pub fn lost(&mut self, field: &str, why: &str, todo: &str) {
        self.say(field, Verdict::Lost, None, why, todo);
    }

    /// Says that a field means the same as before.
    pub fn exact(&mut self, field: &str, to: &str) {
        self.say(field, Verdict::Exact, Some(to), "", "");
    }

    /// What the person types.
    pub fn username(&mut self, field: &str, username: &str) {
        let lower = username.to_lowercase();
        let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._@+-".contains(&b);
        let ends = lower.bytes().next().into_iter().chain(lower.bytes().last());
        let formed = !lower.is_empty()
            && lower.len() <= 128
            && lower.bytes().all(inside)
            && ends
                .into_iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !formed {
            self.unusable = true;
            let why = "has characters that no username has, so no manifest is written";
            self.lost(
                field,
                why,
                "give the person a username of letters, digits, '.', '_', '@', '+' and '-'",
            );
            return;
        }
        self.spec
            .insert("username".to_owned(), lower.as_str().into());
        if lower == username {
            self.exact(field, "spec.username");
        } else {
            let why = "usernames are in lower case; people may type them in any case";
            self.say(field, Verdict::Changed, Some("spec.username"), why, "");
        }
    }

    /// The `sub` by which applications know the person.
    pub fn subject(&mut self, field: &str, subject: &str) {
        let formed = !subject.is_empty()
            && subject.len() <= 255
            && subject.bytes().all(|b| b.is_ascii_graphic());
        let reserved = subject.starts_with("system:")
            || subject.starts_with("usr:")
            || matches!(rules::client_id(subject, "", ""), rules::ClientId::Refused(why) if why.contains("<namespace>"));
        if formed && !reserved {
            self.spec.insert("subject".to_owned(), subject.into());
            self.exact(field, "spec.subject");
        } else {
            let why = "cannot be a sub here; the person gets another one";
            self.lost(
                field,
                why,
                "applications that know the person by sub must be told the new one",
            );
        }
    }

    /// The email address.
    pub fn email(&mut self, field: &str, email: &str, verified: bool) {
        if email.is_empty() {
            return;
        }
        let formed = email.len() <= 254
            && email.split_once('@').is_some_and(|(before, after)| {
                !before.is_empty() && !after.is_empty() && !after.contains('@')
            })
            && !email.chars().any(|c| c.is_control() || c.is_whitespace());
        if !formed {
            self.lost(field, "is no email address", "write spec.email");
            return;
        }
        self.spec.insert("email".to_owned(), email.into());
        if verified {
            self.spec.insert("emailVerified".to_owned(), true.into());
        }
        self.exact(field, "spec.email");
    }

    /// The full name.
    pub fn full_name(&mut self, field: &str, name: &str) {
        if name.trim().is_empty() {
            return;
        }
        if rules::is_readable(name, 200) {
            self.spec.insert("name".to_owned(), name.trim().into());
            self.exact(field, "spec.name");
        } else {
            self.lost(field, "has invisible characters", "write spec.name");
        }
    }

    /// A claim of the person.
    pub fn claim(&mut self, field: &str, claim: &str, value: Value) {
        if PROTOCOL_CLAIMS.contains(&claim) || FIELD_CLAIMS.contains(&claim) {
            let why = "is a claim of the protocol, or has a field of its own";
            self.lost(field, why, "choose another name for the claim");
            return;
        }
        if let Err(why) = standard_claims::check(claim, &value) {
            let todo = format!("write spec.claims.{claim} in that form");
            self.lost(field, &format!("the claim {why}"), &todo);
            return;
        }
        let claims = self.spec.entry("claims").or_insert_with(|| json!({}));
        claims[claim] = value;
        let to = format!("spec.claims.{claim}");
        // The scopes profile, address and phone promise these.
        if standard_claims::schemas().any(|(known, _)| known == claim) {
            self.exact(field, &to);
            return;
        }
        let why = "applications get it when a scope of the tenant promises the claim";
        let todo = "add a scope with the claim to spec.scopes of the tenant";
        self.say(field, Verdict::Changed, Some(&to), why, todo);
    }

    /// Groups.
    pub fn groups<'a>(&mut self, field: &str, groups: impl IntoIterator<Item = &'a str>) {
        let mut kept: Vec<Value> = Vec::new();
        for group in groups {
            // Keycloak writes them as paths.
            let name = group.strip_prefix('/').unwrap_or(group);
            let formed = !name.is_empty()
                && name.chars().count() <= 128
                && !name.chars().any(|c| c.is_control() || c.is_whitespace())
                && !name.to_ascii_lowercase().starts_with("system:");
            if !formed || kept.len() == 64 {
                self.lost(
                    field,
                    &format!("{group:?} cannot be a group"),
                    "write another one into spec.groups",
                );
                continue;
            }
            if name == group {
                self.exact(field, "spec.groups");
            } else {
                let why = format!("{group:?} is {name:?}");
                self.say(
                    field,
                    Verdict::Changed,
                    Some("spec.groups"),
                    &why,
                    "use that name in applications",
                );
            }
            if !kept.iter().any(|known| known == name) {
                kept.push(name.into());
            }
        }
        if !kept.is_empty() {
            self.spec.insert("groups".to_owned(), kept.into());
        }
    }

    /// Whether the person may not sign in.
    pub fn disabled(&mut self, field: &str, disabled: bool) {
        if disabled {
            self.spec.insert("disabled".to_owned(), true.into());
        }
        self.exact(field, "spec.disabled");
    }

    /// The hash of the password.
    pub fn hash(&mut self, field: &str, hash: Hash) {
        match hash {
            Ok(hash) => {
                self.hash = Some(hash);
                self.exact(field, "spec.passwordSecretRef");
            }
            Err(why) => self.lost(
                field,
                &format!("the hash {why}"),
                "set a password: kubectl clientele user passwd NAME",
            ),
        }
    }

    /// The person.
    pub fn finish(mut self) -> ImportedUser {
        if self.unusable {
            self.fields.retain(|field| field.verdict == Verdict::Lost);
        }
        let hash = self.hash.filter(|_| !self.unusable);
        if hash.is_some() {
            let reference = json!({ "name": format!("{}-password", self.name) });
            self.spec.insert("passwordSecretRef".to_owned(), reference);
        }
        ImportedUser {
            origin: self.origin,
            namespace: self.namespace,
            name: self.name,
            spec: (!self.unusable).then_some(self.spec),
            hash,
            fields: self.fields,
        }
    }
}
