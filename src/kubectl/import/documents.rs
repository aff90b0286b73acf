//! Files → JSON documents: YAML and JSON, several in a file, lists of kubectl.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::objects::{name, namespace, text};

/// The largest file that is read.
const MAX: u64 = 256 * 1024 * 1024;

/// The documents of all files, and the Secrets among them.
#[derive(Default)]
pub struct Documents {
    /// Every document that is no Secret.
    pub documents: Vec<Value>,
    secrets: BTreeMap<(String, String), BTreeMap<String, String>>,
}

impl Documents {
    /// Reads files, folders, and standard input for `-`.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut documents = Self::default();
        for path in paths {
            documents.read_path(path)?;
        }
        Ok(documents)
    }

    fn read_path(&mut self, path: &Path) -> Result<(), Failure> {
        let unreadable = |error: std::io::Error| {
            Failure::new(format!("{} cannot be read: {error}", path.display()))
        };
        if path.as_os_str() == "-" {
            let mut text = String::new();
            let mut input = std::io::stdin().take(MAX);
            input.read_to_string(&mut text).map_err(unreadable)?;
            return self.add("standard input", &text);
        }
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(unreadable)?;
            let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            files.retain(|file| {
                let ending = file.extension().and_then(|ending| ending.to_str());
                ending.is_some_and(|ending| ["json", "yaml", "yml"].contains(&ending))
            });
            files.sort();
            return files.iter().try_for_each(|file| self.read_path(file));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        self.add(&path.display().to_string(), &text)
    }

    /// Takes in a file.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Failure> {
        let parsed = parse(text)
            .map_err(|error| Failure::new(format!("{file} is neither YAML nor JSON: {error}")))?;
        for document in parsed {
            self.take_in(document);
        }
        Ok(())
    }

    fn take_in(&mut self, document: Value) {
        match document {
            Value::Object(mut object)
                if object
                    .get("kind")
                    .and_then(Value::as_str)
                    .is_some_and(|kind| kind.ends_with("List"))
                    && object.get("items").is_some_and(Value::is_array) =>
            {
                if let Some(Value::Array(items)) = object.remove("items") {
                    for item in items {
                        self.take_in(item);
                    }
                }
            }
            document if text(&document, "/kind") == "Secret" => {
                let place = (namespace(&document).to_owned(), name(&document).to_owned());
                self.secrets.insert(place, entries(&document));
            }
            Value::Null => {}
            document => self.documents.push(document),
        }
    }

    /// The objects of a kind of a group, of whatever version.
    pub fn of_kind<'a>(&'a self, group: &'a str, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let is_wanted = move |document: &&Value| {
            let version = text(document, "/apiVersion");
            text(document, "/kind") == kind
                && version.split_once('/').is_some_and(|(of, _)| of == group)
        };
        self.documents.iter().filter(is_wanted)
    }

    /// The entries of a Secret as text.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&BTreeMap<String, String>> {
        self.secrets.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The names of the Secrets of a namespace.
    pub fn secret_names(&self, namespace: &str) -> BTreeSet<&str> {
        let here = self.secrets.keys().filter(|(of, _)| of == namespace);
        here.map(|(_, name)| name.as_str()).collect()
    }
}

fn parse(text: &str) -> Result<Vec<Value>, String> {
    let begin = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if begin.starts_with(['{', '[']) {
        let values = serde_json::Deserializer::from_str(begin).into_iter::<Value>();
        if let Ok(values) = values.collect::<Result<Vec<Value>, _>>() {
            return Ok(values.into_iter().flat_map(flat).collect());
        }
    }
    let documents = serde_yaml::Deserializer::from_str(text);
    let mut values = Vec::new();
    for document in documents {
        let value = serde_yaml::Value::deserialize(document).map_err(|error| error.to_string())?;
        values.extend(flat(to_json(value)));
    }
    Ok(values)
}

/// A list of documents is the documents.
fn flat(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        value => vec![value],
    }
}

/// YAML → JSON. A tag such as authentik's `!Find` becomes an object with the tag as its key, so that no reader takes what
/// it says for a value.
fn to_json(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(value) => value.into(),
        serde_yaml::Value::Number(number) => serde_json::to_value(&number).unwrap_or(Value::Null),
        serde_yaml::Value::String(text) => text.into(),
        serde_yaml::Value::Sequence(values) => values.into_iter().map(to_json).collect(),
        serde_yaml::Value::Mapping(mapping) => {
            let pairs = mapping.into_iter().map(|(key, value)| {
                let key = match to_json(key) {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                (key, to_json(value))
            });
            Value::Object(pairs.collect())
        }
        serde_yaml::Value::Tagged(tagged) => {
            let pair = (tagged.tag.to_string(), to_json(tagged.value));
            Value::Object([pair].into_iter().collect())
        }
    }
}

fn entries(secret: &Value) -> BTreeMap<String, String> {
    let map = |pointer: &str| {
        let map = secret.pointer(pointer).and_then(Value::as_object);
        map.into_iter().flatten()
    };
    let decoded = map("/data").filter_map(|(name, value)| {
        let bytes = STANDARD.decode(value.as_str()?.trim()).ok()?;
        Some((name.clone(), String::from_utf8(bytes).ok()?))
    });
    let plain = map("/stringData")
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    decoded.chain(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Documents {
        let mut documents = Documents::default();
        documents.add("a", text).unwrap();
        documents
    }

    #[test]
    fn lists_streams_and_single_documents_are_the_same() {
        let one = "apiVersion: a.b/v1\nkind: C\nmetadata: {name: x}\n";
        let json = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"a.b/v1","kind":"C","metadata":{"name":"x"}}]}"#;
        for text in [
            one,
            json,
            &format!("---\n{one}---\n"),
            &format!("- {}", one.trim().replace('\n', "\n  ")),
        ] {
            assert_eq!(read(text).of_kind("a.b", "C").count(), 1, "{text}");
            assert_eq!(read(text).of_kind("b", "C").count(), 0, "{text}");
        }
    }

    #[test]
    fn secrets_are_apart() {
        let found = read(
            "kind: Secret\nmetadata: {name: s, namespace: n}\ndata: {a: aGk=, bad: '%'}\nstringData: {b: plain}\n",
        );
        assert!(found.documents.is_empty());
        let entries = found.secret("n", "s").unwrap();
        assert_eq!(
            (entries["a"].as_str(), entries["b"].as_str()),
            ("hi", "plain")
        );
        assert!(!entries.contains_key("bad"));
    }

    #[test]
    fn a_tag_is_no_value() {
        let found = read("a: !Find [b, [c, d]]\n");
        assert!(found.documents[0]["a"].is_object(), "{:?}", found.documents);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let failure = Documents::default().add("x.yaml", "a: [").unwrap_err();
        assert!(
            failure
                .to_string()
                .starts_with("x.yaml is neither YAML nor JSON")
        );
    }
}
