//! The table of bodies: what stands in an object beside its name.

use serde_json::Value;

type Bodies = &'static [(&'static str, &'static str)];

/// `LONG` stands for two hundred thousand letters.
pub const CLIENTS: Bodies = &[
    ("enum", r#"{"spec":{"type":"Secret"}}"#),
    ("null", r#"{"spec":{"type":null}}"#),
    ("null-list", r#"{"spec":{"redirectUris":null}}"#),
    ("null-spec", r#"{"spec":null}"#),
    ("no-spec", "{}"),
    ("text-spec", r#"{"spec":"{}"}"#),
    ("number", r#"{"spec":{"redirectUris":7}}"#),
    ("boolean", r#"{"spec":{"suspended":"no"}}"#),
    ("list", r#"{"spec":{"scopes":["orders",["bills"]]}}"#),
    ("huge-number", r#"{"spec":{"rotation":{"every":1e300}}}"#),
    ("long", r#"{"spec":{"deletionPolicy":"LONG"}}"#),
    (
        "controls",
        r#"{"spec":{"deletionPolicy":"\u0000\u0007\u001b[31m\nERROR forged \u202e\ufeff\ud83d\ude00"}}"#,
    ),
    (
        "name-of-a-field",
        r#"{"spec":{"secret":{"template":{"\u0000":{"é":1}}}}}"#,
    ),
];

pub const TENANTS: Bodies = &[
    ("enum", r#"{"spec":{"signing":{"algorithm":"none"}}}"#),
    ("null", r#"{"spec":{"signing":null}}"#),
    ("text-spec", r#"{"spec":"\u202e"}"#),
    ("number", r#"{"spec":{"scopes":[1]}}"#),
    ("long", r#"{"spec":{"audiences":"LONG"}}"#),
];

pub const USERS: Bodies = &[
    ("no-username", r#"{"spec":{}}"#),
    ("number", r#"{"spec":{"username":7}}"#),
    ("null", r#"{"spec":{"username":null}}"#),
    ("text", r#"{"spec":{"username":"root","groups":"\u0000"}}"#),
    ("claims", r#"{"spec":{"username":"root","claims":[]}}"#),
    ("long", r#"{"spec":{"username":{"LONG":1}}}"#),
];

/// Names, and what opens and closes each level.
pub const DEEP: [(&str, &str, &str); 2] = [("arrays", "[", "]"), ("objects", "{\"a\":", "}")];

/// A body as a value.
pub fn body(text: &str) -> Value {
    let text = text.replace("LONG", &"x".repeat(200_000));
    serde_json::from_str(&text).unwrap()
}
