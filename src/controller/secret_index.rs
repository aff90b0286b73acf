//! The credentials Secrets as they are, in digests, and in which namespaces they can be seen at all.

use std::collections::HashMap;
use std::sync::RwLock;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::access::{Access, Name, Reach};
use super::credentials_secret::CLIENT_LABEL;
use super::facts::{Digests, Facts};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    client: Box<str>,
    facts: Facts,
}

#[derive(Debug, Default)]
struct Namespace {
    by_name: HashMap<Box<str>, Entry>,
    /// The names of the Secrets of each client.
    by_client: HashMap<Box<str>, Vec<Box<str>>>,
}

impl Namespace {
    fn insert(&mut self, name: &str, entry: Entry) -> Option<Entry> {
        let before = self.remove(name);
        let names = self.by_client.entry(entry.client.clone()).or_default();
        names.push(name.into());
        self.by_name.insert(name.into(), entry);
        before
    }

    fn remove(&mut self, name: &str) -> Option<Entry> {
        let entry = self.by_name.remove(name)?;
        if let Some(names) = self.by_client.get_mut(&entry.client) {
            names.retain(|other| &**other != name);
            if names.is_empty() {
                self.by_client.remove(&entry.client);
            }
        }
        Some(entry)
    }
}

#[derive(Debug, Default)]
struct State {
    secrets: HashMap<Box<str>, Namespace>,
    reach: Reach,
}

/// The index.
#[derive(Debug, Default)]
pub struct SecretIndex(RwLock<State>);

impl SecretIndex {
    fn read<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.0.read().expect("no holder of this lock panics"))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.write().expect("no holder of this lock panics"))
    }

    /// What is known of a Secret.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Facts> {
        self.read(|state| {
            let known = state.secrets.get(namespace)?;
            Some(known.by_name.get(name)?.facts.clone())
        })
    }

    /// Every Secret that is labelled as one of this client, by name.
    pub fn of_client(&self, namespace: &str, client: &str) -> Vec<(String, Facts)> {
        self.read(|state| {
            let Some(known) = state.secrets.get(namespace) else {
                return Vec::new();
            };
            let names = known.by_client.get(client).into_iter().flatten();
            names
                .filter_map(|name| Some((name.to_string(), known.by_name.get(name)?.facts.clone())))
                .collect()
        })
    }

    /// Remembers a Secret that was observed or written. Returns the names of the clients whose Secret is
    /// not as it was: the one in its label, and the one in the label that somebody replaced.
    pub fn put(&self, secret: &Secret, digests: &Digests) -> Vec<Box<str>> {
        let namespace = secret.namespace().unwrap_or_default();
        let Some(client) = secret.labels().get(CLIENT_LABEL) else {
            let forgotten = self.forget(&namespace, &secret.name_any());
            return forgotten.into_iter().collect();
        };
        let entry = Entry {
            client: client.as_str().into(),
            facts: Facts::new(secret, digests),
        };
        let after = entry.clone();
        let before = self.write(|state| {
            let known = state.secrets.entry(namespace.into()).or_default();
            known.insert(&secret.name_any(), entry)
        });
        match before {
            Some(before) if before == after => Vec::new(),
            Some(before) if before.client != after.client => vec![before.client, after.client],
            _ => vec![after.client],
        }
    }

    /// Forgets a Secret. Returns the name of its client, if it was known.
    pub fn forget(&self, namespace: &str, name: &str) -> Option<Box<str>> {
        self.write(|state| Some(state.secrets.get_mut(namespace)?.remove(name)?.client))
    }

    /// The Secrets that are known in a namespace, or in all.
    pub fn names(&self, namespace: Option<&str>) -> Vec<Name> {
        self.read(|state| {
            let wanted = |ns: &str| namespace.is_none_or(|only| only == ns);
            let known = state.secrets.iter().filter(|(ns, _)| wanted(ns));
            known
                .flat_map(|(ns, known)| {
                    let names = known.by_name.keys();
                    names.map(|name| (ns.to_string(), name.to_string()))
                })
                .collect()
        })
    }

    /// Whether Secrets of the namespace are within reach.
    pub fn access(&self, namespace: &str) -> Access {
        self.read(|state| state.reach.of(namespace))
    }

    /// Records whether Secrets of a namespace (or of all) are within reach. Returns whether that changed.
    pub fn set_access(&self, namespace: Option<&str>, access: Access) -> bool {
        self.write(|state| state.reach.set(namespace, access))
    }
}
