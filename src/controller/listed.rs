//! Objects of one kind as listed and watched, with the brake on what only vanishes from a relist.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use kube::api::ListParams;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use super::doubt::{Doubt, List};
use super::shared::Shared;

/// The objects of a kind.
pub struct Listed<K: Resource<DynamicType = ()> + Clone + 'static> {
    writer: Writer<K>,
    store: Store<K>,
    doubt: Doubt<K, Arc<K>>,
    /// What of an object is kept.
    cut: fn(K) -> K,
    complete: bool,
}

impl<K> Listed<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + DeserializeOwned + 'static,
{
    /// Nothing listed yet. The objects of a second list are cut as those of the watch are.
    pub fn new(what: &'static str, shared: &Shared, writer: Writer<K>, cut: fn(K) -> K) -> Self {
        let api = Api::all(shared.kube.clone());
        let gauge = &shared.metrics.brake_held;
        Self {
            store: writer.as_reader(),
            writer,
            doubt: Doubt::new(what, api, ListParams::default(), gauge),
            cut,
            complete: false,
        }
    }

    /// Takes in what the watch said. Returns whether the objects may have changed.
    pub fn apply(&mut self, event: &watcher::Event<K>) -> bool {
        // Not when the list began: a second list may have brought some back since.
        let before = match event {
            watcher::Event::InitDone => self.store.state(),
            _ => Vec::new(),
        };
        self.writer.apply_watcher_event(event);
        match event {
            watcher::Event::Init | watcher::Event::InitApply(_) => false,
            watcher::Event::InitDone => {
                self.relisted(before);
                true
            }
            watcher::Event::Apply(object) | watcher::Event::Delete(object) => {
                self.doubt.settled(&ObjectRef::from_obj(object));
                true
            }
        }
    }

    fn relisted(&mut self, before: Vec<Arc<K>>) {
        self.complete = true;
        let named = |object: Arc<K>| (ObjectRef::from_obj(&*object), object);
        if before.is_empty() && self.doubt.held().next().is_none() {
            return;
        }
        let listed = self.store.state();
        let listed: HashSet<_> = listed.iter().map(|o| ObjectRef::from_obj(&**o)).collect();
        self.doubt
            .relisted(before.into_iter().map(named).collect(), &listed);
    }

    /// The second list, when one was asked for and has arrived; never otherwise.
    pub async fn confirmation(&mut self) -> List<K> {
        self.doubt.second().await
    }

    /// Settles the doubt by the second list: what it has is known to exist, what it lacks is gone.
    pub fn confirm(&mut self, list: List<K>) {
        let (there, _) = self.doubt.settle(list);
        for object in there {
            self.writer
                .apply_watcher_event(&watcher::Event::Apply((self.cut)(object)));
        }
    }

    /// Whether a complete list was seen.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The objects that count: what is listed, and what the brake holds.
    pub fn objects(&self) -> Vec<Arc<K>> {
        let mut objects = self.store.state();
        objects.extend(self.doubt.held().cloned());
        objects
    }

    /// When the brake lets go.
    pub fn brake_until(&self) -> Option<Instant> {
        self.doubt.until()
    }

    /// Lets go of what the brake held for too long.
    pub fn release_brake(&mut self) {
        self.doubt.expire();
    }
}
