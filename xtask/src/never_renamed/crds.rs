//! What the definitions of the custom resources promise.

use std::collections::BTreeSet;

use serde_yaml::Value;

/// Names of the resource, and the path and the values of every field of every version.
pub fn names(definition: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let spec = &definition["spec"];
    let resource = text(&definition["metadata"]["name"]);
    let kind = text(&spec["names"]["kind"]);
    names.insert(format!(
        "resource {resource} of kind {kind}, {}",
        text(&spec["scope"])
    ));
    let short = spec["names"]["shortNames"]
        .as_sequence()
        .into_iter()
        .flatten();
    names.extend(short.map(|short| format!("short name {} of {kind}", text(short))));
    for version in spec["versions"].as_sequence().into_iter().flatten() {
        let path = format!("field {kind} {}", text(&version["name"]));
        fields(
            &version["schema"]["openAPIV3Schema"],
            &path,
            " ",
            &mut names,
        );
    }
    names
}

fn fields(schema: &Value, path: &str, separator: &str, names: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_mapping().into_iter().flatten() {
        let path = format!("{path}{separator}{}", text(name));
        names.insert(path.clone());
        fields(field, &path, ".", names);
    }
    for (part, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[part].is_mapping() {
            fields(&schema[part], &format!("{path}{suffix}"), ".", names);
        }
    }
    let values = schema["enum"].as_sequence().into_iter().flatten();
    names.extend(
        values
            .filter(|value| value.is_string())
            .map(|value| format!("{path} = {}", text(value))),
    );
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
