//! How the definitions of a cluster compare with those of this program: which fields they lack, and what is left out of a
//! write for that.

use clientele_api::crd;
use clientele_api::new_fields::NEW_FIELDS;
use serde_json::Value;

/// What installs the definitions of this version.
pub const REMEDY: &str = "clientele crds | kubectl apply --server-side --force-conflicts -f -";
/// The ledger of secret generations is never written in part.
const LEDGER: &str = "status.secretGeneration";

/// How old the definitions of a cluster are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Age {
    /// They have every field of this program.
    Current,
    /// They lack only what the release before lacked, such as these fields.
    OneBefore(Vec<String>),
    /// They lack what the release before had.
    Older(Vec<String>),
}

/// The fields of a schema that another one lacks. What lies below a field that is missing is not listed.
pub fn missing(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(ours, theirs, "", &mut found);
    found
}

fn collect(ours: &Value, theirs: &Value, path: &str, found: &mut Vec<String>) {
    if theirs["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    for (name, property) in ours["properties"].as_object().into_iter().flatten() {
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{name}");
        match theirs["properties"].get(name) {
            None => found.push(path),
            Some(theirs) => collect(property, theirs, &path, found),
        }
    }
    for (below, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if ours[below].is_object() && theirs[below].is_object() {
            collect(
                &ours[below],
                &theirs[below],
                &format!("{path}{mark}"),
                found,
            );
        }
    }
}

/// Judges the schemas that an API server publishes for our kinds: `schemas` returns that of a kind. `None` where a kind is not
/// published, which the watch of its objects reports.
pub fn age<'a>(schemas: impl Fn(&str) -> Option<&'a Value>) -> Option<Age> {
    age_by(schemas, is_new)
}

fn age_by<'a>(
    schemas: impl Fn(&str) -> Option<&'a Value>,
    is_new: impl Fn(&str, &str) -> bool,
) -> Option<Age> {
    let (mut new, mut older) = (Vec::new(), Vec::new());
    for definition in crd::definitions() {
        let kind = &definition.spec.names.kind;
        let theirs = schemas(kind)?;
        let ours = serde_json::to_value(&definition.spec.versions[0].schema).unwrap_or_default();
        let ours = &ours["openAPIV3Schema"]["properties"];
        for part in ["spec", "status"] {
            let lacking = missing(&ours[part], &theirs["properties"][part]);
            for field in lacking.iter().map(|field| format!("{part}.{field}")) {
                let expected = is_new(kind, &field);
                let list = if expected { &mut new } else { &mut older };
                list.push(format!("{kind}.{field}"));
            }
        }
    }
    Some(match (new.is_empty(), older.is_empty()) {
        (_, false) => Age::Older(older),
        (false, true) => Age::OneBefore(new),
        (true, true) => Age::Current,
    })
}

fn is_new(kind: &str, field: &str) -> bool {
    let mut kinds = NEW_FIELDS.iter();
    let fields = kinds.find(|(name, _)| *name == kind);
    fields.is_some_and(|(_, fields)| fields.contains(&field))
}

/// The fields of a status that the API server says it does not know, when it refuses a write for them.
pub fn undeclared(message: &str) -> Vec<String> {
    let parts = message.split(": field not declared in schema");
    let all = parts.clone().count();
    let paths = parts.take(all - 1).filter_map(|before| {
        let path = before.split_whitespace().next_back()?;
        let path = without_keys(path.strip_prefix('.')?);
        (path.starts_with("status.") && !path.starts_with(LEDGER)).then_some(path)
    });
    paths.collect()
}

/// A path without the keys of list entries, such as `[type="Ready"]`.
fn without_keys(path: &str) -> String {
    let mut depth = 0;
    let mut outside = String::new();
    for c in path.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            c if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    outside
}

/// Removes a field of a status, in every entry of the lists on its way.
pub fn prune(status: &mut Value, field: &str) {
    let path: Vec<&str> = field.split('.').skip(1).collect();
    remove(status, &path);
}

fn remove(value: &mut Value, path: &[&str]) {
    match (value, path) {
        (Value::Array(entries), path) => {
            for entry in entries {
                remove(entry, path);
            }
        }
        (Value::Object(fields), [last]) => {
            fields.remove(*last);
        }
        (Value::Object(fields), [first, rest @ ..]) => {
            if let Some(below) = fields.get_mut(*first) {
                remove(below, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn o13_what_a_schema_lacks_is_named_once() {
        let ours = json!({ "properties": {
            "a": { "properties": { "b": {}, "c": { "properties": { "d": {} } } } },
            "l": { "items": { "properties": { "x": {}, "y": {} } } },
            "m": { "additionalProperties": { "properties": { "z": {} } } },
            "free": { "properties": { "anything": {} } },
        } });
        let theirs = json!({ "properties": {
            "a": { "properties": { "b": {} } },
            "l": { "items": { "properties": { "x": {} } } },
            "m": { "additionalProperties": { "properties": {} } },
            "free": { "x-kubernetes-preserve-unknown-fields": true },
            "newer": {},
        } });
        assert_eq!(missing(&ours, &theirs), ["a.c", "l[].y", "m{}.z"]);
        assert_eq!(missing(&theirs, &ours), ["newer"]);
        assert_eq!(missing(&ours, &ours), Vec::<String>::new());
    }

    #[test]
    fn o13_definitions_of_the_release_before_are_enough() {
        let schema = |kind: &str| {
            let all = crd::definitions().into_iter();
            let mut of_kind = all.filter(|definition| definition.spec.names.kind == kind);
            let definition = of_kind.next().unwrap();
            let schema = serde_json::to_value(&definition.spec.versions[0].schema).unwrap();
            schema["openAPIV3Schema"].clone()
        };
        let kinds = ["OAuthClient", "OAuthTenant", "OAuthUser"];
        let judged = |change: &dyn Fn(&str, &mut Value)| {
            let schemas = kinds.map(|kind| {
                let mut schema = schema(kind);
                change(kind, &mut schema);
                (kind, schema)
            });
            let published = |kind: &str| {
                let mut schemas = schemas.iter();
                let found = schemas.find(|(name, _)| *name == kind);
                found.map(|(_, schema)| schema)
            };
            // As if this field were new since the release before, whatever is.
            let is_new =
                |kind: &str, field: &str| (kind, field) == ("OAuthClient", "status.lastUsedAt");
            age_by(published, is_new).unwrap()
        };
        let without = |schema: &mut Value, part: &str, field: &str| {
            let fields = schema["properties"][part]["properties"].as_object_mut();
            assert!(fields.unwrap().remove(field).is_some(), "{field}");
        };
        assert_eq!(judged(&|_, _| {}), Age::Current);
        let before = judged(&|kind, schema| {
            if kind == "OAuthClient" {
                without(schema, "status", "lastUsedAt");
            }
        });
        assert_eq!(
            before,
            Age::OneBefore(vec!["OAuthClient.status.lastUsedAt".to_owned()])
        );
        let older = judged(&|kind, schema| {
            if kind == "OAuthClient" {
                without(schema, "status", "lastUsedAt");
                without(schema, "status", "rotation");
            }
        });
        assert_eq!(
            older,
            Age::Older(vec!["OAuthClient.status.rotation".to_owned()])
        );
        assert_eq!(age(|_| None), None);
    }

    #[test]
    fn o13_fields_that_are_not_declared_are_left_out() {
        let said = "failed to create typed patch object (a/web; clientele.dev/v1alpha1, Kind=OAuthClient): .status.lastUsedAt: field not declared in schema";
        assert_eq!(undeclared(said), ["status.lastUsedAt"]);
        let several = "failed to create typed patch object (a/web; clientele.dev/v1alpha1, Kind=OAuthClient): errors:\n  .status.conditions[type=\"Ready\"].severity: field not declared in schema\n  .status.unusedSince: field not declared in schema";
        assert_eq!(
            undeclared(several),
            ["status.conditions.severity", "status.unusedSince"]
        );
        for other in [
            "Internal error",
            ".status.secretGeneration.new: field not declared in schema",
            ".spec.x: field not declared in schema",
        ] {
            assert_eq!(undeclared(other), Vec::<String>::new(), "{other}");
        }
        let mut status = json!({ "a": 1, "unusedSince": "x", "conditions": [{ "type": "Ready", "severity": 1 }] });
        for field in undeclared(several) {
            prune(&mut status, &field);
        }
        assert_eq!(
            status,
            json!({ "a": 1, "conditions": [{ "type": "Ready" }] })
        );
        prune(&mut status, "status.nothing.below");
    }
}
