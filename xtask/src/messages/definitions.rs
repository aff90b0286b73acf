//! The descriptions and the messages of the custom resources.

use serde_yaml::Value;

use crate::source::Source;

/// The path of each field with its description, and with the message of each of its rules.
pub fn texts(file: &Source) -> Vec<(String, String)> {
    let definition: Value =
        serde_yaml::from_str(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let kind = definition["spec"]["names"]["kind"].as_str();
    let mut texts = Vec::new();
    let versions = definition["spec"]["versions"].as_sequence();
    for version in versions.into_iter().flatten() {
        let schema = &version["schema"]["openAPIV3Schema"];
        field(schema, kind.unwrap_or_default(), &mut texts);
    }
    texts
}

fn field(schema: &Value, path: &str, texts: &mut Vec<(String, String)>) {
    if let Some(text) = schema["description"].as_str() {
        texts.push((path.to_owned(), text.to_owned()));
    }
    let rules = schema["x-kubernetes-validations"].as_sequence();
    for rule in rules.into_iter().flatten() {
        // An expression makes the message, or the message stands for itself.
        for part in ["messageExpression", "message"] {
            if let Some(text) = rule[part].as_str() {
                texts.push((format!("{path} (rule)"), text.to_owned()));
            }
        }
    }
    for (name, below) in schema["properties"].as_mapping().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        field(below, &format!("{path}.{name}"), texts);
    }
    for (part, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[part].is_mapping() {
            field(&schema[part], &format!("{path}{suffix}"), texts);
        }
    }
}
