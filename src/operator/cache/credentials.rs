//! The credentials Secrets as they are, in digests, and in which namespaces they can be seen at all.

use std::collections::HashMap;
use std::sync::RwLock;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::namespace_access::{Access, Name, Reach};
use crate::cache::resource_version::number;
use crate::domain::client::identity::{usual_client, usual_secret_name};
use crate::domain::client::secret::CLIENT_LABEL;
use crate::domain::client::secret::digest::{DigestKey, SecretDigest};

#[derive(Debug)]
struct Entry {
    /// None where the Secret has the usual name for its client.
    client: Option<Box<str>>,
    facts: SecretDigest,
    /// The version of the Secret.
    version: Option<u64>,
}

impl Entry {
    /// None of a Secret that is not labelled as one of a client.
    fn new(secret: &Secret, digests: &DigestKey) -> Option<Self> {
        let client = secret.labels().get(CLIENT_LABEL)?;
        let is_usual = usual_secret_name(client) == secret.name_any();
        Some(Self {
            client: (!is_usual).then(|| client.as_str().into()),
            facts: SecretDigest::new(secret, digests),
            version: number(secret.metadata.resource_version.as_deref()),
        })
    }

    fn client<'a>(&'a self, name: &'a str) -> &'a str {
        let usual = || usual_client(name).unwrap_or_default();
        self.client.as_deref().unwrap_or_else(usual)
    }
}

#[derive(Debug, Default)]
struct Namespace {
    by_name: HashMap<Box<str>, Box<Entry>>,
    /// The names of the Secrets of each client, without the usual one.
    others: HashMap<Box<str>, Vec<Box<str>>>,
}

impl Namespace {
    fn insert(&mut self, name: &str, entry: Entry) -> Option<Box<Entry>> {
        let before = self.remove(name);
        if let Some(client) = &entry.client {
            let names = self.others.entry(client.clone());
            names.or_default().push(name.into());
        }
        self.by_name.insert(name.into(), Box::new(entry));
        before
    }

    fn remove(&mut self, name: &str) -> Option<Box<Entry>> {
        let entry = self.by_name.remove(name)?;
        if let Some(client) = &entry.client
            && let Some(names) = self.others.get_mut(client)
        {
            names.retain(|other| &**other != name);
            if names.is_empty() {
                self.others.remove(client);
            }
        }
        Some(entry)
    }

    /// The Secrets of a client, with their names.
    fn of_client(&self, client: &str) -> Vec<(String, SecretDigest)> {
        let usual = usual_secret_name(client);
        let others = self.others.get(client).into_iter().flatten();
        let names = [&*usual].into_iter().chain(others.map(|name| &**name));
        let there = names.filter_map(|name| Some((name, self.by_name.get(name)?)));
        let ours = there.filter(|(name, entry)| entry.client(name) == client);
        ours.map(|(name, entry)| (name.to_owned(), entry.facts.clone()))
            .collect()
    }
}

#[derive(Debug, Default)]
struct State {
    secrets: HashMap<Box<str>, Namespace>,
    reach: Reach,
}

impl State {
    /// Of a namespace without Secrets nothing is kept.
    fn remove(&mut self, namespace: &str, name: &str) -> Option<Box<Entry>> {
        let known = self.secrets.get_mut(namespace)?;
        let entry = known.remove(name);
        if known.by_name.is_empty() {
            self.secrets.remove(namespace);
        }
        entry
    }
}

/// The index.
#[derive(Debug, Default)]
pub struct CredentialsIndex(RwLock<State>);

impl CredentialsIndex {
    fn read<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.0.read().expect("no holder of this lock panics"))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.write().expect("no holder of this lock panics"))
    }

    /// What is known of a Secret.
    pub fn get(&self, namespace: &str, name: &str) -> Option<SecretDigest> {
        self.read(|state| {
            let known = state.secrets.get(namespace)?;
            Some(known.by_name.get(name)?.facts.clone())
        })
    }

    /// Every Secret that is labelled as one of this client, by name.
    pub fn of_client(&self, namespace: &str, client: &str) -> Vec<(String, SecretDigest)> {
        self.read(|state| {
            let known = state.secrets.get(namespace);
            known.map_or_else(Vec::new, |known| known.of_client(client))
        })
    }

    /// Remembers a Secret that was observed. Returns the names of the clients whose Secret is not as it was: the one
    /// in its label, and the one in the label that was replaced.
    pub fn put(&self, secret: &Secret, digests: &DigestKey) -> Vec<String> {
        let (namespace, name) = (secret.namespace().unwrap_or_default(), secret.name_any());
        let Some(entry) = Entry::new(secret, digests) else {
            let forgotten = self.forget(&namespace, &name);
            return forgotten.into_iter().collect();
        };
        self.write(|state| {
            let known = state.secrets.entry(namespace.into()).or_default();
            match known.by_name.get(&*name) {
                // We wrote it since.
                Some(before) if before.version > entry.version => return Vec::new(),
                Some(before) if before.facts == entry.facts && before.client == entry.client => {
                    known.insert(&name, entry);
                    return Vec::new();
                }
                _ => {}
            }
            let after = entry.client(&name).to_owned();
            let before = known.insert(&name, entry);
            let before = before.map(|before| before.client(&name).to_owned());
            let before = before.filter(|before| *before != after);
            before.into_iter().chain([after]).collect()
        })
    }

    /// Remembers a Secret that we replaced. The answer may come after the watch told of what others did to the Secret
    /// since: of a newer version, or that it was deleted.
    pub fn replaced(&self, secret: &Secret, digests: &DigestKey) {
        let (namespace, name) = (secret.namespace().unwrap_or_default(), secret.name_any());
        let Some(entry) = Entry::new(secret, digests) else {
            return;
        };
        self.write(|state| {
            let known = state.secrets.get_mut(&*namespace);
            let older = |known: &&mut Namespace| {
                let before = known.by_name.get(&*name);
                before.is_some_and(|before| before.version < entry.version)
            };
            if let Some(known) = known.filter(older) {
                known.insert(&name, entry);
            }
        });
    }

    /// Forgets a Secret. Returns the name of its client, if it was known.
    pub fn forget(&self, namespace: &str, name: &str) -> Option<String> {
        let forgotten = self.write(|state| state.remove(namespace, name))?;
        Some(forgotten.client(name).to_owned())
    }

    /// Forgets a Secret that we removed, unless the watch has told meanwhile of another one of that name.
    pub fn removed(&self, namespace: &str, name: &str, uid: &str) {
        self.write(|state| {
            let known = state.secrets.get(namespace);
            let known = known.and_then(|known| known.by_name.get(name));
            if known.is_some_and(|entry| entry.facts.uid == *uid) {
                state.remove(namespace, name);
            }
        });
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

    /// Whether Secrets of an object's namespace were listed, or refused: a reconcile can do nothing before.
    pub fn is_listed(&self, namespace: &str) -> bool {
        self.access(namespace) != Access::Pending
    }

    /// Records whether Secrets of a namespace (or of all) are within reach. Returns whether that changed.
    pub fn set_access(&self, namespace: Option<&str>, access: Access) -> bool {
        self.write(|state| state.reach.set(namespace, access))
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

    const NAMESPACE: &str = "team";
    const NAME: &str = "web-oauth";

    fn secret(version: &str, client: &str, value: &str) -> Secret {
        Secret {
            metadata: ObjectMeta {
                namespace: Some(NAMESPACE.to_owned()),
                name: Some(NAME.to_owned()),
                resource_version: Some(version.to_owned()),
                labels: Some([(CLIENT_LABEL.to_owned(), client.to_owned())].into()),
                ..ObjectMeta::default()
            },
            data: Some([("CLIENT_SECRET".to_owned(), ByteString(value.into()))].into()),
            ..Secret::default()
        }
    }

    /// An index, and how to tell it and ask it.
    #[derive(Default)]
    struct Told {
        index: CredentialsIndex,
        digests: DigestKey,
    }

    impl Told {
        fn put(&self, version: &str, value: &str) -> usize {
            let secret = secret(version, "web", value);
            self.index.put(&secret, &self.digests).len()
        }

        fn replaced(&self, version: &str, value: &str) {
            let secret = secret(version, "web", value);
            self.index.replaced(&secret, &self.digests);
        }

        fn knows(&self, value: &str) -> bool {
            let wanted = SecretDigest::new(&secret("1", "web", value), &self.digests);
            self.index.get(NAMESPACE, NAME) == Some(wanted)
        }
    }

    #[test]
    fn what_we_replaced_is_known_before_the_watch_tells_and_not_told_anew() {
        let told = Told::default();
        told.put("9", "wrong");
        told.replaced("10", "right");
        assert!(told.knows("right"));
        assert_eq!(told.put("9", "wrong"), 0, "an earlier event comes late");
        assert!(told.knows("right"));
        assert_eq!(told.put("10", "right"), 0);
        assert_eq!(told.put("11", "wrong"), 1);
        assert!(told.knows("wrong"));
    }

    #[test]
    fn f47_an_answer_that_comes_after_a_newer_event_is_no_news() {
        let told = Told::default();
        told.put("9", "wrong");
        told.put("10", "right");
        told.put("11", "wrong");
        told.replaced("10", "right");
        assert!(told.knows("wrong"));
    }

    #[test]
    fn f33_an_answer_that_comes_after_the_secret_is_gone_does_not_bring_it_back() {
        let told = Told::default();
        told.put("9", "wrong");
        told.index.forget(NAMESPACE, NAME);
        told.replaced("10", "right");
        assert!(told.index.get(NAMESPACE, NAME).is_none());
    }

    #[test]
    fn f33_an_answer_that_comes_after_somebody_took_the_name_forgets_nothing() {
        let told = Told::default();
        let mut former = secret("9", "web", "former");
        former.metadata.uid = Some("former".to_owned());
        told.index.put(&former, &told.digests);
        told.put("11", "another");
        told.index.removed(NAMESPACE, NAME, "former");
        assert!(told.knows("another"));
        told.index.put(&former, &told.digests);
        told.index.forget(NAMESPACE, NAME);
        told.index.put(&former, &told.digests);
        told.index.removed(NAMESPACE, NAME, "former");
        assert!(told.index.0.read().unwrap().secrets.is_empty());
    }

    #[test]
    fn both_clients_are_told_when_a_label_is_replaced() {
        let told = Told::default();
        told.put("9", "right");
        let stolen = secret("10", "thief", "right");
        let concerned = told.index.put(&stolen, &told.digests);
        assert_eq!(concerned, ["web", "thief"]);
        assert!(told.index.of_client(NAMESPACE, "web").is_empty());
        let names = |client| {
            let secrets = told.index.of_client(NAMESPACE, client).into_iter();
            secrets.map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names("thief"), [NAME]);
        let mut moved = secret("11", "thief", "right");
        moved.metadata.name = Some("thief-oauth".to_owned());
        told.index.put(&moved, &told.digests);
        assert_eq!(names("thief"), ["thief-oauth", NAME]);
        told.index.forget(NAMESPACE, NAME);
        assert_eq!(names("thief"), ["thief-oauth"]);
        told.index.forget(NAMESPACE, "thief-oauth");
        assert!(told.index.0.read().unwrap().secrets.is_empty());
    }
}
