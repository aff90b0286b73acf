//! What an older or a newer release of the same installation has to find: definitions, Roles and migrations only grow.
//! `tests/releases/` has frozen copies of what releases had.

use std::collections::BTreeSet;

use clientele_api::new_fields::NEW_FIELDS;
use clientele_operator::domain::definitions::missing;
use serde_json::Value;

use super::chart::{helm, objects_of};
use xtask::source::{files, none, read, root};

/// The folders of `tests/releases/`.
fn releases() -> Vec<String> {
    let folders = std::fs::read_dir(root().join("tests/releases")).unwrap();
    let folders = folders.map(|entry| entry.unwrap());
    let folders = folders.filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().into_string().unwrap());
    let releases: Vec<String> = names.map(|name| format!("tests/releases/{name}")).collect();
    assert!(!releases.is_empty());
    releases
}

/// The paths of every field below a schema, with its type.
fn fields(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let kind = property["type"].as_str().unwrap_or("any");
        found.insert(format!("{path} {kind}"));
        fields(property, &path, found);
    }
    for (below, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[below].is_object() {
            fields(&schema[below], &format!("{path}{mark}"), found);
        }
    }
}

/// The fields of a definition, and what it demands.
fn definition(path: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let definition: Value = serde_yaml::from_str(&read(path)).unwrap();
    let version = &definition["spec"]["versions"][0];
    let schema = &version["schema"]["openAPIV3Schema"];
    let mut found = BTreeSet::from([version["name"].to_string()]);
    fields(schema, "", &mut found);
    let required = schema.pointer("/properties/spec/required");
    let required = required.and_then(Value::as_array).into_iter().flatten();
    (found, required.map(Value::to_string).collect())
}

#[test]
fn o05_definitions_only_grow() {
    let mut findings = Vec::new();
    for release in releases() {
        for kind in ["oauthclients", "oauthtenants", "oauthusers"] {
            let name = format!("crds/{kind}.clientele.dev.yaml");
            let (before, demanded) = definition(&format!("{release}/{name}"));
            let (now, demands) = definition(&name);
            let lost = before.difference(&now);
            findings.extend(lost.map(|field| format!("{kind}: {field} of {release} was removed")));
            let new = demands.difference(&demanded);
            findings
                .extend(new.map(|field| format!("{kind}: {field} is demanded since {release}")));
        }
    }
    none(
        &findings,
        "manifests of a release must go on to be accepted",
    );
}

#[test]
fn o13_the_new_fields_are_those_since_the_last_release() {
    let last = releases().into_iter().max_by_key(|release| {
        let version = release.rsplit('/').next().unwrap().split('.');
        version
            .map(|part| part.parse::<u32>().unwrap())
            .collect::<Vec<_>>()
    });
    let schema = |folder: &str, kind: &str| -> Value {
        let path = format!("{folder}crds/{}s.clientele.dev.yaml", kind.to_lowercase());
        let definition: Value = serde_yaml::from_str(&read(&path)).unwrap();
        definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"].clone()
    };
    let last = format!("{}/", last.unwrap());
    for (kind, fields) in NEW_FIELDS {
        let (ours, theirs) = (schema("", kind), schema(&last, kind));
        let mut new: Vec<String> = Vec::new();
        for part in ["spec", "status"] {
            let missing = missing(&ours[part], &theirs[part]).into_iter();
            new.extend(missing.map(|field| format!("{part}.{field}")));
        }
        new.sort();
        assert_eq!(new, fields, "src/api/new_fields.rs for {kind}");
    }
}

/// Each right on its own: group, resource, name, verb, and where.
fn rights(objects: &[Value]) -> BTreeSet<String> {
    let list = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    };
    let mut rights = BTreeSet::new();
    for object in objects {
        let place = (&object["kind"], &object["metadata"]["name"]);
        if place.1 != "clientele" {
            continue;
        }
        for rule in object["rules"].as_array().into_iter().flatten() {
            let mut names = list(&rule["resourceNames"]);
            names.extend(names.is_empty().then(|| "*".to_owned()));
            for verb in list(&rule["verbs"]) {
                for url in list(&rule["nonResourceURLs"]) {
                    rights.insert(format!("{} {verb} {url}", place.0));
                }
                for resource in list(&rule["resources"]) {
                    for name in &names {
                        let group = rule["apiGroups"][0].as_str().unwrap();
                        rights.insert(format!("{} {verb} {resource}.{group}/{name}", place.0));
                    }
                }
            }
        }
    }
    rights
}

/// What a version may lack: an older Role comes back with a rollback before the older program does, and a newer Role is
/// there before the newer program. Rights that are new since a release must be named here with what happens without.
const NEW_RIGHTS: [(&str, &str); 0] = [];

#[test]
fn o05_the_roles_of_releases_hold_what_is_written() {
    let output = helm(&[]);
    let now = [
        objects_of(&output, "Role"),
        objects_of(&output, "ClusterRole"),
    ]
    .concat();
    let now = rights(&now);
    assert!(now.len() > 30, "{now:?}");
    let mut findings = Vec::new();
    for release in releases() {
        let text = read(&format!("{release}/rbac.yaml"));
        let documents = text.split("\n---\n").filter(|text| text.contains("kind:"));
        let before: Vec<Value> = documents
            .map(|text| serde_yaml::from_str(text).unwrap())
            .collect();
        let before = rights(&before);
        let lost = before.difference(&now);
        findings.extend(lost.map(|right| format!("{release} needs {right}")));
        let new = now.difference(&before);
        let new = new.filter(|right| NEW_RIGHTS.iter().all(|(known, _)| known != right));
        findings.extend(new.map(|right| format!("{release} has no {right}")));
    }
    none(
        &findings,
        "program and Roles of two releases must work together",
    );
}

#[test]
fn o05_migrations_of_releases_never_change() {
    let mut findings = Vec::new();
    for release in releases() {
        let frozen = files(&format!("{release}/migrations"), &["sql"]);
        assert!(!frozen.is_empty(), "{release}");
        for migration in frozen {
            let name = migration.path.rsplit('/').next().unwrap();
            let now = root().join("src/store/migrations").join(name);
            if std::fs::read_to_string(&now).ok().as_deref() != Some(&*migration.text) {
                findings.push(format!("{name} of {release}"));
            }
        }
    }
    none(
        &findings,
        "a migration that ran somewhere is another one now",
    );
}

#[test]
fn o12_the_error_of_foreign_definitions_is_documented() {
    let page = read("docs/operations/troubleshooting.md");
    for words in [
        "invalid ownership metadata",
        "--take-ownership",
        "crds.enabled=false",
    ] {
        assert!(page.contains(words), "{words}");
    }
}
