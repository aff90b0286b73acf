//! The lifetimes in the form to create and to edit a client.

use clientele_kubectl::shared::text;
use serde_json::{Map, Value, json};

use super::field::Field;
use crate::form::Fields;

const COUNT: usize = Field::LIFETIMES.len();

/// The values as typed, such as `15m`; `None` where a form has no such input, so that the object keeps what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormLifetimes([Option<String>; COUNT]);

impl FormLifetimes {
    /// What a form holds that was sent.
    pub fn sent(fields: &Fields) -> Self {
        Self(Field::LIFETIMES.map(|field| {
            let input = field.input();
            fields
                .has(input)
                .then(|| fields.get(input).trim().to_owned())
        }))
    }

    /// What the form shows of an object.
    pub fn of(object: &Value) -> Self {
        Self(Field::LIFETIMES.map(|field| {
            let pointer = format!("/spec/{}", field.of_spec().replace('.', "/"));
            Some(text(object, &pointer).to_owned())
        }))
    }

    /// The value of a field; empty for the default.
    pub fn get(&self, field: Field) -> &str {
        let at = Field::LIFETIMES.iter().position(|one| *one == field);
        let value = at.and_then(|at| self.0[at].as_deref());
        value.unwrap_or_default()
    }

    /// The fields that the form has, with their values.
    pub fn sets(&self) -> impl Iterator<Item = (Field, &str)> {
        let values = Field::LIFETIMES.into_iter().zip(&self.0);
        values.filter_map(|(field, value)| Some((field, value.as_deref()?)))
    }

    /// Every input with its label and value.
    pub fn inputs(&self) -> Vec<(&'static str, &'static str, &str)> {
        let all = Field::LIFETIMES.into_iter();
        all.map(|field| (field.input(), field.label(), self.get(field)))
            .collect()
    }

    /// Puts them into a spec that shows `shown`.
    pub fn apply(&self, shown: &Self, spec: &mut Map<String, Value>) {
        for (field, value) in self
            .sets()
            .filter(|(field, value)| shown.get(*field) != *value)
        {
            let key = field.of_spec().rsplit('.').next().unwrap_or_default();
            let lifetimes = spec.entry("lifetimes").or_insert_with(|| json!({}));
            let Some(lifetimes) = lifetimes.as_object_mut() else {
                return;
            };
            if value.is_empty() {
                lifetimes.remove(key);
            } else {
                lifetimes.insert(key.to_owned(), value.into());
            }
            if lifetimes.is_empty() {
                spec.remove("lifetimes");
            }
        }
    }
}
