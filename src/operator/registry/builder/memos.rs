//! The verdicts about objects of a kind with what they were made of, and which of them something else concerns.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use clientele_api::{OAuthClient, OAuthUser};

use super::memo::{Change, Memo};
use crate::cache::place::Place;
use crate::cache::secret_changes::SecretChanges;
use crate::domain::kept::{Keep, Kept};
use crate::domain::secret_entry::SecretEntry;
use crate::domain::user::validate::password_entry;
use crate::domain::verdict::Verdict;

/// What an object refers to.
pub(super) trait Refers {
    /// Its tenant.
    fn tenant(&self) -> Arc<str>;
    /// The entry of a Secret from which something of it comes.
    fn secret_entry(&self) -> Option<SecretEntry>;
}

impl Refers for Kept<OAuthClient> {
    fn tenant(&self) -> Arc<str> {
        self.tenant().clone()
    }

    fn secret_entry(&self) -> Option<SecretEntry> {
        let reference = self.secret_ref()?;
        Some(SecretEntry {
            namespace: self.namespace().to_string(),
            secret: reference.name.clone(),
            key: reference.key.clone(),
        })
    }
}

impl Refers for Kept<OAuthUser> {
    fn tenant(&self) -> Arc<str> {
        self.object().spec.tenant.as_str().into()
    }

    fn secret_entry(&self) -> Option<SecretEntry> {
        password_entry(&self.object())
    }
}

/// The verdicts by place, tenant and referenced entry.
#[expect(
    clippy::struct_field_names,
    reason = "each is an index, named by its key"
)]
pub(super) struct Memos<K: Keep, T, D, E> {
    /// In the order of namespaces, so that those of one lie together.
    by_place: BTreeMap<Place, Memo<K, T, D, E>>,
    by_tenant: HashMap<Arc<str>, HashSet<Place>>,
    by_entry: BTreeMap<SecretEntry, HashSet<Place>>,
}

impl<K: Keep, T, D, E> Default for Memos<K, T, D, E> {
    fn default() -> Self {
        Self {
            by_place: BTreeMap::new(),
            by_tenant: HashMap::new(),
            by_entry: BTreeMap::new(),
        }
    }
}

impl<K: Keep, T, D, E> Memos<K, T, D, E>
where
    Kept<K>: Refers,
{
    pub(super) fn get(&self, place: &Place) -> Option<&Memo<K, T, D, E>> {
        self.by_place.get(place)
    }

    pub(super) fn insert(&mut self, place: &Place, memo: Memo<K, T, D, E>) {
        let object = memo.verdict.object.clone();
        let before = self.by_place.insert(place.clone(), memo);
        let before = before.map(|memo| memo.verdict.object.clone());
        let (former, now) = (before.as_ref().map(|it| it.tenant()), object.tenant());
        if former.as_ref() != Some(&now) {
            if let Some(former) = former {
                self.leave_tenant(&former, place);
            }
            self.by_tenant.entry(now).or_default().insert(place.clone());
        }
        let former = before.as_ref().and_then(|object| object.secret_entry());
        let now = object.secret_entry();
        if former != now {
            self.leave_entry(former, place);
            if let Some(now) = now {
                self.by_entry.entry(now).or_default().insert(place.clone());
            }
        }
    }

    pub(super) fn remove(&mut self, place: &Place) -> Option<Memo<K, T, D, E>> {
        let gone = self.by_place.remove(place)?;
        let object = gone.verdict.object.clone();
        self.leave_tenant(&object.tenant(), place);
        self.leave_entry(object.secret_entry(), place);
        Some(gone)
    }

    /// The verdict stays, perhaps about another copy of the object.
    pub(super) fn keep(
        &mut self,
        place: &Place,
        object: &Arc<Kept<K>>,
    ) -> Option<Change<Verdict<K, T, D>>>
    where
        D: Clone,
    {
        let before = self.get(place)?.verdict.clone();
        if Arc::ptr_eq(&before.object, object) {
            return None;
        }
        let mut memo = self.remove(place)?;
        memo.move_to(object);
        let after = memo.verdict.clone();
        self.insert(place, memo);
        Some(Change {
            before: Some(before),
            after: Some(after),
            matters: false,
        })
    }

    fn leave_tenant(&mut self, tenant: &str, place: &Place) {
        if let Some(places) = self.by_tenant.get_mut(tenant) {
            places.remove(place);
            if places.is_empty() {
                self.by_tenant.remove(tenant);
            }
        }
    }

    fn leave_entry(&mut self, entry: Option<SecretEntry>, place: &Place) {
        let Some(entry) = entry else { return };
        if let Some(places) = self.by_entry.get_mut(&entry) {
            places.remove(place);
            if places.is_empty() {
                self.by_entry.remove(&entry);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Place, &Memo<K, T, D, E>)> {
        self.by_place.iter()
    }

    /// Those of a tenant.
    pub(super) fn of_tenant<'m>(
        &'m self,
        tenant: &str,
    ) -> impl Iterator<Item = Place> + use<'m, K, T, D, E> {
        let places = self.by_tenant.get(tenant).map(HashSet::iter);
        places.unwrap_or_default().cloned()
    }

    /// Those in a namespace.
    pub(super) fn of_namespace<'m>(
        &'m self,
        namespace: &'m str,
    ) -> impl Iterator<Item = &'m Place> + use<'m, K, T, D, E> {
        let first = Place {
            namespace: namespace.into(),
            name: "".into(),
        };
        let from_there = self.by_place.range(first..).map(|(place, _)| place);
        from_there.take_while(move |place| *place.namespace == *namespace)
    }

    /// The entries that are referred to, with who does.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&SecretEntry, &HashSet<Place>)> {
        self.by_entry.iter()
    }

    /// Those that refer to an entry.
    pub(super) fn referring(&self, entry: &SecretEntry) -> impl Iterator<Item = &Place> {
        self.by_entry.get(entry).into_iter().flatten()
    }

    /// Those that refer to Secrets of which something changed.
    pub(super) fn concerned_by(&self, changes: &SecretChanges) -> HashSet<Place> {
        if changes.all {
            return self.by_entry.values().flatten().cloned().collect();
        }
        let single = changes.entries.iter();
        let single = single.flat_map(|entry| self.referring(entry));
        let secrets = changes.secrets.iter();
        let secrets = secrets.flat_map(|(namespace, secret)| {
            let in_secret =
                move |entry: &SecretEntry| entry.namespace == *namespace && entry.secret == *secret;
            self.from(namespace, secret, in_secret)
        });
        let namespaces = changes.namespaces.iter().flat_map(|namespace| {
            let in_namespace = move |entry: &SecretEntry| entry.namespace == *namespace;
            self.from(namespace, "", in_namespace)
        });
        single.chain(secrets).chain(namespaces).cloned().collect()
    }

    /// Those that refer to the entries from the first of a Secret on, as long as the entries are among these.
    fn from<'m>(
        &'m self,
        namespace: &str,
        secret: &str,
        are_these: impl Fn(&SecretEntry) -> bool + 'm,
    ) -> impl Iterator<Item = &'m Place> {
        let first = SecretEntry {
            namespace: namespace.to_owned(),
            secret: secret.to_owned(),
            key: String::new(),
        };
        let entries = self.by_entry.range(first..);
        let entries = entries.take_while(move |(entry, _)| are_these(entry));
        entries.flat_map(|(_, places)| places)
    }

    /// The next ones after this place, in order.
    pub(super) fn after(&self, place: Option<&Place>, count: usize) -> Vec<Place> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.by_place.range::<Place, _>((from, Bound::Unbounded));
        next.take(count).map(|(place, _)| place.clone()).collect()
    }
}
