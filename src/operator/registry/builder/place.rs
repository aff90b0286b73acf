//! Where an object lies: by this the builder knows it, because another object may come to lie there.

use std::sync::Arc;

use kube::Resource;
use kube::runtime::reflector::ObjectRef;

/// The namespace and the name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
}

impl Place {
    pub(super) fn of<K: Resource>(object: &K) -> Self {
        let meta = object.meta();
        Self {
            namespace: meta.namespace.as_deref().unwrap_or_default().into(),
            name: meta.name.as_deref().unwrap_or_default().into(),
        }
    }

    pub(super) fn of_reference<K: Resource>(object: &ObjectRef<K>) -> Self {
        Self {
            namespace: object.namespace.as_deref().unwrap_or_default().into(),
            name: object.name.as_str().into(),
        }
    }

    pub(super) fn reference<K: Resource<DynamicType = ()>>(&self) -> ObjectRef<K> {
        ObjectRef::new(&self.name).within(&self.namespace)
    }
}

/// Who wants a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asker {
    /// An OAuthClient, a client ID.
    Client(Place),
    /// An OAuthUser by its UID, a subject.
    Person(String),
    /// An OAuthTenant, audiences.
    Tenant(String),
}
