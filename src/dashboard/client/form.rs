//! The form to create and to edit a client: what it shows of a spec, and what it changes in one. Every field of the spec
//! that the form does not have keeps its value.

use clientele_kubectl::shared::text;
use serde_json::{Map, Value, json};

use super::spec;
use crate::form::Fields;

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `spec.displayName`
    DisplayName,
    /// `metadata.name`
    Name,
    /// `metadata.namespace`
    Namespace,
    /// `spec.type`
    Type,
    /// `spec.firstParty`
    FirstParty,
    /// `spec.redirectUris`
    RedirectUris,
    /// `spec.tenant`
    Tenant,
}

impl Field {
    /// Every field, in the order of the page.
    pub const ALL: [Self; 7] = [
        Self::DisplayName,
        Self::Name,
        Self::Namespace,
        Self::Type,
        Self::RedirectUris,
        Self::FirstParty,
        Self::Tenant,
    ];

    /// The name of the input, and of the element with its error.
    pub const fn input(self) -> &'static str {
        match self {
            Self::DisplayName => "display-name",
            Self::Name => "name",
            Self::Namespace => "namespace",
            Self::Type => "type",
            Self::FirstParty => "first-party",
            Self::RedirectUris => "redirect-uris",
            Self::Tenant => "tenant",
        }
    }

    /// The label of the input.
    pub const fn label(self) -> &'static str {
        match self {
            Self::DisplayName => "Name",
            Self::Name => "Resource name",
            Self::Namespace => "Namespace",
            Self::Type => "Type",
            Self::FirstParty => "First-party",
            Self::RedirectUris => "Redirect URIs",
            Self::Tenant => "Tenant",
        }
    }

    /// The field of the spec; empty for those of the metadata.
    pub const fn of_spec(self) -> &'static str {
        match self {
            Self::DisplayName => "displayName",
            Self::Name | Self::Namespace => "",
            Self::Type => "type",
            Self::FirstParty => "firstParty",
            Self::RedirectUris => "redirectUris",
            Self::Tenant => "tenant",
        }
    }
}

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
    /// The tenant.
    pub tenant: String,
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
            tenant: trimmed(Field::Tenant),
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
            tenant: text(object, "/spec/tenant").to_owned(),
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

    /// The lines that are not empty.
    pub fn uris(&self) -> Vec<&str> {
        let lines = self.redirect_uris.lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).collect()
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Any JSON that may stand in a field of the spec which the form does not have.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-zA-Z]{1,8}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn spec() -> impl Strategy<Value = Value> {
        let known = (
            proptest::option::of("[A-Za-z ]{1,12}"),
            proptest::option::of(prop::sample::select(vec!["Public", "Confidential"])),
            proptest::option::of(any::<bool>()),
            proptest::option::of(prop::collection::vec("https://[a-z]{1,8}/[a-z]{0,4}", 0..4)),
            proptest::option::of("[a-z]{1,8}"),
        );
        let others = prop::collection::btree_map("x[a-zA-Z]{1,8}", anything(), 0..5);
        (known, others).prop_map(|((name, kind, first, uris, tenant), others)| {
            let mut spec: Map<String, Value> = others.into_iter().collect();
            for (key, value) in [
                ("displayName", name.map(Value::from)),
                ("type", kind.map(Value::from)),
                ("firstParty", first.map(Value::from)),
                ("redirectUris", uris.map(Value::from)),
                ("tenant", tenant.map(Value::from)),
            ] {
                if let Some(value) = value {
                    spec.insert(key.to_owned(), value);
                }
            }
            json!({ "metadata": { "name": "web", "namespace": "apps" }, "spec": spec })
        })
    }

    /// The body that a browser sends for the form as it is rendered: text areas have CRLF.
    fn body(form: &ClientForm) -> Vec<u8> {
        let mut form = form.clone();
        form.redirect_uris = form.redirect_uris.replace('\n', "\r\n");
        form.encode().into_bytes()
    }

    proptest! {
        #[test]
        fn a_form_sent_as_it_is_changes_nothing(object in spec()) {
            // A name with white space at its ends is trimmed, so the API server's rule about it is ours too.
            let trimmed = text(&object, "/spec/displayName").trim() == text(&object, "/spec/displayName");
            prop_assume!(trimmed);
            let mut after = object.clone();
            ClientForm::sent(&Fields::parse(&body(&ClientForm::of(&object)))).apply(&mut after);
            prop_assert_eq!(object, after);
        }

        #[test]
        fn fields_the_form_does_not_have_are_kept(object in spec(), other in spec()) {
            let mut after = object.clone();
            let sent = ClientForm::of(&other);
            sent.apply(&mut after);
            let unknown = |object: &Value| {
                let spec = object["spec"].as_object().unwrap().clone();
                spec.into_iter().filter(|(key, _)| key.starts_with('x')).collect::<Vec<_>>()
            };
            prop_assert_eq!(unknown(&object), unknown(&after));
            let shown = ClientForm::of(&after);
            prop_assert_eq!(shown.changes(&sent), vec![]);
        }

        #[test]
        fn a_derived_name_is_a_name(shown in ".{0,80}") {
            let name = slug(&shown);
            prop_assert!(name.len() <= 63);
            prop_assert!(!name.starts_with('-') && !name.ends_with('-'));
            prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        }
    }

    #[test]
    fn what_is_typed_becomes_the_spec() {
        let fields = Fields::parse(
            b"display-name=+Order+desk+&type=Public&redirect-uris=https%3A%2F%2Fa.example%2F%0D%0A%0D%0A++https%3A%2F%2Fb.example%2F&first-party=on&tenant=",
        );
        let form = ClientForm::sent(&fields);
        assert_eq!(form.object_name(), "order-desk");
        let mut object = json!({});
        form.apply(&mut object);
        assert_eq!(
            object,
            json!({ "spec": {
                "displayName": "Order desk", "type": "Public", "firstParty": true,
                "redirectUris": ["https://a.example/", "https://b.example/"],
            } })
        );
    }

    #[test]
    fn changes_are_named_in_words() {
        let before = ClientForm::default();
        let after = ClientForm {
            first_party: true,
            redirect_uris: "https://a.example/".to_owned(),
            ..ClientForm::default()
        };
        let changes = before.changes(&after);
        let said: Vec<_> = changes
            .iter()
            .map(|c| (c.field.label(), c.from.as_str(), c.to.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                ("Redirect URIs", "", "https://a.example/"),
                ("First-party", "no", "yes"),
            ]
        );
    }
}
