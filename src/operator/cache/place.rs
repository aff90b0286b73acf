//! Where an object lies: another object may come to lie there.

use std::fmt;
use std::sync::Arc;

use kube::Resource;

use crate::domain::kept::Head;

/// The namespace and the name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Empty for what is in no namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Place {
    /// This name in this namespace.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The name of an object of a kind without namespaces.
    pub fn of_cluster(name: &str) -> Self {
        Self::new("", name)
    }

    /// Where an object lies.
    pub fn of<K: Resource>(object: &K) -> Self {
        let meta = object.meta();
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
        Self {
            namespace: text(&meta.namespace),
            name: text(&meta.name),
        }
    }

    /// Where an object lies that is kept.
    pub fn of_kept(object: &Head) -> Self {
        Self {
            namespace: object.namespace().clone(),
            name: object.name().clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name } = self;
        match &**namespace {
            "" => f.write_str(name),
            _ => write!(f, "{namespace}/{name}"),
        }
    }
}
