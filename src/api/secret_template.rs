//! `spec.secret.template`: which texts the API server takes.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::entry_name::{MAX_LEN, rules as entry_rules};

/// The names of placeholders.
pub const PLACEHOLDERS: [&str; 18] = [
    "clientId",
    "clientSecret",
    "cookieSecret",
    "issuer",
    "discoveryUrl",
    "authorizationEndpoint",
    "tokenEndpoint",
    "userinfoEndpoint",
    "endSessionEndpoint",
    "revocationEndpoint",
    "introspectionEndpoint",
    "jwksUri",
    "scopes",
    "audiences",
    "displayName",
    "name",
    "namespace",
    "tenant",
];

/// The names of escapes.
pub const ESCAPES: [&str; 5] = ["raw", "json", "yaml", "url", "csv"];

/// The longest template, in characters.
pub const MAX_TEMPLATE: usize = 4096;
/// The largest number of templates.
pub const MAX_TEMPLATES: usize = 16;

/// The sentence about a template that cannot be read.
pub fn mistake() -> String {
    let (names, escapes) = (PLACEHOLDERS.join(", "), ESCAPES.join(", "));
    format!(
        "has a placeholder that is unknown or not closed: write {{{{ name }}}} or {{{{ name | escape }}}}, where name is one of {names}, and escape one of {escapes}; two braces as they are is {{{{ \"{{{{\" }}}}"
    )
}

/// The regular expression by which the API server tells what can be read as a template.
pub fn pattern() -> String {
    let (names, escapes) = (PLACEHOLDERS.join("|"), ESCAPES.join("|"));
    let placeholder =
        format!("[{{][{{] *(({names}) *([|] *({escapes}) *)?|\"[{{][{{]\" *)[}}][}}]");
    format!("^([^{{]|[{{][^{{]|{placeholder})*[{{]?$")
}

/// Templates by the name of the entry.
pub fn template_schema(_: &mut SchemaGenerator) -> Schema {
    // In CEL, too, a quote is escaped.
    let rule = format!("self.matches('{}')", pattern().replace('"', "\\\""));
    let entries = entry_rules("key").map(|(rule, message)| {
        let (rule, message) = (
            format!("self.all(key, {rule})"),
            format!("the name of an entry {message}"),
        );
        json!({ "rule": rule, "message": message })
    });
    let length = json!({
        "rule": format!("self.all(key, size(key) <= {MAX_LEN})"),
        "message": format!("the name of an entry must not be longer than {MAX_LEN} characters"),
    });
    let rules: Vec<Value> = entries.into_iter().chain([length]).collect();
    json_schema!({
        "type": "object",
        "maxProperties": MAX_TEMPLATES,
        "additionalProperties": {
            "type": "string",
            "maxLength": MAX_TEMPLATE,
            "x-kubernetes-validations": [{ "rule": rule, "message": mistake() }],
        },
        "x-kubernetes-validations": rules,
    })
}
