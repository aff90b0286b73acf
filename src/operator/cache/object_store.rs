//! Objects of one kind as listed and watched, with the brake on what only vanishes from a relist.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use kube::Resource;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use serde::de::DeserializeOwned;

use super::bound::{Bound, RereadObject};
use super::relist_check::{List, RelistCheck};

/// What an event may have changed.
#[derive(Debug, PartialEq, Eq)]
pub enum Touched<K: Resource<DynamicType = ()>> {
    /// Nothing yet.
    Nothing,
    /// One object.
    One(ObjectRef<K>),
    /// Any: a list is complete.
    All,
}

impl<K: Resource<DynamicType = ()>> Touched<K> {
    /// Notes what has to be looked at: one object, or all. Returns whether anything has to be.
    pub fn note(&self, one: impl FnOnce(&ObjectRef<K>), all: &mut bool) -> bool {
        match self {
            Self::Nothing => return false,
            Self::One(name) => one(name),
            Self::All => *all = true,
        }
        true
    }
}

/// What was read once more.
pub enum Reread<K> {
    /// All, because a list was doubted.
    List(List<K>),
    /// One for which there is room again.
    Object(Box<RereadObject<K>>),
}

/// The objects of a kind.
pub struct ObjectStore<K: Resource<DynamicType = ()> + Clone + 'static> {
    writer: Writer<K>,
    store: Store<K>,
    doubt: RelistCheck<K, Arc<K>>,
    /// What of an object is kept.
    prune: fn(K) -> K,
    /// Where authors of manifests can fill the memory.
    bound: Option<Bound<K>>,
    /// What is kept otherwise than before, although the watch said nothing of it.
    changed: Vec<ObjectRef<K>>,
    complete: bool,
}

impl<K> ObjectStore<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + DeserializeOwned + 'static,
{
    /// Nothing listed yet. The objects of a second list are pruned as those of the watch are.
    pub fn new(doubt: RelistCheck<K, Arc<K>>, writer: Writer<K>, prune: fn(K) -> K) -> Self {
        Self {
            store: writer.as_reader(),
            writer,
            doubt,
            prune,
            bound: None,
            changed: Vec::new(),
            complete: false,
        }
    }

    /// The same with a bound for what is kept of large objects.
    #[must_use]
    pub fn bounded(self, bound: Bound<K>) -> Self {
        Self {
            bound: Some(bound),
            ..self
        }
    }

    /// Takes in what the watch said.
    pub fn apply(&mut self, event: &watcher::Event<K>) -> Touched<K> {
        // Not when the list began: a second list may have brought some back since.
        let before = match event {
            watcher::Event::InitDone => self.store.state(),
            _ => Vec::new(),
        };
        let bound = self.bound.as_mut();
        let kept = bound.and_then(|bound| bound.take_in(event));
        self.writer
            .apply_watcher_event(kept.as_ref().unwrap_or(event));
        match event {
            watcher::Event::Init | watcher::Event::InitApply(_) => Touched::Nothing,
            watcher::Event::InitDone => {
                self.relisted(before);
                self.settle();
                Touched::All
            }
            watcher::Event::Apply(object) | watcher::Event::Delete(object) => {
                let object = ObjectRef::from_obj(object);
                self.doubt.settled(&object);
                self.settle();
                Touched::One(object)
            }
        }
    }

    /// Cuts what has no room, and asks for what has room again.
    fn settle(&mut self) {
        let Some(bound) = &mut self.bound else {
            return;
        };
        for place in bound.settle() {
            let name = place.reference();
            let Some(whole) = self.store.get(&name) else {
                continue;
            };
            let short = bound.shorten((*whole).clone());
            self.writer
                .apply_watcher_event(&watcher::Event::Apply(short));
            self.changed.push(name);
        }
    }

    /// Keeps an object that has room again, unless it has changed since: then the watch brings it.
    fn keep(&mut self, reread: RereadObject<K>) {
        let Some(bound) = &mut self.bound else {
            return;
        };
        let name = reread.place.reference();
        let known = self.store.get(&name);
        if let Some(object) = bound.reread_is(reread, known.as_deref()) {
            let object = (self.prune)(object);
            self.writer
                .apply_watcher_event(&watcher::Event::Apply(object));
            self.changed.push(name);
        }
        self.settle();
    }

    /// What is kept otherwise than before, although the watch said nothing of it.
    pub fn take_changed(&mut self) -> Vec<ObjectRef<K>> {
        std::mem::take(&mut self.changed)
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

    /// What was read once more, when something was asked for and has arrived; never otherwise.
    pub async fn confirmation(&mut self) -> Reread<K> {
        let bound = self.bound.as_mut();
        let object = async {
            match bound {
                Some(bound) => bound.reread().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            list = self.doubt.second() => Reread::List(list),
            object = object => Reread::Object(Box::new(object)),
        }
    }

    /// Takes in what was read once more. Returns whether it was all objects.
    pub fn confirm(&mut self, read: Reread<K>) -> bool {
        match read {
            Reread::Object(object) => self.keep(*object),
            Reread::List(list) => {
                self.settle_doubt(list);
                return true;
            }
        }
        false
    }

    /// Settles the doubt by the second list: what it has is known to exist, what it lacks was deleted.
    fn settle_doubt(&mut self, list: List<K>) {
        let (there, _) = self.doubt.settle(list);
        for object in there {
            let event = watcher::Event::Apply((self.prune)(object));
            if let Some(bound) = &mut self.bound {
                bound.take_in(&event);
            }
            self.writer.apply_watcher_event(&event);
        }
        self.settle();
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

    /// The object of this name, if it counts.
    pub fn get(&self, name: &ObjectRef<K>) -> Option<Arc<K>> {
        let listed = self.store.get(name);
        listed.or_else(|| self.doubt.find(name).cloned())
    }

    /// How many objects count.
    pub fn len(&self) -> usize {
        self.store.len() + self.doubt.held().count()
    }

    /// Whether none counts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the brake lets go.
    pub fn guard_until(&self) -> Option<Instant> {
        self.doubt.until()
    }

    /// Lets go of what the brake held for too long. Returns whether it did.
    pub fn release_guard(&mut self) -> bool {
        !self.doubt.expire().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Namespace;
    use kube::ResourceExt;
    use kube::runtime::watcher::Event::{self, Init, InitApply, InitDone};

    use super::*;

    fn namespace(name: &str) -> Namespace {
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(name.to_owned());
        namespace
            .annotations_mut()
            .insert("long".into(), "text".into());
        namespace
    }

    fn without_annotations(mut namespace: Namespace) -> Namespace {
        namespace.annotations_mut().clear();
        namespace
    }

    /// Three that were listed, of which the next list has none.
    fn doubted() -> ObjectStore<Namespace> {
        let (_, writer) = kube::runtime::reflector::store();
        let mut listed = ObjectStore::new(RelistCheck::of_a_test(), writer, without_annotations);
        for event in list(&["a", "b", "c"]).chain(list(&[])) {
            listed.apply(&event);
        }
        listed
    }

    fn list(names: &[&str]) -> impl Iterator<Item = Event<Namespace>> + use<> {
        let objects: Vec<_> = names
            .iter()
            .map(|name| without_annotations(namespace(name)))
            .collect();
        let objects = objects.into_iter().map(InitApply);
        [Init].into_iter().chain(objects).chain([InitDone])
    }

    fn names(listed: &ObjectStore<Namespace>) -> Vec<String> {
        let mut names: Vec<_> = listed.objects().iter().map(|o| o.name_any()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_doubted_list_lacks_counts_until_it_is_seen_to_be_gone() {
        let mut listed = doubted();
        assert_eq!(names(&listed), ["a", "b", "c"]);
        listed.apply(&Event::Delete(namespace("b")));
        assert_eq!(names(&listed), ["a", "c"]);
        listed.confirm(Reread::List(Ok(vec![namespace("c")])));
        assert_eq!(names(&listed), ["c"]);
    }

    #[test]
    fn one_object_is_found_by_its_name_listed_or_held() {
        let mut listed = doubted();
        let find = |listed: &ObjectStore<Namespace>, name| listed.get(&ObjectRef::new(name));
        assert!(find(&listed, "a").is_some() && listed.len() == 3, "held");
        let seen = listed.apply(&Event::Apply(namespace("d")));
        assert_eq!(seen, Touched::One(ObjectRef::new("d")));
        assert!(find(&listed, "d").is_some() && listed.len() == 4);
        listed.apply(&Event::Delete(namespace("a")));
        assert!(find(&listed, "a").is_none() && listed.len() == 3);
    }

    #[test]
    fn what_a_second_list_brings_back_is_shortened_like_what_the_watch_brings() {
        let mut listed = doubted();
        listed.confirm(Reread::List(Ok(["a", "b", "c"].map(namespace).into())));
        assert_eq!(names(&listed), ["a", "b", "c"]);
        let whole = listed
            .objects()
            .into_iter()
            .find(|o| !o.annotations().is_empty());
        assert_eq!(whole, None);
    }

    #[test]
    fn what_a_second_list_brought_back_while_a_new_list_came_in_is_not_lost_to_that() {
        let mut listed = doubted();
        listed.apply(&Init);
        listed.confirm(Reread::List(Ok(["a", "b", "c"].map(namespace).into())));
        listed.apply(&InitDone);
        assert_eq!(
            names(&listed),
            ["a", "b", "c"],
            "the new list is doubted, too"
        );
    }
}
