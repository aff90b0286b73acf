//! How a credentials Secret may be named and marked: rules for the API server, and the same for `register`.
//!
//! The operator writes the Secret with rights that the author of the manifest may lack, so what has a meaning to the cluster,
//! to us or to GitOps tools cannot be had.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::schema::each_key;

/// The types that a credentials Secret may have.
const TYPES: [&str; 3] = ["Opaque", "servicebinding.io/oauth2", "nginx.org/oidc"];
/// What the names of Secrets with another purpose begin with.
const RESERVED_NAMES: [&str; 5] = [
    "bootstrap-token-",
    "sh.helm.release.",
    "default-token-",
    "clientele-root-key",
    "clientele-signing-",
];
/// The domains whose labels and annotations mean something to another controller.
const RESERVED_DOMAINS: [&str; 6] = [
    "kubernetes.io",
    "k8s.io",
    "clientele.dev",
    "argoproj.io",
    "fluxcd.io",
    "helm.sh",
];
/// The one key of these domains that can be had: Argo CD finds Secrets by it.
const PART_OF: &str = "app.kubernetes.io/part-of";
/// The most labels, and the most annotations.
const MOST: usize = 16;
/// The longest value of an annotation, in characters.
const MAX_ANNOTATION: usize = 1024;

/// Checks the name of a Secret; the error completes "the name …".
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.len() > 253 || !name.split('.').all(is_dns_label) {
        return Err("must be a name of lower case letters, digits, '-' and '.', such as web-oauth");
    }
    let mut reserved = RESERVED_NAMES.iter();
    if reserved.any(|prefix| name.starts_with(prefix)) {
        return Err("is reserved for another purpose in Kubernetes; choose another name");
    }
    Ok(())
}

/// What the API server says of the reserved names.
pub fn free_name_rule() -> String {
    let free = RESERVED_NAMES.map(|prefix| format!("!self.startsWith('{prefix}')"));
    free.join(" && ")
}

/// What the API server says of types.
pub fn type_rule() -> String {
    format!("self in ['{}']", TYPES.join("', '"))
}

/// Checks the type of a Secret; the error completes "the type …".
pub fn check_type(type_: &str) -> Result<(), &'static str> {
    let known = TYPES.contains(&type_).then_some(());
    known.ok_or("must be Opaque, servicebinding.io/oauth2 or nginx.org/oidc")
}

/// Checks labels; the error is a sentence without its subject.
pub fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), String> {
    check_keys(labels)?;
    match labels.values().find(|value| !is_label_value(value)) {
        Some(value) => Err(format!(
            "must have values of letters, digits, '-', '_' and '.', and {value:?} is none"
        )),
        None => Ok(()),
    }
}

/// Checks annotations; the error is a sentence without its subject.
pub fn check_annotations(annotations: &BTreeMap<String, String>) -> Result<(), String> {
    check_keys(annotations)?;
    let mut lengths = annotations.values().map(|value| value.chars().count());
    if lengths.any(|length| length > MAX_ANNOTATION) {
        return Err(format!(
            "must have values of at most {MAX_ANNOTATION} characters"
        ));
    }
    Ok(())
}

fn check_keys(map: &BTreeMap<String, String>) -> Result<(), String> {
    if map.len() > MOST {
        return Err(format!("must not have more than {MOST} keys"));
    }
    for key in map.keys() {
        check_key(key).map_err(|problem| format!("must not have the key {key:?}: {problem}"))?;
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), &'static str> {
    let (domain, name) = match key.split_once('/') {
        Some((domain, name)) => (Some(domain), name),
        None => (None, key),
    };
    let formed = domain.is_none_or(|domain| domain.split('.').all(is_dns_label));
    if !formed || key.len() > 253 || name.is_empty() || !is_label_value(name) {
        return Err("a key is a name such as team or example.com/team");
    }
    let reserved = domain.is_some_and(|domain| {
        let mut reserved = RESERVED_DOMAINS.iter();
        reserved.any(|of_others| {
            let parent = domain.strip_suffix(of_others);
            parent.is_some_and(|parent| parent.is_empty() || parent.ends_with('.'))
        })
    });
    if reserved && key != PART_OF {
        return Err(FREE_KEYS_MESSAGE);
    }
    Ok(())
}

fn is_label_value(value: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let ends = [value.bytes().next(), value.bytes().last()];
    let mut ends = ends.into_iter().flatten();
    value.len() <= 63 && value.bytes().all(inside) && ends.all(|b| b.is_ascii_alphanumeric())
}

/// Whether the text is a label of a DNS name (RFC 1123).
pub fn is_dns_label(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().last()];
    ends.iter().all(|end| end.is_some_and(alphanumeric))
        && text.bytes().all(|b| alphanumeric(b) || b == b'-')
}

/// Labels by key.
pub fn labels_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": MOST,
        "additionalProperties": { "type": "string", "maxLength": 63 },
        "x-kubernetes-validations": [
            formed_keys(),
            free_keys(),
            each_key(
                "self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')",
                "the value of the key ",
                "must consist of letters, digits, '-', '_' and '.', and begin and end with a letter or digit",
            ),
        ],
    })
}

/// Annotations by key.
pub fn annotations_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": MOST,
        "additionalProperties": { "type": "string", "maxLength": MAX_ANNOTATION },
        "x-kubernetes-validations": [
            formed_keys(),
            free_keys(),
        ],
    })
}

const FREE_KEYS_MESSAGE: &str = "keys under kubernetes.io, k8s.io, clientele.dev, argoproj.io, fluxcd.io and helm.sh are reserved, except app.kubernetes.io/part-of";

fn formed_keys() -> Value {
    const FORM: &str = "size(key) <= 253 && key.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')";
    each_key(
        FORM,
        "the key ",
        "must be a name such as team or example.com/team",
    )
}

fn free_keys() -> Value {
    let domains = RESERVED_DOMAINS.map(|domain| domain.replace('.', "[.]"));
    let domains = domains.join("|");
    let is_free = format!("key == '{PART_OF}' || !key.matches('^([^/]*[.])?({domains})/')");
    let problem = format!("is reserved: {FREE_KEYS_MESSAGE}");
    each_key(&is_free, "the key ", &problem)
}
