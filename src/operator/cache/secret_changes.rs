//! What changed about Secrets since the builder of the registry looked last.

use std::collections::HashSet;

use super::namespace_access::Name;
use crate::domain::secret_entry::SecretEntry;

/// What the answers of an index of Secrets may have changed about.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SecretChanges {
    /// These entries.
    pub entries: HashSet<SecretEntry>,
    /// Every entry of these Secrets.
    pub secrets: HashSet<Name>,
    /// Every Secret of these namespaces.
    pub namespaces: HashSet<String>,
    /// Every Secret.
    pub all: bool,
}

impl SecretChanges {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        let none = self.secrets.is_empty() && self.namespaces.is_empty();
        !self.all && none && self.entries.is_empty()
    }

    /// Notes that Secrets of a namespace (or of all) came within reach or out of it.
    pub fn note_access(&mut self, namespace: Option<&str>) {
        match namespace {
            Some(namespace) => {
                self.namespaces.insert(namespace.to_owned());
            }
            None => self.all = true,
        }
    }
}
