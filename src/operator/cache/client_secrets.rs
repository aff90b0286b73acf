//! The client secrets that application teams provide, as digests: what every entry of a Secret that opted in holds.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, RwLock};

use clientele_api::OAuthClient;
use clientele_oauth::client::external_secret;
use clientele_oauth::client::external_secret::ExternalSecretKey;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use zeroize::Zeroizing;

use super::namespace_access::{Access, Name, Reach, within};
use super::objects::Objects;
use super::secret_changes::SecretChanges;
use crate::domain::client::secret_ref::{Found, SecretRefEntries};

type Entries = HashMap<Box<str>, Found>;

#[derive(Debug, Default)]
struct State {
    secrets: HashMap<Name, Entries>,
    reach: Reach,
    changed: SecretChanges,
}

/// The index.
#[derive(Debug)]
pub struct ClientSecretIndex {
    key: Arc<ExternalSecretKey>,
    state: RwLock<State>,
    settled: AtomicBool,
}

impl Default for ClientSecretIndex {
    /// Nothing seen yet, and a key of chance.
    fn default() -> Self {
        let mut random = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(random.as_mut_slice()).expect("the system has random bytes");
        Self::new(&random)
    }
}

impl ClientSecretIndex {
    /// Nothing seen yet.
    pub fn new(random: &[u8; 32]) -> Self {
        Self {
            key: Arc::new(ExternalSecretKey::new(random)),
            state: RwLock::default(),
            settled: AtomicBool::new(false),
        }
    }

    fn read<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.state.read().expect("no holder of this lock panics"))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.write().expect("no holder of this lock panics"))
    }

    /// What is known of the entries that an object refers to; `None` if it does not.
    pub fn look(&self, object: &OAuthClient) -> Option<SecretRefEntries> {
        let reference = object.spec.secret_ref.as_ref()?;
        let name = (
            object.namespace().unwrap_or_default(),
            reference.name.clone(),
        );
        let (current, previous) = self.read(|state| {
            let find = |key: &str| match state.secrets.get(&name) {
                Some(entries) => entries.get(key).cloned().unwrap_or(Found::NoEntry),
                None => match state.reach.of(&name.0) {
                    Access::Pending => Found::Pending,
                    Access::Denied(sentence) => Found::Denied(sentence),
                    Access::Granted => Found::NoSecret,
                },
            };
            let previous = reference.previous_key.as_deref();
            (find(&reference.key), previous.map(find))
        });
        Some(SecretRefEntries {
            key: self.key.clone(),
            current,
            previous,
        })
    }

    /// Takes in a Secret that opted in.
    pub fn put(&self, secret: &Secret) {
        let entries = secret.data.iter().flatten().map(|(name, value)| {
            let found = match external_secret::read(&value.0) {
                Ok(value) => Found::Known(self.key.digest(value)),
                Err("is empty") => Found::NoEntry,
                Err(problem) => Found::Unusable(problem),
            };
            (name.as_str().into(), found)
        });
        let entries = entries.collect();
        let name = (secret.namespace().unwrap_or_default(), secret.name_any());
        self.write(|state| {
            state.changed.secrets.insert(name.clone());
            state.secrets.insert(name, entries);
        });
    }

    /// Forgets a Secret that was deleted.
    pub fn forget(&self, namespace: &str, name: &str) {
        let name = (namespace.to_owned(), name.to_owned());
        self.write(|state| {
            state.secrets.remove(&name);
            state.changed.secrets.insert(name);
        });
    }

    /// The Secrets that are known in a namespace, or in all.
    pub fn names(&self, namespace: Option<&str>) -> Vec<Name> {
        self.read(|state| within(state.secrets.keys(), namespace))
    }

    /// Records whether Secrets of a namespace (or of all) are within reach. Returns whether that changed.
    pub fn set_access(&self, namespace: Option<&str>, access: Access) -> bool {
        self.write(|state| {
            let changed = state.reach.set(namespace, access);
            if changed {
                state.changed.note_access(namespace);
            }
            changed
        })
    }

    /// Takes what changed since it was taken last.
    pub fn take_changes(&self) -> SecretChanges {
        self.write(|state| std::mem::take(&mut state.changed))
    }

    /// Whether something changed since it was taken last.
    pub fn has_changes(&self) -> bool {
        self.read(|state| !state.changed.is_empty())
    }

    /// Whether everything was looked at that one of the objects refers to. Once it was, it stays so, and the objects are
    /// not asked for any more.
    pub fn is_settled(&self, clients: &Objects<OAuthClient>) -> bool {
        if self.settled.load(Relaxed) {
            return true;
        }
        let namespaces = clients.namespaces(|client| client.secret_ref().is_some());
        let settled = self.read(|state| {
            let mut reach = namespaces.iter().map(|namespace| state.reach.of(namespace));
            reach.all(|access| access != Access::Pending)
        });
        self.settled.store(settled, Relaxed);
        settled
    }
}
