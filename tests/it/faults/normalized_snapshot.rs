//! A run as it can be compared with another: without UIDs, versions, times and the names of the run.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_oauth::keys::root_keyring::Registration;
use clientele_operator::domain::client::secret::PROOF_ANNOTATION;
use serde_json::{Value, json};

use super::root_keys::key_of;
use super::run::Run;

/// The state of a run: objects and verdicts, by name.
pub type NormalizedSnapshot = BTreeMap<String, Value>;

/// A registration that existed in the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registered {
    /// `OAuthClient/web#1`
    pub label: String,
    pub client_id: String,
    pub uid: String,
    pub tenant: String,
}

/// A credential that was published in the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    pub whose: Registered,
    pub generation: u32,
    pub value: String,
}

/// The values of a Secret as text.
pub fn values(secret: &Value) -> BTreeMap<String, String> {
    let data = secret["data"].as_object().cloned().unwrap_or_default();
    data.into_iter()
        .map(|(name, value)| {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default());
            let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
            (name, text)
        })
        .collect()
}

/// What a value that looks like a credential is.
pub fn looks_like_one(value: &str) -> bool {
    value.starts_with("clt_")
}

impl Run {
    /// Every registration so far.
    pub fn registered(&self) -> Vec<Registered> {
        let labels = self.history.labels();
        let mut found: Vec<Registered> = Vec::new();
        for seen in self.history.events() {
            let Some(name) = seen.key.strip_prefix("OAuthClient/") else {
                continue;
            };
            let uid = text(&seen.object["metadata"]["uid"]);
            if found.iter().all(|known| known.uid != uid) {
                let brought = seen.object["spec"]["clientId"].as_str();
                found.push(Registered {
                    label: labels[&uid].clone(),
                    client_id: brought.map_or(format!("{}.{name}", self.namespace), str::to_owned),
                    tenant: text(&seen.object["spec"]["tenant"]),
                    uid,
                });
            }
        }
        found
    }

    /// Whose credential a value is, and of which generation.
    pub fn recognize(&self, value: &str, registered: &[Registered]) -> Option<Published> {
        let keyring = self.keyring();
        registered.iter().find_map(|whose| {
            let registration = Registration {
                client_id: &whose.client_id,
                client_uid: &whose.uid,
            };
            let generation = keyring.verify(registration, value.as_bytes())?;
            Some(Published {
                whose: whose.clone(),
                generation,
                value: value.to_owned(),
            })
        })
    }

    /// Every credential that was ever in a Secret.
    pub fn published(&self) -> Vec<Published> {
        let registered = self.registered();
        let mut found: Vec<Published> = self
            .history
            .events()
            .iter()
            .filter(|seen| seen.key.starts_with("Secret/"))
            .flat_map(|seen| values(&seen.object).into_values())
            .filter(|value| looks_like_one(value))
            .filter_map(|value| self.recognize(&value, &registered))
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// The objects as they are, normalized. Secrets that persons made are judged by an oracle of their own.
    pub fn objects(&self) -> NormalizedSnapshot {
        let registered = self.registered();
        let theirs = self.made_by_persons();
        let live = self.history.live();
        let ours = live
            .into_iter()
            .filter(|(_, object)| !theirs.contains(&text(&object["metadata"]["uid"])));
        ours.map(|(key, object)| {
            (
                self.named(&key),
                self.normalized(&key, &object, &registered),
            )
        })
        .collect()
    }

    /// The UIDs of Secrets that persons made.
    pub fn made_by_persons(&self) -> Vec<String> {
        let events = self.history.events();
        let created = events.iter().filter(|seen| {
            seen.key.starts_with("Secret/")
                && seen.change == super::object_history::Change::Created
                && self.is_by_a_person(&seen.object, false)
        });
        created
            .map(|seen| text(&seen.object["metadata"]["uid"]))
            .collect()
    }

    fn normalized(&self, key: &str, object: &Value, registered: &[Registered]) -> Value {
        let mut object = object.clone();
        if key.starts_with("RootKeys/") || key.starts_with("Marks/") {
            return self.masked_keys(&object);
        }
        for counted in [
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "managedFields",
        ] {
            object["metadata"].as_object_mut().unwrap().remove(counted);
        }
        if let Some(annotations) = object
            .pointer_mut("/metadata/annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.remove("example.com/outran");
            if annotations.is_empty() {
                object["metadata"]
                    .as_object_mut()
                    .unwrap()
                    .remove("annotations");
            }
        }
        if object["kind"] == "Secret" {
            object["metadata"]["annotations"][PROOF_ANNOTATION] =
                self.proof(&object, registered).into();
            let mut values = values(&object);
            values.remove("ADDED");
            let labels = self.key_labels();
            let made_by = |value: &str| {
                let label = labels.get(key_of(value));
                label.map_or(String::new(), |label| format!(" by {label}"))
            };
            for value in values.values_mut().filter(|value| looks_like_one(value)) {
                *value = match self.recognize(value, registered) {
                    Some(known) => {
                        format!(
                            "generation {} of {}{}",
                            known.generation,
                            known.whose.label,
                            made_by(value)
                        )
                    }
                    None => "no credential of anybody".to_owned(),
                };
            }
            object["data"] = json!(values);
        }
        let mut labels = self.history.labels();
        for label in labels.values_mut() {
            *label = format!("UID of {label}");
        }
        labels.extend(self.key_labels());
        self.mask_text(&mut object, &labels);
        object
    }

    fn proof(&self, secret: &Value, registered: &[Registered]) -> String {
        let proof = text(&secret["metadata"]["annotations"][PROOF_ANNOTATION]);
        let name = text(&secret["metadata"]["name"]);
        let keyring = self.keyring();
        let proven = registered
            .iter()
            .find(|whose| keyring.verify_proof(&proof, &self.namespace, &name, &whose.uid));
        proven.map_or(proof, |whose| format!("proof of {}", whose.label))
    }

    fn mask_text(&self, value: &mut Value, labels: &std::collections::HashMap<String, String>) {
        match value {
            Value::String(text) => {
                if let Some(label) = labels.get(text.as_str()) {
                    text.clone_from(label);
                }
                *text = timeless(&self.named(text));
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.mask_text(item, labels)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    if name == "lastCause" && self.is_emergency() {
                        // Who was quick moved before the other keys were withdrawn.
                        *field = "RootKey".into();
                    }
                    if [
                        "lastTransitionTime",
                        "publishedAt",
                        "retiresAt",
                        "sessionsValidFrom",
                        "unusedSince",
                        "deletionTimestamp",
                    ]
                    .contains(&name.as_str())
                    {
                        *field = "a time".into();
                    }
                    self.mask_text(field, labels);
                }
            }
            _ => {}
        }
    }

    /// Without the names of the run.
    pub fn named(&self, text: &str) -> String {
        let text = text.replace(&format!("t-{}", self.namespace), "TENANT");
        text.replace(&self.namespace, "NAMESPACE")
    }
}

/// Without the times that are in it, alone or within a sentence.
fn timeless(text: &str) -> String {
    let is_time = |word: &str| {
        word.trim_matches([',', ';', '.'])
            .parse::<jiff::Timestamp>()
            .is_ok()
    };
    let words = text
        .split(' ')
        .map(|word| if is_time(word) { "(a time)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// A string, or nothing.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
