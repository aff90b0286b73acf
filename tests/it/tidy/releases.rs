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

/// The folder of the last one.
pub fn last_release() -> String {
    let last = releases().into_iter().max_by_key(|release| {
        let version = release.rsplit('/').next().unwrap().split('.');
        version
            .map(|part| part.parse::<u32>().unwrap())
            .collect::<Vec<_>>()
    });
    last.unwrap()
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

/// Kind and name of each object, and what of it cannot be changed, or is what others connect to.
fn fixed(objects: &[Value]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for object in objects {
        let (spec, name) = (&object["spec"], &object["metadata"]["name"]);
        let place = format!("{} {}", object["kind"].as_str().unwrap(), name);
        found.insert(place.clone());
        match object["kind"].as_str() {
            Some("Deployment") => {
                found.insert(format!("{place} selects {}", spec["selector"]));
            }
            Some("PersistentVolumeClaim") => {
                found.insert(format!("{place} is {spec}"));
            }
            Some("Service") => {
                let ports = spec["ports"].as_array().unwrap().iter();
                found.extend(
                    ports.map(|port| format!("{place} has {} {}", port["name"], port["port"])),
                );
            }
            _ => {}
        }
    }
    found
}

fn documents(text: &str) -> Vec<Value> {
    let documents = text.split("\n---\n").filter(|text| text.contains("kind:"));
    let documents = documents.map(|text| serde_yaml::from_str(text).unwrap());
    documents.collect()
}

#[test]
fn o05_the_chart_renders_what_releases_installed() {
    let output = helm(&["crds.enabled=false"]);
    let now = String::from_utf8(output.stdout).unwrap();
    let now = fixed(&documents(&now));
    assert!(now.len() > 15, "{now:?}");
    let mut findings = Vec::new();
    for release in releases() {
        let before = fixed(&documents(&read(&format!("{release}/chart.yaml"))));
        let lost = before.difference(&now);
        findings.extend(lost.map(|object| format!("{release}: {object}")));
    }
    none(&findings, "an upgrade would remove or refuse these");
}

/// The generated pages of names, as `scripts/version` takes them.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let metrics = read("docs/reference/metrics.md");
    let metrics = metrics.split("\n## ").next().unwrap();
    for row in metrics.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_start_matches("| ").split(" | ").collect();
        let row = format!("metric {} {} {}", cells[0], cells[1], cells[3]);
        let row = row.replace(['`', ','], "");
        names.insert(row.trim_end().to_owned());
    }
    let pages = read("docs/reference/command-line.md");
    for section in pages.split("\n## ").skip(1) {
        let command = section.lines().next().unwrap();
        for row in section.lines().filter(|line| line.starts_with("| `")) {
            let Some((_, flag)) = row.split_once("--") else {
                continue;
            };
            let end = flag.find(|c: char| !(c.is_ascii_lowercase() || c == '-'));
            names.insert(format!("flag {command} --{}", &flag[..end.unwrap()]));
        }
    }
    names
}

#[test]
fn o05_metrics_and_flags_of_releases_keep_their_names() {
    let now = names();
    assert!(now.len() > 100, "{now:?}");
    let mut findings = Vec::new();
    // The release 0.1.0 was never tagged: names were free until 0.2.0.
    for release in releases() {
        let path = format!("{release}/names.txt");
        let Ok(before) = std::fs::read_to_string(root().join(&path)) else {
            continue;
        };
        for name in before.lines() {
            // A label may come to a metric, and none goes.
            let kept = now.iter().any(|now| {
                let words: BTreeSet<&str> = now.split(' ').collect();
                name.split(' ').all(|word| words.contains(word))
            });
            if !kept {
                findings.push(format!("{release}: {name}"));
            }
        }
    }
    none(
        &findings,
        "dashboards, alerts and manifests use these names",
    );
}

#[test]
fn o13_the_new_fields_are_those_since_the_last_release() {
    let schema = |folder: &str, kind: &str| -> Value {
        let path = format!("{folder}crds/{}s.clientele.dev.yaml", kind.to_lowercase());
        let definition: Value = serde_yaml::from_str(&read(&path)).unwrap();
        definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"].clone()
    };
    let last = format!("{}/", last_release());
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
        let before = documents(&read(&format!("{release}/rbac.yaml")));
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
