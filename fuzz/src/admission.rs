//! What the API server says about an object by the schema of its definition: lengths, counts, sets, enumerations and rules.

use std::collections::HashSet;
use std::sync::LazyLock;

use clientele_api::crd::definitions;
use serde_json::{Map, Value, json};

use crate::cel;
use crate::judge::Judgement;

/// The schemas of `spec`, by kind.
static SCHEMAS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let definitions = definitions().into_iter();
    let schemas = definitions.map(|definition| {
        let definition = serde_json::to_value(definition).unwrap();
        let schema = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
        let kind = definition["spec"]["names"]["kind"].as_str().unwrap();
        (kind.to_owned(), definition.pointer(schema).unwrap().clone())
    });
    schemas.collect()
});

/// An input is a specification in JSON. What the API server refuses, the program refuses as well, if it was stored in
/// another way.
pub fn agrees(kind: &str, judge: fn(Value) -> Judgement, bytes: &[u8]) {
    let Ok(mut spec) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    // Where null is stored, it was removed before; read, some empty lists are the same as none.
    if !spec.is_object() || has_null(&spec) {
        return;
    }
    for (place, name) in [("", "serviceAccounts"), ("/signing", "algorithms")] {
        let object = spec.pointer_mut(place).and_then(Value::as_object_mut);
        if let Some(object) = object.filter(|object| object.get(name) == Some(&json!([]))) {
            object.remove(name);
        }
    }
    let object = json!({
        "apiVersion": "clientele.dev/v1alpha1",
        "kind": kind,
        "metadata": { "name": "object", "namespace": "team-a", "uid": "0f8fad5b-d9cb-469f-a165-70867728950e" },
        "spec": spec,
    });
    let judgement = judge(object);
    let schema = &SCHEMAS[kind];
    set_defaults(schema, &mut spec);
    if let Err(refusal) = check(schema, &spec, "spec") {
        assert!(
            !matches!(judgement, Judgement::Accepted),
            "only the API server refuses it: {refusal}"
        );
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

fn set_defaults(schema: &Value, value: &mut Value) {
    if let Some(items) = value.as_array_mut() {
        items
            .iter_mut()
            .for_each(|item| set_defaults(&schema["items"], item));
    }
    let (Some(members), Some(properties)) =
        (value.as_object_mut(), schema["properties"].as_object())
    else {
        return;
    };
    for (name, schema) in properties {
        if let Some(default) = schema.get("default") {
            members
                .entry(name.clone())
                .or_insert_with(|| default.clone());
        }
        if let Some(member) = members.get_mut(name) {
            set_defaults(schema, member);
        }
    }
}

fn check(schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let holds =
        |holds: bool, what: &str| holds.then_some(()).ok_or_else(|| format!("{path}: {what}"));
    let bound = |name: &str| schema[name].as_u64();
    let within = |count: usize, least: &str, most: &str| {
        let count = count as u64;
        holds(bound(least).is_none_or(|least| count >= least), least)?;
        holds(bound(most).is_none_or(|most| count <= most), most)
    };
    let typed = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => true,
    };
    holds(typed, "type")?;
    if let Some(allowed) = schema["enum"].as_array() {
        holds(allowed.contains(value), "enum")?;
    }
    match value {
        Value::String(text) => within(text.chars().count(), "minLength", "maxLength")?,
        Value::Array(items) => {
            within(items.len(), "minItems", "maxItems")?;
            holds(once(schema, items), "an entry twice")?;
            let mut entries = items.iter().enumerate();
            entries.try_for_each(|(at, item)| {
                check(&schema["items"], item, &format!("{path}[{at}]"))
            })?;
        }
        Value::Object(members) => {
            within(members.len(), "minProperties", "maxProperties")?;
            check_members(schema, members, path)?;
        }
        _ => {}
    }
    let rules = schema["x-kubernetes-validations"].as_array();
    for rule in rules.into_iter().flatten() {
        let rule = rule["rule"].as_str().unwrap_or_default();
        let known = (!rule.contains("oldSelf"))
            .then(|| cel::holds(rule, value))
            .flatten();
        holds(known != Some(false), rule)?;
    }
    Ok(())
}

fn check_members(schema: &Value, members: &Map<String, Value>, path: &str) -> Result<(), String> {
    for required in schema["required"].as_array().into_iter().flatten() {
        let name = required.as_str().unwrap_or_default();
        if !members.contains_key(name) {
            return Err(format!("{path}.{name}: required"));
        }
    }
    for (name, member) in members {
        let known = schema["properties"].get(name);
        if let Some(schema) = known.or(schema.get("additionalProperties")) {
            check(schema, member, &format!("{path}.{name}"))?;
        }
    }
    Ok(())
}

/// Whether each entry of a set, or each key of a map, occurs once.
fn once(schema: &Value, items: &[Value]) -> bool {
    let key = |item: &Value| match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => Some(item.to_string()),
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array()?;
            let keys = keys
                .iter()
                .map(|name| item[name.as_str().unwrap_or_default()].to_string());
            Some(keys.collect::<Vec<_>>().join(" "))
        }
        _ => None,
    };
    let mut seen = HashSet::new();
    items.iter().filter_map(key).all(|key| seen.insert(key))
}
