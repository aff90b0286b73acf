//! The custom resources, from their definitions.

use serde_yaml::Value;

use crate::source::{self, Source};

use super::{escaped, head};

/// A page for each.
pub fn pages() -> Vec<(&'static str, String)> {
    const PAGES: [&str; 3] = ["oauthclient.md", "oauthtenant.md", "oauthuser.md"];
    let files = source::files("crds", &["yaml"]);
    let page = |name: &'static str| {
        let kind = name.trim_end_matches(".md");
        let file = files.iter().find(|file| file.path.contains(kind));
        (
            name,
            page(file.unwrap_or_else(|| panic!("no definition of {kind}"))),
        )
    };
    PAGES.map(page).into()
}

fn page(file: &Source) -> String {
    let definition: Value =
        serde_yaml::from_str(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let spec = &definition["spec"];
    let kind = text(&spec["names"]["kind"]);
    let mut page = head(kind, &format!("`{}`", file.path));
    for version in spec["versions"].as_sequence().into_iter().flatten() {
        let schema = &version["schema"]["openAPIV3Schema"];
        page.push_str(&format!(
            "`apiVersion: {}/{}`, {}, short name `{}`.\n\n{}\n",
            text(&spec["group"]),
            text(&version["name"]),
            text(&spec["scope"]).to_lowercase(),
            text(&spec["names"]["shortNames"][0]),
            escaped(text(&schema["description"]))
        ));
        for part in ["spec", "status"] {
            let field = &schema["properties"][part];
            page.push_str(&format!(
                "\n## {part}\n\n{}\n",
                escaped(text(&field["description"]))
            ));
            rules(field, &mut page);
            fields(field, part, &mut page);
        }
    }
    page
}

fn fields(schema: &Value, path: &str, page: &mut String) {
    let required: Vec<&str> = strings(&schema["required"]);
    for (name, field) in schema["properties"].as_mapping().into_iter().flatten() {
        let name = text(name);
        let path = format!("{path}.{name}");
        let required = if required.contains(&name) {
            ", required"
        } else {
            ""
        };
        page.push_str(&format!("\n### `{path}`\n\n{}{required}\n", shape(field)));
        let description = text(&field["description"]);
        if !description.is_empty() {
            page.push_str(&format!("\n{}\n", escaped(description)));
        }
        rules(field, page);
        below(field, &path, page);
    }
}

fn below(field: &Value, path: &str, page: &mut String) {
    fields(field, path, page);
    for (part, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if field[part].is_mapping() {
            rules(&field[part], page);
            below(&field[part], &format!("{path}{suffix}"), page);
        }
    }
}

/// The type and the bounds in one line.
fn shape(field: &Value) -> String {
    let mut shape = kind(field);
    for (key, words) in [
        ("minLength", "characters at least"),
        ("maxLength", "characters at most"),
        ("minItems", "entries at least"),
        ("maxItems", "entries at most"),
        ("maxProperties", "entries at most"),
        ("minimum", "at least"),
        ("maximum", "at most"),
    ] {
        if let Some(number) = field[key].as_i64() {
            shape.push_str(&format!(", {number} {words}"));
        }
    }
    if let Some(pattern) = field["pattern"].as_str() {
        shape.push_str(&format!(", pattern `{pattern}`"));
    }
    let values = strings(&field["enum"]);
    if !values.is_empty() {
        shape.push_str(&format!(": `{}`", values.join("`, `")));
    }
    if !field["default"].is_null() {
        let default = serde_yaml::to_string(&field["default"]).unwrap_or_default();
        shape.push_str(&format!(", default `{}`", default.trim()));
    }
    shape
}

fn kind(field: &Value) -> String {
    match text(&field["type"]) {
        "array" => format!("list of {}", kind(&field["items"])),
        "object" if field["additionalProperties"].is_mapping() => {
            format!("map of {}", kind(&field["additionalProperties"]))
        }
        "" if field["x-kubernetes-int-or-string"] == Value::Bool(true) => {
            "integer or string".to_owned()
        }
        "" => "any value".to_owned(),
        other => other.to_owned(),
    }
}

fn rules(field: &Value, page: &mut String) {
    let rules = field["x-kubernetes-validations"].as_sequence();
    let messages = rules
        .into_iter()
        .flatten()
        .map(|rule| text(&rule["message"]));
    let messages: Vec<&str> = messages.filter(|message| !message.is_empty()).collect();
    if !messages.is_empty() {
        page.push_str("\nRules:\n\n");
    }
    for message in messages {
        page.push_str(&format!("- {}\n", escaped(message)));
    }
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_sequence().into_iter().flatten().map(text).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
