//! Where an object lies: another object may come to lie there.

use std::sync::Arc;

use kube::Resource;
use kube::runtime::reflector::ObjectRef;

/// The namespace and the name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Empty for what is in no namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Place {
    /// Where an object lies.
    pub fn of<K: Resource>(object: &K) -> Self {
        let meta = object.meta();
        Self {
            namespace: meta.namespace.as_deref().unwrap_or_default().into(),
            name: meta.name.as_deref().unwrap_or_default().into(),
        }
    }

    /// Where a reference leads.
    pub fn of_reference<K: Resource>(object: &ObjectRef<K>) -> Self {
        Self {
            namespace: object.namespace.as_deref().unwrap_or_default().into(),
            name: object.name.as_str().into(),
        }
    }

    /// What leads there.
    pub fn reference<K: Resource<DynamicType = ()>>(&self) -> ObjectRef<K> {
        let object = ObjectRef::new(&self.name);
        if self.namespace.is_empty() {
            object
        } else {
            object.within(&self.namespace)
        }
    }
}
