//! The verdicts about OAuthClients with what they were made of, and which of them something else concerns.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::ops::Bound;
use std::sync::Arc;

use clientele_api::OAuthClient;

use super::clients::ClientMemo;
use crate::cache::client_secrets::Changes;
use crate::cache::namespace_access::Name;
use crate::cache::place::Place;

/// The verdicts by place, tenant and referenced Secret.
#[derive(Default)]
#[expect(
    clippy::struct_field_names,
    reason = "each is an index, named by its key"
)]
pub(super) struct Memos {
    /// In the order of namespaces, so that those of one lie together.
    by_place: BTreeMap<Place, ClientMemo>,
    by_tenant: HashMap<String, HashSet<Place>>,
    by_secret: HashMap<Name, HashSet<Place>>,
}

impl Memos {
    pub(super) fn get(&self, place: &Place) -> Option<&ClientMemo> {
        self.by_place.get(place)
    }

    pub(super) fn insert(&mut self, place: &Place, memo: ClientMemo) {
        let object = memo.verdict.object.clone();
        let before = self.by_place.insert(place.clone(), memo);
        let before = before.map(|memo| memo.verdict.object.clone());
        let tenant = |object: &Arc<OAuthClient>| object.spec.tenant.clone();
        if before.as_ref().map(tenant).as_deref() != Some(&object.spec.tenant) {
            leave(&mut self.by_tenant, before.as_ref().map(tenant), place);
            join(&mut self.by_tenant, Some(tenant(&object)), place);
        }
        let secret = |object: &Arc<OAuthClient>| secret_of(object, place);
        let (former, now) = (before.as_ref().and_then(secret), secret(&object));
        if former != now {
            leave(&mut self.by_secret, former, place);
            join(&mut self.by_secret, now, place);
        }
    }

    pub(super) fn remove(&mut self, place: &Place) -> Option<ClientMemo> {
        let gone = self.by_place.remove(place)?;
        let object = &gone.verdict.object;
        leave(&mut self.by_tenant, Some(object.spec.tenant.clone()), place);
        leave(&mut self.by_secret, secret_of(object, place), place);
        Some(gone)
    }

    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Place, &ClientMemo)> {
        self.by_place.iter()
    }

    /// Those of a tenant.
    pub(super) fn of_tenant(&self, tenant: &str) -> impl Iterator<Item = Place> {
        self.by_tenant.get(tenant).into_iter().flatten().cloned()
    }

    /// Those in a namespace.
    pub(super) fn of_namespace<'m>(
        &'m self,
        namespace: &'m str,
    ) -> impl Iterator<Item = &'m Place> + use<'m> {
        let first = Place {
            namespace: namespace.into(),
            name: "".into(),
        };
        let from_there = self.by_place.range(first..).map(|(place, _)| place);
        from_there.take_while(move |place| *place.namespace == *namespace)
    }

    /// Those that refer to Secrets of which something changed.
    pub(super) fn referring(&self, changes: &Changes) -> Vec<Place> {
        if !changes.all && changes.namespaces.is_empty() {
            let secrets = changes.secrets.iter();
            let places = secrets.filter_map(|secret| self.by_secret.get(secret));
            return places.flatten().cloned().collect();
        }
        let touched = |name: &&Name| {
            let in_namespace = changes.namespaces.contains(&name.0);
            changes.all || in_namespace || changes.secrets.contains(*name)
        };
        let secrets = self.by_secret.iter();
        let secrets = secrets.filter(|(name, _)| touched(name));
        secrets
            .flat_map(|(_, places)| places.iter().cloned())
            .collect()
    }

    /// The next ones after this place, in order.
    pub(super) fn after(&self, place: Option<&Place>, count: usize) -> Vec<Place> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.by_place.range::<Place, _>((from, Bound::Unbounded));
        next.take(count).map(|(place, _)| place.clone()).collect()
    }
}

fn secret_of(object: &OAuthClient, place: &Place) -> Option<Name> {
    let reference = object.spec.secret_ref.as_ref()?;
    Some((place.namespace.to_string(), reference.name.clone()))
}

fn join<K: Eq + Hash>(index: &mut HashMap<K, HashSet<Place>>, of: Option<K>, place: &Place) {
    if let Some(of) = of {
        index.entry(of).or_default().insert(place.clone());
    }
}

fn leave<K: Eq + Hash>(index: &mut HashMap<K, HashSet<Place>>, of: Option<K>, place: &Place) {
    let Some(of) = of else { return };
    if let Some(places) = index.get_mut(&of) {
        places.remove(place);
        if places.is_empty() {
            index.remove(&of);
        }
    }
}
