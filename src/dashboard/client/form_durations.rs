//! The durations in the form to create and to edit a client: the lifetimes of tokens, and the rotation of the client secret.

use clientele_kubectl::shared::text;
use clientele_oauth::client::secret_rotation::Settings;
use serde_json::{Map, Value, json};

use super::field::Field;
use super::lifetimes::manifest;
use crate::form::Fields;

const COUNT: usize = Field::DURATIONS.len();

/// The values as typed, such as `15m`; `None` where a form has no such input, so that the object keeps what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormDurations([Option<String>; COUNT]);

/// An input as the page shows it.
pub struct Input<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// What stands in it.
    pub value: &'a str,
    /// The element that explains it.
    pub hint: &'static str,
    /// What applies while it is empty.
    pub placeholder: String,
}

impl FormDurations {
    /// What a form holds that was sent.
    pub fn sent(fields: &Fields) -> Self {
        Self(Field::DURATIONS.map(|field| {
            let input = field.input();
            fields
                .has(input)
                .then(|| fields.get(input).trim().to_owned())
        }))
    }

    /// What the form shows of an object.
    pub fn of(object: &Value) -> Self {
        Self(Field::DURATIONS.map(|field| {
            let pointer = format!("/spec/{}", field.of_spec().replace('.', "/"));
            Some(text(object, &pointer).to_owned())
        }))
    }

    /// The value of a field; empty for the default.
    pub fn get(&self, field: Field) -> &str {
        let at = Field::DURATIONS.iter().position(|one| *one == field);
        let value = at.and_then(|at| self.0[at].as_deref());
        value.unwrap_or_default()
    }

    /// The fields that the form has, with their values.
    pub fn sets(&self) -> impl Iterator<Item = (Field, &str)> {
        let values = Field::DURATIONS.into_iter().zip(&self.0);
        values.filter_map(|(field, value)| Some((field, value.as_deref()?)))
    }

    /// The inputs for the lifetimes of tokens. Their defaults depend on the tenant.
    pub fn lifetimes(&self) -> Vec<Input<'_>> {
        let all = Field::LIFETIMES.into_iter();
        all.map(|field| self.input(field, "hint-lifetimes", String::new()))
            .collect()
    }

    /// The inputs for the rotation of the client secret. Their defaults are the same for every tenant.
    pub fn rotation(&self) -> Vec<Input<'_>> {
        let default = |field| match field {
            Field::QuietPeriod => manifest(Settings::DEFAULT.quiet_period),
            Field::MaxOverlap => manifest(Settings::DEFAULT.max_overlap),
            _ => Settings::DEFAULT
                .every
                .map_or_else(|| "never".to_owned(), manifest),
        };
        let all = Field::ROTATION.into_iter();
        all.map(|field| self.input(field, "hint-rotation", default(field)))
            .collect()
    }

    fn input(&self, field: Field, hint: &'static str, placeholder: String) -> Input<'_> {
        Input {
            name: field.input(),
            label: field.label(),
            value: self.get(field),
            hint,
            placeholder,
        }
    }

    /// Puts them into a spec that shows `shown`.
    pub fn apply(&self, shown: &Self, spec: &mut Map<String, Value>) {
        let changed = self.sets();
        for (field, value) in changed.filter(|(field, value)| shown.get(*field) != *value) {
            let Some((group, key)) = field.of_spec().split_once('.') else {
                continue;
            };
            let fields = spec.entry(group).or_insert_with(|| json!({}));
            let Some(fields) = fields.as_object_mut() else {
                return;
            };
            if value.is_empty() {
                fields.remove(key);
            } else {
                fields.insert(key.to_owned(), value.into());
            }
            if fields.is_empty() {
                spec.remove(group);
            }
        }
    }
}
