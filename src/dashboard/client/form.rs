//! The form to create and to edit a client: what it shows of a spec, and what it changes in one. Every field of the spec
//! that the form does not have keeps its value.

use clientele_kubectl::shared::text;
use serde_json::{Map, Value, json};

pub use super::field::Field;
use super::form_durations::FormDurations;
use super::spec;
use crate::form::Fields;

/// What the inputs hold, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientForm {
    /// The preset that a new client starts from.
    pub preset: String,
    /// The object in JSON that it starts from instead, taken from YAML; empty if there is none.
    pub base: String,
    /// The name that people see.
    pub display_name: String,
    /// The name of the object; empty to derive it from the name that people see.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Whether it is Public.
    pub public: bool,
    /// Whether people are not asked for consent.
    pub first_party: bool,
    /// One URI on each line.
    pub redirect_uris: String,
    /// The APIs that its tokens are for, one on each line; `None` where a form has no such input, so that the object keeps what it has.
    pub audiences: Option<String>,
    /// The tenant.
    pub tenant: String,
    /// How long tokens live, and when the client secret rotates.
    pub durations: FormDurations,
}

impl ClientForm {
    /// What a form holds that was sent.
    pub fn sent(fields: &Fields) -> Self {
        let trimmed = |field: Field| fields.get(field.input()).trim().to_owned();
        Self {
            preset: fields.get("preset").trim().to_owned(),
            base: fields.get("base").to_owned(),
            display_name: trimmed(Field::DisplayName),
            name: trimmed(Field::Name),
            namespace: trimmed(Field::Namespace),
            public: fields.get(Field::Type.input()) == "Public",
            first_party: fields.has(Field::FirstParty.input()),
            redirect_uris: fields
                .get(Field::RedirectUris.input())
                .replace("\r\n", "\n"),
            audiences: fields
                .has(Field::Audiences.input())
                .then(|| fields.get(Field::Audiences.input()).replace("\r\n", "\n")),
            tenant: trimmed(Field::Tenant),
            durations: FormDurations::sent(fields),
        }
    }

    /// What the form shows of an object.
    pub fn of(object: &Value) -> Self {
        Self {
            preset: String::new(),
            base: String::new(),
            display_name: text(object, "/spec/displayName").to_owned(),
            name: text(object, "/metadata/name").to_owned(),
            namespace: text(object, "/metadata/namespace").to_owned(),
            public: spec::is_public(object),
            first_party: spec::flag(object, "/spec/firstParty"),
            redirect_uris: spec::texts(object, "/spec/redirectUris").join("\n"),
            audiences: Some(spec::texts(object, "/spec/audiences").join("\n")),
            tenant: text(object, "/spec/tenant").to_owned(),
            durations: FormDurations::of(object),
        }
    }

    /// The values as a form sends them, for the hidden field that remembers what the form showed.
    pub fn encode(&self) -> String {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair(Field::DisplayName.input(), &self.display_name)
            .append_pair(Field::Name.input(), &self.name)
            .append_pair(Field::Namespace.input(), &self.namespace)
            .append_pair(Field::Type.input(), self.type_name())
            .append_pair(Field::RedirectUris.input(), &self.redirect_uris)
            .append_pair(Field::Tenant.input(), &self.tenant);
        if let Some(audiences) = &self.audiences {
            body.append_pair(Field::Audiences.input(), audiences);
        }
        for (field, value) in self.durations.sets() {
            body.append_pair(field.input(), value);
        }
        if self.first_party {
            body.append_pair(Field::FirstParty.input(), "on");
        }
        body.finish()
    }

    /// `Public` or `Confidential`.
    pub const fn type_name(&self) -> &'static str {
        if self.public {
            "Public"
        } else {
            "Confidential"
        }
    }

    /// The redirect URIs: the lines that are not empty.
    pub fn uris(&self) -> Vec<&str> {
        filled_lines(&self.redirect_uris)
    }

    /// The text of the input for audiences.
    pub fn audience_lines(&self) -> &str {
        self.audiences.as_deref().unwrap_or_default()
    }

    /// Number of rows of the text area.
    pub fn rows(&self) -> usize {
        (self.redirect_uris.lines().count() + 1).clamp(3, 12)
    }

    /// The name of the object: as typed, else derived from the name that people see.
    pub fn object_name(&self) -> String {
        if self.name.is_empty() {
            slug(&self.display_name)
        } else {
            self.name.clone()
        }
    }

    /// Puts the values into a spec. What is the same already stays as it is written there.
    pub fn apply(&self, object: &mut Value) {
        let shown = Self::of(object);
        let Some(object) = object.as_object_mut() else {
            return;
        };
        let spec = object.entry("spec").or_insert_with(|| json!({}));
        let Some(spec) = spec.as_object_mut() else {
            return;
        };
        if self.display_name != shown.display_name {
            set(spec, Field::DisplayName, or_none(&self.display_name));
        }
        if self.tenant != shown.tenant {
            set(spec, Field::Tenant, or_none(&self.tenant));
        }
        if self.public != shown.public {
            set(spec, Field::Type, Some(self.type_name().into()));
        }
        if self.first_party != shown.first_party {
            set(
                spec,
                Field::FirstParty,
                self.first_party.then_some(Value::Bool(true)),
            );
        }
        if self.redirect_uris != shown.redirect_uris {
            let uris = self.uris();
            let value = (!uris.is_empty()).then(|| json!(uris));
            set(spec, Field::RedirectUris, value);
        }
        if self.audiences.is_some() && self.audiences != shown.audiences {
            let audiences = filled_lines(self.audience_lines());
            let value = (!audiences.is_empty()).then(|| json!(audiences));
            set(spec, Field::Audiences, value);
        }
        self.durations.apply(&shown.durations, spec);
    }

    /// The fields whose values differ, with the label and both values in words.
    pub fn changes(&self, to: &Self) -> Vec<Change> {
        let shown = |form: &Self, field: Field| match field {
            Field::DisplayName => form.display_name.clone(),
            Field::Name => form.name.clone(),
            Field::Namespace => form.namespace.clone(),
            Field::Tenant => form.tenant.clone(),
            Field::Type => form.type_name().to_owned(),
            Field::FirstParty => if form.first_party { "yes" } else { "no" }.to_owned(),
            Field::RedirectUris => form.uris().join(" "),
            Field::Audiences => filled_lines(form.audience_lines()).join(" "),
            duration => form.durations.get(duration).to_owned(),
        };
        let changed = Field::ALL.into_iter().filter_map(|field| {
            let (from, to) = (shown(self, field), shown(to, field));
            (from != to).then_some(Change { field, from, to })
        });
        changed.collect()
    }
}

/// A field with two values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field.
    pub field: Field,
    /// The value before.
    pub from: String,
    /// The value after.
    pub to: String,
}

fn filled_lines(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).collect()
}

fn or_none(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| text.into())
}

fn set(spec: &mut Map<String, Value>, field: Field, value: Option<Value>) {
    match value {
        Some(value) => spec.insert(field.of_spec().to_owned(), value),
        None => spec.remove(field.of_spec()),
    };
}

/// A name for an object: lower-case letters, digits and `-`, at most 63.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if slug.len() >= 63 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests;
