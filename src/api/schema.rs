//! The forms of values that more than one kind has: each with a sentence that says what to write instead.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// The rules of redirect URIs, seen to be accepted and judged rightly by the API server.
pub fn redirect_uris(_: &mut SchemaGenerator) -> Schema {
    let rules: Value = serde_json::from_str(include_str!("redirect-rules.json"))
        .expect("the file is part of the program and a test reads it");
    json_schema!({
        "type": "array",
        "maxItems": 64,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "minLength": 1,
            "maxLength": 512,
            "x-kubernetes-validations": rules,
        },
    })
}

/// A rule about every key of a map. The sentence names the first key that breaks it: the field is that of the whole map.
/// `rule` is in CEL about `key`, `before` precedes the key in the sentence, and `problem` follows it.
pub fn each_key(rule: &str, before: &str, problem: &str) -> Value {
    let before = cel_text(&format!("{before}\""));
    let after = cel_text(&format!("\" {problem}"));
    // The sentence is put together within the loop: only there the API server knows how long a key is at most.
    let named = format!("self.map(key, !({rule}), {before} + key + {after})[0]");
    json!({
        "rule": format!("self.all(key, {rule})"),
        "messageExpression": named,
        "message": format!("a key {problem}"),
    })
}

/// A literal of CEL.
fn cel_text(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// The type of an optional field says nothing of itself: its words would take the place of those of the field.
pub fn undescribed(schema: &mut Schema) {
    schema.remove("description");
}

/// Scopes that a client may ask for.
pub fn scopes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 64,
        "x-kubernetes-list-type": "set",
        "items": scope_token(),
    })
}

/// The schema of one scope-token (RFC 6749 section 3.3).
pub fn scope_token() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "x-kubernetes-validations": [{
            "rule": r"self.matches('^[!#-\\[\\]-~]+$')",
            "message": "must be one scope of printable ASCII characters without space, quote and backslash; write a list with one entry for each scope",
        }],
    })
}

/// Audiences that a client may ask for.
pub fn audiences(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 32,
        "x-kubernetes-list-type": "set",
        "items": audience_uri(),
    })
}

/// The schema of an audience: an absolute URI without fragment (RFC 8707 section 2).
pub fn audience_uri() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 256,
        "x-kubernetes-validations": [
            {
                "rule": "self.matches('^[a-z][a-z0-9+.-]*:[!$-;=?-Z_a-z~]+$')",
                "message": "must be an absolute URI without a fragment, such as https://orders.example.com or urn:example:orders",
            },
            {
                "rule": "!self.startsWith('usr:') && !self.startsWith('system:')",
                "message": "must not begin with usr: or system:, which are reserved for people and for the cluster",
            },
            {
                "rule": "!self.matches('^https://kubernetes([.]default([.]svc([.].*)?)?)?(:[0-9]+)?/?$')",
                "message": "is an audience of the Kubernetes API server; a token of this server must never be one for the cluster",
            },
        ],
    })
}

/// Web origins (RFC 6454 section 6.2), as a browser sends them.
pub fn origins(_: &mut SchemaGenerator) -> Schema {
    const HOST: &str = "([[][^/?@]*[]]|[^/?@:[]*)";
    const PORT: &str =
        "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
    const ANY_PORT: &str = "(:[^/?@]*)?";
    const LABELS: &str = "([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])*";
    const LABEL: &str = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
    const OCTET: &str = "[.](25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})";
    let https = format!("^https://([[][0-9a-f:]+[]]|{LABELS}{LABEL}){ANY_PORT}$");
    let http = format!("^http://({LABELS}localhost|127{OCTET}{OCTET}{OCTET}|[[]::1[]]){ANY_PORT}$");
    let (with_port, with_possible_port) = (
        format!("^https?://{HOST}:[^/?@]*$"),
        format!("^https?://{HOST}:{PORT}$"),
    );
    json_schema!({
        "type": "array",
        "maxItems": 64,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "minLength": 1,
            "maxLength": 267,
            "x-kubernetes-validations": [
                {
                    "rule": format!("!self.matches('{with_port}') || self.matches('{with_possible_port}')"),
                    "message": "must have a port from 1 to 65535, or none",
                },
                {
                    "rule": format!("self.matches('{https}') || self.matches('{http}')"),
                    "message": "must be an origin in lower case without a path, such as https://app.example.com or https://app.example.com:8443; http only on localhost, *.localhost, 127.0.0.0/8 and [::1]",
                },
                {
                    "rule": "!self.matches('^https:.*:443$') && !self.matches('^http:.*:80$')",
                    "message": "must not name the default port, because no browser sends it",
                },
            ],
        },
    })
}

/// Hosts that clients may return to.
pub fn redirect_hosts(_: &mut SchemaGenerator) -> Schema {
    const LABEL: &str = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
    let exact = format!("({LABEL}[.])*{LABEL}|[[][0-9a-f:]+[]]");
    let below = format!("[*]([.]{LABEL}){{2,}}");
    json_schema!({
        "type": "array",
        "minItems": 1,
        "maxItems": 32,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "minLength": 1,
            "maxLength": 253,
            "x-kubernetes-validations": [{
                "rule": format!("self.matches('^({exact}|{below})$')"),
                "message": "must be a host in lower case without scheme, port and path, such as app.example.com, or *.example.com for every host below it",
            }],
        },
    })
}

/// Private-use schemes without a dot that clients may return to.
pub fn redirect_schemes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "minItems": 1,
        "maxItems": 32,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "minLength": 3,
            "maxLength": 31,
            "x-kubernetes-validations": [
                {
                    "rule": "self.matches('^[a-z][a-z0-9+-]{2,30}$')",
                    "message": "must be a private-use scheme without a dot, such as vscode: 3 to 31 lower case letters, digits, '+' and '-'; one in reverse-DNS form such as com.example.app is allowed without being listed",
                },
                {
                    "rule": "!self.matches('^(https?|about|blob|content|data|file|filesystem|ftp|intent|jar|javascript|mailto|res|search-ms|sms|tel|vbscript|view-source|ws|wss|chrome.*|ms-.*)$')",
                    "message": "is a scheme that browsers and operating systems handle themselves; remove it",
                },
            ],
        },
    })
}

/// A selector of namespaces by their labels.
pub fn namespaces(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            "matchLabels": {
                "type": "object",
                "description": "Labels that the namespaces have, with these values.",
                "additionalProperties": { "type": "string" },
            },
            "matchExpressions": {
                "type": "array",
                "description": "Conditions on labels, all of which hold.",
                "maxItems": 16,
                "items": {
                    "type": "object",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": { "type": "string", "minLength": 1, "description": "The key of the label." },
                        "operator": {
                            "type": "string",
                            "description": "In: the label has one of values. NotIn: it has none of them, or is missing. Exists: it is there. DoesNotExist: it is missing.",
                            "enum": ["In", "NotIn", "Exists", "DoesNotExist"],
                        },
                        "values": {
                            "type": "array",
                            "description": "Values of the label, for In and NotIn only.",
                            "items": { "type": "string" },
                        },
                    },
                    "x-kubernetes-validations": [{
                        "rule": "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
                        "message": "In and NotIn need values, Exists and DoesNotExist must not have any",
                    }],
                },
            },
        },
    })
}

/// Groups of people.
pub fn groups(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "maxItems": 64, "x-kubernetes-list-type": "set", "items": group() })
}

/// Groups of people, at least one: an empty list reads as everyone, and means no one.
pub fn some_groups(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "minItems": 1, "maxItems": 64, "x-kubernetes-list-type": "set", "items": group() })
}

fn group() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "x-kubernetes-validations": [
            {
                "rule": r"!self.matches('[\\p{C}\\p{Z}]')",
                "message": "must not contain spaces, control, formatting or bidirectional characters",
            },
            {
                "rule": "!self.lowerAscii().startsWith('system:')",
                "message": "is reserved, because Kubernetes gives groups that begin with system: a meaning of its own",
            },
        ],
    })
}

/// Names of claims about a person.
pub fn claim_names(_: &mut SchemaGenerator) -> Schema {
    let protocol = PROTOCOL_CLAIMS.map(|name| format!("'{name}'")).join(", ");
    json_schema!({
        "type": "array",
        "maxItems": 32,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "minLength": 1,
            "maxLength": 128,
            "x-kubernetes-validations": [
                {
                    "rule": "self.matches('^[!#-Z^-~]+$')",
                    "message": "must be the name of a claim, such as department",
                },
                {
                    "rule": format!("!(self in [{protocol}])"),
                    "message": "is a claim of the protocol, not an attribute of a person; remove it",
                },
                {
                    "rule": "self != 'groups'",
                    "message": "is a claim of the scope groups, which every tenant has; remove it",
                },
            ],
        },
    })
}

/// Client IDs.
pub fn client_ids(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 64,
        "x-kubernetes-list-type": "set",
        "items": {
            "type": "string",
            "minLength": 1,
            "maxLength": 128,
            "x-kubernetes-validations": [{
                "rule": "self.matches('^[A-Za-z0-9._~:/@-]+$')",
                "message": "must be a client ID, such as <namespace>.<name>",
            }],
        },
    })
}

/// Claims with a meaning to the protocol: who describes a person must not be able to say them.
pub const PROTOCOL_CLAIMS: [&str; 29] = [
    "acr",
    "act",
    "active",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "authorization_details",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "events",
    "exp",
    "iat",
    "iss",
    "jti",
    "may_act",
    "nbf",
    "nonce",
    "s_hash",
    "scope",
    "scp",
    "sid",
    "sub",
    "sub_id",
    "sub_jwk",
    "token_type",
    "typ",
];

/// The rule between the two lifetimes of a session; what is malformed is refused by the rule of its field.
pub const IDLE_WITHIN_ABSOLUTE: &str = "!has(self.idle) || !has(self.absolute) || \
!self.idle.matches('^([0-9]{1,6}[hms]){1,3}$') || !self.absolute.matches('^([0-9]{1,6}[hms]){1,3}$') || \
duration(self.idle) <= duration(self.absolute)";

/// A text that people read.
pub const READABLE: &str = r"!self.matches('[\\p{C}\\p{Zl}\\p{Zp}]')";
/// What is wrong with an unreadable text.
pub const READABLE_MESSAGE: &str =
    "must not contain control, formatting or bidirectional characters";
