//! In which namespaces Secrets can be seen at all.

use std::collections::HashMap;

/// A Secret by namespace and name.
pub type Name = (String, String);

/// Whether the Secrets of a namespace are within reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// They have not been listed yet.
    Pending,
    /// They are watched.
    Granted,
    /// The operator may not; the sentence names the command that enables it.
    Denied(String),
}

/// What is known of each namespace, or of all at once.
#[derive(Debug, Default)]
pub struct Reach {
    namespaces: HashMap<Box<str>, Access>,
    cluster: Option<Access>,
}

impl Reach {
    /// Whether Secrets of the namespace are within reach.
    pub fn of(&self, namespace: &str) -> Access {
        let known = self.cluster.as_ref();
        let known = known.or_else(|| self.namespaces.get(namespace));
        known.cloned().unwrap_or(Access::Pending)
    }

    /// Records whether Secrets of a namespace (or of all) are within reach. Returns whether that changed.
    pub fn set(&mut self, namespace: Option<&str>, access: Access) -> bool {
        let before = match namespace {
            None => self.cluster.replace(access.clone()),
            Some(namespace) => self.namespaces.insert(namespace.into(), access.clone()),
        };
        before != Some(access)
    }
}

/// Those of a namespace, or all.
pub fn within<'a>(names: impl Iterator<Item = &'a Name>, namespace: Option<&str>) -> Vec<Name> {
    let wanted = |(other, _): &&Name| namespace.is_none_or(|only| only == other);
    names.filter(wanted).cloned().collect()
}
