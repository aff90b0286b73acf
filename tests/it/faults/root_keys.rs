//! The root keys of a run that has its own: every one that there ever was, and how they look without their IDs.

use std::collections::{BTreeMap, BTreeSet};

use clientele_oauth::Keyring;
use clientele_oauth::keys::root_keyring::RootKey;
use serde_json::{Value, json};

use super::normalized_snapshot::{text, values};
use super::run::Run;

/// The entry that names the key which derives.
pub const CURRENT: &str = "current";
/// What precedes a key's ID in the marks of the installation.
const RECORDED: &str = "root-key.";
const WITHDRAWN: &str = "withdrawn-root-key.";
/// Since when the present key derives: written by the operator in its own time, and judged by what it leads to.
const SINCE: &str = "current-root-key";

impl Run {
    /// All root keys so far.
    pub fn keyring(&self) -> Keyring {
        let known = self.history.root_keys();
        let read = |(id, bytes): (&String, &Vec<u8>)| RootKey::new(id, bytes).unwrap();
        match known.keys().next() {
            Some(first) => Keyring::new(first, known.iter().map(read).collect()).unwrap(),
            None => self.cluster.keyring.clone(),
        }
    }

    /// What the ID of each root key is called.
    pub fn key_labels(&self) -> BTreeMap<String, String> {
        let live = self.history.live();
        let now = Keys::of(&live);
        let label = |id: &String| {
            let label = if *id == now.current {
                "the current root key"
            } else {
                "a former root key"
            };
            (id.clone(), label.to_owned())
        };
        self.history.root_keys().keys().map(label).collect()
    }

    /// The Secret with the root keys, or the marks of the installation: what of them two runs have in common.
    pub fn masked_keys(&self, object: &Value) -> Value {
        let labels = self.key_labels();
        if object["kind"] == "Secret" {
            let names: BTreeSet<String> = values(object).into_keys().collect();
            let label = |name: &String| labels.get(name).unwrap_or(name).clone();
            return json!(names.iter().map(label).collect::<BTreeSet<_>>());
        }
        let keyring = self.keyring();
        let marks = object["data"].as_object().into_iter().flatten();
        let normalized = marks
            .filter(|(name, _)| *name != SINCE)
            .map(|(name, value)| {
                let id = name.rsplit('.').next().unwrap_or_default();
                let key = keyring.keys().iter().find(|key| key.id() == id);
                let right = key.is_some_and(|key| key.fingerprint() == text(value));
                (name.replace(id, &labels[id]), json!(right))
            });
        normalized.collect::<serde_json::Map<_, _>>().into()
    }
}

/// The root keys at one moment.
#[derive(Debug, Default)]
pub struct Keys {
    /// The ID of the one that derives.
    pub current: String,
    /// Those in the Secret that count.
    pub live: BTreeSet<String>,
    /// Whether it is noted since when the current one derives.
    pub is_dated: bool,
}

impl Keys {
    /// What Secret and marks among these objects say; nothing in a run that has none of its own.
    pub fn of(objects: &BTreeMap<String, std::sync::Arc<Value>>) -> Self {
        let find = |kind: &str| {
            let mut found = objects.iter().filter(|(key, _)| key.starts_with(kind));
            found.next().map(|(_, object)| &object["data"])
        };
        let Some(secret) = find("RootKeys/").and_then(Value::as_object) else {
            return Self::default();
        };
        let marks = find("Marks/").cloned().unwrap_or_default();
        let withdrawn = |id: &str| marks[format!("{WITHDRAWN}{id}")].is_string();
        let ids = secret.keys().filter(|id| *id != CURRENT && !withdrawn(id));
        let current = values(&json!({ "data": secret })).remove(CURRENT);
        let current = current.unwrap_or_default();
        Self {
            live: ids.cloned().collect(),
            is_dated: text(&marks[SINCE]).starts_with(&*current),
            current,
        }
    }

    /// Whether a key derives. Always so in a run that has none of its own.
    pub fn derive(&self) -> bool {
        self.current.is_empty() || self.live.contains(&self.current)
    }

    /// Whether what a key made is good.
    pub fn know(&self, id: &str) -> bool {
        self.current.is_empty() || self.live.contains(id)
    }
}

/// The ID of the root key that made a credential.
pub fn key_of(credential: &str) -> &str {
    credential.get(4..12).unwrap_or_default()
}

/// The marks with those by which every key but the present one is withdrawn.
pub fn with_others_withdrawn(marks: &Value, current: &str) -> Value {
    let mut marks = marks.clone();
    let recorded: Vec<(String, Value)> = marks["data"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.strip_prefix(RECORDED)?.to_owned(), value.clone())))
        .filter(|(id, _)| id != current)
        .collect();
    for (id, fingerprint) in recorded {
        marks["data"][format!("{WITHDRAWN}{id}")] = fingerprint;
    }
    marks
}
