//! The passwords that OAuthUsers refer to: as hashes, never as they were written.
//!
//! A value is read when its Secret is received. A hash is kept as it is; a plaintext is hashed in the background
//! and forgotten. What is remembered beside the hash is a digest, so that a value that stays the same is not
//! hashed again, and a value that changes is noticed.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use clientele_oauth::user::password::secret_value::{self, Value};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use zeroize::Zeroizing;

use super::namespace_access::{Access, Name, Reach, within};
use super::secret_changes::SecretChanges;
use crate::cache::resource_version::number;
use crate::domain::secret_entry::SecretEntry;
use crate::domain::user::password::{Fingerprint, Found, Hash, Password, fingerprint};

/// So long a start waits for plaintexts to be hashed. An installation with thousands provides hashes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A plaintext to be hashed. Has no `Debug`.
pub struct Job {
    /// Where it stands.
    pub entry: SecretEntry,
    /// Which value it is.
    pub fingerprint: Fingerprint,
    /// The plaintext; overwritten when it is dropped.
    pub plaintext: Zeroizing<String>,
}

/// Whether a plaintext is to be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Yes.
    Now,
    /// Not before a tenant admits the person.
    Later,
    /// No OAuthUser refers to it any more.
    Never,
}

#[derive(Debug, Default)]
struct Seen {
    /// The names of all entries.
    entries: HashSet<String>,
    /// The values of those that an OAuthUser refers to.
    passwords: HashMap<String, Arc<Password>>,
    /// The version of the Secret.
    version: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    secrets: HashMap<Name, Seen>,
    /// The entries that an OAuthUser refers to.
    wanted: HashMap<Name, HashSet<String>>,
    /// Those whose OAuthUser is one of a tenant's: only they are hashed. Unknown before the first registry.
    admitted: Option<HashSet<SecretEntry>>,
    reach: Reach,
    changed: SecretChanges,
}

impl State {
    fn admits(&self, entry: &SecretEntry) -> bool {
        let admitted = self.admitted.as_ref();
        admitted.is_some_and(|admitted| admitted.contains(entry))
    }

    /// The entries that are not hashed yet.
    fn pending(&self) -> impl Iterator<Item = SecretEntry> {
        self.secrets.iter().flat_map(|((namespace, secret), seen)| {
            let passwords = seen.passwords.iter();
            let pending = passwords.filter(|(_, password)| password.hash == Hash::Pending);
            pending.map(|(key, _)| SecretEntry {
                namespace: namespace.clone(),
                secret: secret.clone(),
                key: key.clone(),
            })
        })
    }

    fn take_in(&mut self, secret: &Secret) -> Vec<Job> {
        let name = name_of(secret);
        self.changed.secrets.insert(name.clone());
        let wanted = self.wanted.get(&name).cloned().unwrap_or_default();
        let mut before = self.secrets.remove(&name).unwrap_or_default();
        let mut seen = Seen {
            version: number(secret.metadata.resource_version.as_deref()),
            ..Seen::default()
        };
        let mut jobs = Vec::new();
        for (entry, value) in secret.data.iter().flatten() {
            seen.entries.insert(entry.clone());
            if !wanted.contains(entry) {
                continue;
            }
            let fingerprint = fingerprint(&value.0);
            let known = before.passwords.remove(entry);
            let known = known.filter(|known| known.fingerprint == fingerprint);
            let password = known.unwrap_or_else(|| {
                let (hash, plaintext) = look_at(&value.0);
                jobs.extend(plaintext.map(|plaintext| Job {
                    entry: SecretEntry {
                        namespace: name.0.clone(),
                        secret: name.1.clone(),
                        key: entry.clone(),
                    },
                    fingerprint,
                    plaintext,
                }));
                Arc::new(Password { fingerprint, hash })
            });
            seen.passwords.insert(entry.clone(), password);
        }
        self.secrets.insert(name, seen);
        jobs
    }
}

fn name_of(secret: &Secret) -> Name {
    (secret.namespace().unwrap_or_default(), secret.name_any())
}

/// The index.
#[derive(Debug)]
pub struct PasswordIndex {
    state: RwLock<State>,
    began: Instant,
    settled: AtomicBool,
}

impl Default for PasswordIndex {
    fn default() -> Self {
        Self {
            state: RwLock::default(),
            began: Instant::now(),
            settled: AtomicBool::new(false),
        }
    }
}

impl PasswordIndex {
    fn read<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.state.read().expect("no holder of this lock panics"))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.write().expect("no holder of this lock panics"))
    }

    /// What is known of an entry.
    pub fn find(&self, entry: &SecretEntry) -> Found {
        self.read(|state| {
            let name = (entry.namespace.clone(), entry.secret.clone());
            let access = state.reach.of(&entry.namespace);
            let Some(seen) = state.secrets.get(&name) else {
                return match access {
                    Access::Pending => Found::Pending,
                    Access::Denied(sentence) => Found::Denied(sentence),
                    Access::Granted => Found::NoSecret,
                };
            };
            match seen.passwords.get(&entry.key) {
                Some(password) => Found::Known(password.clone()),
                None if seen.entries.contains(&entry.key) => Found::Pending,
                None => Found::NoEntry,
            }
        })
    }

    /// An OAuthUser refers to an entry. Returns whether its Secret has to be read once more for it.
    pub fn want(&self, entry: &SecretEntry) -> bool {
        self.write(|state| {
            let name = (entry.namespace.clone(), entry.secret.clone());
            let unread = state.secrets.get(&name).is_some_and(|seen| {
                seen.entries.contains(&entry.key) && !seen.passwords.contains_key(&entry.key)
            });
            state
                .wanted
                .entry(name)
                .or_default()
                .insert(entry.key.clone());
            unread
        })
    }

    /// No OAuthUser refers to any other entry than these.
    pub fn want_only(&self, entries: impl Iterator<Item = SecretEntry>) {
        let mut wanted: HashMap<Name, HashSet<String>> = HashMap::new();
        for entry in entries {
            let name = (entry.namespace, entry.secret);
            wanted.entry(name).or_default().insert(entry.key);
        }
        self.write(|state| state.wanted = wanted);
    }

    /// Tenants admit the people who refer to these entries, and no other people.
    pub fn admit_only(&self, entries: impl Iterator<Item = SecretEntry>) {
        let admitted = entries.collect();
        self.write(|state| state.admitted = Some(admitted));
    }

    /// Whether an OAuthUser refers to this entry, and whether a tenant admits one who does.
    pub fn set_use(&self, entry: &SecretEntry, refers: bool, admitted: bool) {
        self.write(|state| {
            let name = (entry.namespace.clone(), entry.secret.clone());
            if refers {
                let entries = state.wanted.entry(name).or_default();
                entries.insert(entry.key.clone());
            } else if let Some(entries) = state.wanted.get_mut(&name) {
                entries.remove(&entry.key);
                if entries.is_empty() {
                    state.wanted.remove(&name);
                }
            }
            let known = state.admitted.get_or_insert_default();
            if admitted {
                known.insert(entry.clone());
            } else {
                known.remove(entry);
            }
        });
    }

    /// Whether a plaintext of this entry is to be hashed.
    pub fn is_wanted(&self, entry: &SecretEntry) -> Wanted {
        self.read(|state| {
            let name = (entry.namespace.clone(), entry.secret.clone());
            let refers = state.wanted.get(&name);
            if !refers.is_some_and(|entries| entries.contains(&entry.key)) {
                Wanted::Never
            } else if state.admits(entry) {
                Wanted::Now
            } else {
                Wanted::Later
            }
        })
    }

    /// The namespaces in which an OAuthUser refers to a Secret.
    pub fn namespaces(&self) -> HashSet<String> {
        self.read(|state| state.wanted.keys().map(|(ns, _)| ns.clone()).collect())
    }

    /// Takes in a Secret that was observed. Returns what has to be hashed.
    pub fn put(&self, secret: &Secret) -> Vec<Job> {
        self.write(|state| state.take_in(secret))
    }

    /// Takes in a Secret that was read once more, unless the watch has told meanwhile of a newer version, or that the
    /// Secret was deleted.
    pub fn put_again(&self, secret: &Secret) -> Vec<Job> {
        let read = number(secret.metadata.resource_version.as_deref());
        self.write(|state| match state.secrets.get(&name_of(secret)) {
            Some(known) if known.version <= read => state.take_in(secret),
            _ => Vec::new(),
        })
    }

    /// Takes in a hash, unless the value has changed in the meantime.
    pub fn hashed(&self, entry: &SecretEntry, fingerprint: Fingerprint, hash: Hash) {
        self.write(|state| {
            let name = (entry.namespace.clone(), entry.secret.clone());
            let seen = state.secrets.get_mut(&name);
            let known = seen.and_then(|seen| seen.passwords.get_mut(&entry.key));
            if let Some(known) = known.filter(|known| known.fingerprint == fingerprint) {
                *known = Arc::new(Password { fingerprint, hash });
                state.changed.entries.insert(entry.clone());
            }
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

    /// Whether everything that an OAuthUser referred to at the start was read. Once it was, it stays so.
    pub fn is_settled(&self) -> bool {
        if self.settled.load(Relaxed) {
            return true;
        }
        let settled = self.read(|state| {
            let mut namespaces = state.wanted.keys().map(|(namespace, _)| namespace);
            let hashed = state.pending().all(|entry| {
                let is_known = state.admitted.is_some();
                is_known && !state.admits(&entry)
            });
            namespaces.all(|namespace| state.reach.of(namespace) != Access::Pending)
                && (hashed || self.began.elapsed() > PATIENCE)
        });
        self.settled.store(settled, Relaxed);
        settled
    }
}

/// What a value is: a hash, something unusable, or a plaintext that has to be hashed.
fn look_at(value: &[u8]) -> (Hash, Option<Zeroizing<String>>) {
    match secret_value::read(value) {
        Ok(Value::Hash(hash)) => (Hash::Ready(hash), None),
        Ok(Value::Plaintext(text)) => (Hash::Pending, Some(Zeroizing::new(text.to_owned()))),
        Err(problem) => (Hash::Unusable(problem), None),
    }
}

#[cfg(test)]
mod tests;
