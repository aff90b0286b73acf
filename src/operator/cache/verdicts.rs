//! What the registry says about each object, by UID.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use crate::domain::kept::{Keep, Kept, is_same_version};
use crate::domain::verdict::{ClientVerdict, TenantState, UserVerdict, Verdict};

/// The verdicts about the objects of one kind, by UID.
#[derive(Debug)]
pub struct VerdictsByUid<V>(RwLock<HashMap<Arc<str>, Arc<V>>>);

impl<V> Default for VerdictsByUid<V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<V> VerdictsByUid<V> {
    /// Removes those of objects that were deleted and takes in those that changed, at once.
    pub fn update<'a>(
        &self,
        deleted: impl Iterator<Item = &'a str>,
        changed: impl Iterator<Item = (Arc<str>, Arc<V>)>,
    ) {
        let mut verdicts = self.0.write().expect("no holder of this lock panics");
        for uid in deleted {
            verdicts.remove(uid);
        }
        verdicts.extend(changed);
    }

    /// That about an object, whichever version of it.
    pub fn latest(&self, uid: &str) -> Option<Arc<V>> {
        let verdicts = self.0.read().expect("no holder of this lock panics");
        verdicts.get(uid).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<V>> {
        let verdicts = self.0.read().expect("no holder of this lock panics");
        verdicts.values().cloned().collect()
    }
}

impl<K: Keep, T, D> VerdictsByUid<Verdict<K, T, D>> {
    /// The verdict about exactly this version of an object. `None` if there is none yet, if a newer version is on its
    /// way, or if the object is being deleted: the object is reconciled again once the verdict is there.
    pub fn current(&self, object: &Arc<Kept<K>>) -> Option<Arc<Verdict<K, T, D>>> {
        if object.is_going() {
            return None;
        }
        let verdicts = self.0.read().expect("no holder of this lock panics");
        let verdict = verdicts.get(object.uid())?;
        let is_of_it = is_same_version(&verdict.object, object);
        let is_last = is_of_it && !verdict.object.is_superseded();
        is_last.then(|| verdict.clone())
    }
}

/// What the registry says about each object.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// About OAuthClients.
    pub clients: VerdictsByUid<ClientVerdict>,
    /// About OAuthUsers.
    pub users: VerdictsByUid<UserVerdict>,
    /// The OAuthTenants as the registry has them.
    pub tenants: VerdictsByUid<TenantState>,
}
