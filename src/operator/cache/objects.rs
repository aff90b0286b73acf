//! The objects of one kind as listed and watched, for all who read them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, RwLock};

use super::place::Place;
#[cfg(test)]
use crate::domain::kept::Words;
use crate::domain::kept::{Keep, Kept};

/// The objects. Who has a clone reads the same ones.
#[derive(Debug)]
pub struct Objects<K: Keep>(Arc<RwLock<ByNamespace<K>>>);

type ByName<K> = HashMap<Arc<str>, Arc<Kept<K>>>;

/// By namespace and name.
#[derive(Debug)]
pub(super) struct ByNamespace<K: Keep> {
    namespaces: HashMap<Arc<str>, ByName<K>>,
    len: usize,
}

impl<K: Keep> Default for ByNamespace<K> {
    fn default() -> Self {
        Self {
            namespaces: HashMap::new(),
            len: 0,
        }
    }
}

impl<K: Keep> ByNamespace<K> {
    pub(super) fn get(&self, place: &Place) -> Option<&Arc<Kept<K>>> {
        self.namespaces.get(&place.namespace)?.get(&place.name)
    }

    pub(super) fn insert(&mut self, object: Arc<Kept<K>>) {
        let namespace = self.namespaces.entry(object.namespace().clone());
        let before = namespace.or_default().insert(object.name().clone(), object);
        self.len += usize::from(before.is_none());
    }

    pub(super) fn remove(&mut self, place: &Place) {
        let Some(namespace) = self.namespaces.get_mut(&place.namespace) else {
            return;
        };
        self.len -= usize::from(namespace.remove(&place.name).is_some());
        if namespace.is_empty() {
            self.namespaces.remove(&place.namespace);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Kept<K>>> {
        self.namespaces.values().flat_map(HashMap::values)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl<K: Keep> Default for Objects<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Keep> Clone for Objects<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Keep> Objects<K> {
    fn read<T>(&self, ask: impl FnOnce(&ByNamespace<K>) -> T) -> T {
        ask(&self.0.read().expect("no holder of this lock panics"))
    }

    fn write<T>(&self, change: impl FnOnce(&mut ByNamespace<K>) -> T) -> T {
        change(&mut self.0.write().expect("no holder of this lock panics"))
    }

    pub(super) fn insert(&self, object: Arc<Kept<K>>) {
        self.write(|objects| objects.insert(object));
    }

    pub(super) fn remove(&self, place: &Place) {
        self.write(|objects| objects.remove(place));
    }

    /// Takes in a whole list. Returns the objects from before it.
    pub(super) fn replace(&self, listed: ByNamespace<K>) -> ByNamespace<K> {
        self.write(|objects| std::mem::replace(objects, listed))
    }

    /// One object.
    #[cfg(test)]
    pub fn of_a_test(object: K) -> Self {
        let (objects, mut words) = (Self::default(), Words::default());
        objects.insert(Arc::new(Kept::new(object, &mut words)));
        objects
    }

    /// What lies in a place.
    pub fn get(&self, place: &Place) -> Option<Arc<Kept<K>>> {
        self.read(|objects| objects.get(place).cloned())
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Kept<K>>> {
        self.read(|objects| objects.iter().cloned().collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.read(ByNamespace::len)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those of a namespace, or all.
    pub fn within(&self, namespace: Option<&str>) -> Vec<Arc<Kept<K>>> {
        let Some(namespace) = namespace else {
            return self.all();
        };
        self.read(|objects| {
            let there = objects.namespaces.get(namespace).into_iter();
            there.flat_map(HashMap::values).cloned().collect()
        })
    }

    /// Whether there is one like this. Others wait meanwhile, so that it should be quick to tell.
    pub fn any(&self, is_it: impl Fn(&Kept<K>) -> bool) -> bool {
        self.read(|objects| objects.iter().any(|object| is_it(object)))
    }

    /// The namespaces with an object like this.
    pub fn namespaces(&self, is_it: impl Fn(&Kept<K>) -> bool) -> HashSet<String> {
        self.read(|objects| {
            let namespaces = objects.namespaces.iter();
            let with = namespaces.filter(|(_, there)| there.values().any(|object| is_it(object)));
            with.map(|(namespace, _)| namespace.to_string()).collect()
        })
    }
}
