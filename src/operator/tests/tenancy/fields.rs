//! What B writes is everything that can be written: a field that is new in a definition is missing here until B writes it.

use std::collections::BTreeSet;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde::Serialize;
use serde_json::{Map, Value};

use super::ground::TenancyModel;
use super::of_b;
use clientele_api::crd::definitions;

/// Calls `see` with the path of each field of a schema and, where only some values are allowed, with each of these.
fn each_field(schema: &Value, path: &str, see: &mut impl FnMut(String)) {
    if let Some(properties) = properties(schema) {
        for (name, property) in properties {
            each_field(property, &format!("{path}.{name}"), see);
        }
    } else if schema["items"].is_object() {
        each_field(&schema["items"], &format!("{path}[]"), see);
    } else if let Some(values) = schema["enum"].as_array() {
        for value in values {
            see(format!("{path}={value}"));
        }
    } else {
        see(path.to_owned());
    }
}

/// The same of a value that was written.
fn each_value(schema: &Value, value: &Value, path: &str, see: &mut impl FnMut(String)) {
    if let Some(properties) = properties(schema) {
        for (name, value) in value.as_object().into_iter().flatten() {
            each_value(&properties[name], value, &format!("{path}.{name}"), see);
        }
    } else if schema["items"].is_object() {
        for value in value.as_array().into_iter().flatten() {
            each_value(&schema["items"], value, &format!("{path}[]"), see);
        }
    } else if schema["enum"].is_array() {
        see(format!("{path}={value}"));
    } else {
        see(path.to_owned());
    }
}

/// The members of an object. One that takes any has none of its own.
fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    let takes_any = schema["x-kubernetes-preserve-unknown-fields"] == true;
    schema["properties"].as_object().filter(|_| !takes_any)
}

struct Fields {
    schema: Value,
    missing: BTreeSet<String>,
}

impl Fields {
    /// Those of the spec of the definition at this place.
    fn of_definition(at: usize) -> Self {
        let definition = serde_json::to_value(&definitions()[at]).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let schema = schema["properties"]["spec"].clone();
        let mut missing = BTreeSet::new();
        each_field(&schema, "", &mut |path| {
            missing.insert(path);
        });
        assert!(missing.len() > 10, "{missing:?}");
        Self { schema, missing }
    }

    fn see(&mut self, spec: &impl Serialize) {
        let spec = serde_json::to_value(spec).unwrap();
        let missing = &mut self.missing;
        each_value(&self.schema, &spec, "", &mut |path| {
            missing.remove(&path);
        });
    }
}

/// Written and taken: what is only ever refused shows nothing. Not even B can have these.
#[test]
fn b_writes_every_field_and_each_is_taken_sometimes() {
    let ground = TenancyModel::new();
    let mut runner = TestRunner::deterministic();
    let (mut clients, mut users) = (Fields::of_definition(0), Fields::of_definition(2));
    let (mut registered, mut enrolled, mut tries) = (0, 0, 0);
    let never = never_taken();
    // Until all was seen.
    while tries < 4000 && (clients.missing != never || !users.missing.is_empty() || tries < 1000) {
        tries += 1;
        let theirs = of_b(&ground.keys).new_tree(&mut runner).unwrap().current();
        let seen = ground.seen(Some((&theirs.client, &theirs.user)));
        if seen.client(&theirs.client).is_ok() {
            registered += 1;
            clients.see(&theirs.client.spec);
        }
        if seen.user(&theirs.user).is_ok() {
            enrolled += 1;
            users.see(&theirs.user.spec);
        }
    }
    assert!(
        registered > tries / 13 && enrolled > tries / 13,
        "{registered} and {enrolled} of {tries}"
    );
    assert_eq!(clients.missing, never);
    assert_eq!(users.missing, BTreeSet::new());
}

/// A privilege of A's; and what makes a key private is in the schema only to be refused with a sentence.
fn never_taken() -> BTreeSet<String> {
    let private = ["d", "dp", "dq", "k", "p", "q", "qi"].map(|name| format!(".jwks.keys[].{name}"));
    [".firstParty".to_owned()]
        .into_iter()
        .chain(private)
        .collect()
}
