//! Objects of one kind as listed and watched, with the brake on what only vanishes from a relist.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use kube::runtime::watcher;
use serde::de::DeserializeOwned;

use super::bound::{Bound, RereadObject};
use super::objects::{ByNamespace, Objects};
use super::place::Place;
use super::relist_check::{List, RelistCheck};
use crate::domain::kept::{Keep, Kept, Words, is_same_version};

/// What an event may have changed.
#[derive(Debug, PartialEq, Eq)]
pub enum Touched {
    /// Nothing yet.
    Nothing,
    /// One object.
    One(Place),
    /// Any: a list is complete.
    All,
}

impl Touched {
    /// Notes what has to be looked at: one object, or all. Returns whether anything has to be.
    pub fn note(self, one: impl FnOnce(Place), all: &mut bool) -> bool {
        match self {
            Self::Nothing => return false,
            Self::One(place) => one(place),
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
pub struct ObjectStore<K: Keep> {
    objects: Objects<K>,
    /// What the list that comes in has brought so far.
    listed: ByNamespace<K>,
    words: Words,
    doubt: RelistCheck<K, Arc<Kept<K>>>,
    /// What of an object is kept.
    prune: fn(K) -> K,
    /// Where authors of manifests can fill the memory.
    bound: Option<Bound<K>>,
    /// What is kept otherwise than before, although the watch said nothing of it.
    changed: Vec<Place>,
    complete: bool,
}

impl<K: Keep + DeserializeOwned> ObjectStore<K> {
    /// Nothing listed yet. The objects of a second list are pruned as those of the watch are.
    pub fn new(
        doubt: RelistCheck<K, Arc<Kept<K>>>,
        objects: Objects<K>,
        prune: fn(K) -> K,
    ) -> Self {
        Self {
            objects,
            listed: ByNamespace::default(),
            words: Words::default(),
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
    pub fn apply(&mut self, event: watcher::Event<K>) -> Touched {
        let event = match &mut self.bound {
            Some(bound) => bound.take_in(event),
            None => event,
        };
        match event {
            watcher::Event::Init => {
                self.listed = ByNamespace::default();
                Touched::Nothing
            }
            watcher::Event::InitApply(object) => {
                let object = self.kept(object);
                self.listed.insert(object);
                Touched::Nothing
            }
            watcher::Event::InitDone => {
                self.relisted();
                self.settle();
                Touched::All
            }
            watcher::Event::Apply(object) => {
                let object = self.kept(object);
                let place = Place::of_kept(&object);
                self.objects.insert(object);
                self.touched(place)
            }
            watcher::Event::Delete(object) => {
                let place = Place::of(&object);
                self.objects.remove(&place);
                self.touched(place)
            }
        }
    }

    fn touched(&mut self, place: Place) -> Touched {
        self.doubt.settled(&place);
        self.settle();
        Touched::One(place)
    }

    /// An object as it is kept. A list brings most objects as they are known: of those nothing new is kept.
    fn kept(&mut self, object: K) -> Arc<Kept<K>> {
        let known = self.get(&Place::of(&object));
        let object = Kept::after(object, known.as_deref(), &mut self.words);
        let object = Arc::new(object);
        known
            .filter(|known| is_same_version(known, &object))
            .unwrap_or(object)
    }

    /// Cuts what has no room, and asks for what has room again.
    fn settle(&mut self) {
        let Some(bound) = &mut self.bound else {
            return;
        };
        for place in bound.settle() {
            let Some(whole) = self.objects.get(&place) else {
                continue;
            };
            let short = bound.shorten(Arc::unwrap_or_clone(whole.object()));
            let short = Kept::after(short, Some(&whole), &mut self.words);
            self.objects.insert(Arc::new(short));
            self.changed.push(place);
        }
    }

    /// Keeps an object that has room again, unless it has changed since: then the watch brings it.
    fn keep(&mut self, reread: RereadObject<K>) {
        let Some(bound) = &mut self.bound else {
            return;
        };
        let place = reread.place.clone();
        let known = self.objects.get(&place);
        if let Some(object) = bound.reread_is(reread, known.as_ref().map(|known| &***known)) {
            let object = self.kept((self.prune)(object));
            self.objects.insert(object);
            self.changed.push(place);
        }
        self.settle();
    }

    /// What is kept otherwise than before, although the watch said nothing of it.
    pub fn take_changed(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.changed)
    }

    fn relisted(&mut self) {
        self.complete = true;
        let listed = std::mem::take(&mut self.listed);
        let mut names = HashSet::with_capacity(listed.len());
        names.extend(listed.iter().map(|object| Place::of_kept(object)));
        // Not when the list began: a second list may have brought some back since.
        let before = self.objects.replace(listed);
        if before.len() == 0 && self.doubt.held().next().is_none() {
            return;
        }
        let before = before.iter();
        let before = before.map(|object| (Place::of_kept(object), object.clone()));
        self.doubt.relisted(before.collect(), &names);
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
            self.apply(event);
        }
        self.settle();
    }

    /// Whether a complete list was seen.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The objects that count: what is listed, and what the brake holds.
    pub fn all(&self) -> Vec<Arc<Kept<K>>> {
        let mut objects = self.objects.all();
        objects.extend(self.doubt.held().cloned());
        objects
    }

    /// What lies in a place, if it counts.
    pub fn get(&self, place: &Place) -> Option<Arc<Kept<K>>> {
        let listed = self.objects.get(place);
        listed.or_else(|| self.doubt.find(place).cloned())
    }

    /// How many objects count.
    pub fn len(&self) -> usize {
        self.objects.len() + self.doubt.held().count()
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
        let objects = Objects::default();
        let mut listed = ObjectStore::new(RelistCheck::of_a_test(), objects, without_annotations);
        for event in list(&["a", "b", "c"]).chain(list(&[])) {
            listed.apply(event);
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
        let mut names: Vec<_> = listed.all().iter().map(|o| o.name().to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_doubted_list_lacks_counts_until_it_is_seen_to_be_gone() {
        let mut listed = doubted();
        assert_eq!(names(&listed), ["a", "b", "c"]);
        listed.apply(Event::Delete(namespace("b")));
        assert_eq!(names(&listed), ["a", "c"]);
        listed.confirm(Reread::List(Ok(vec![namespace("c")])));
        assert_eq!(names(&listed), ["c"]);
    }

    #[test]
    fn one_object_is_found_by_its_name_listed_or_held() {
        let mut listed = doubted();
        let find = |listed: &ObjectStore<Namespace>, name| listed.get(&Place::of_cluster(name));
        assert!(find(&listed, "a").is_some() && listed.len() == 3, "held");
        let seen = listed.apply(Event::Apply(namespace("d")));
        assert_eq!(seen, Touched::One(Place::of_cluster("d")));
        assert!(find(&listed, "d").is_some() && listed.len() == 4);
        listed.apply(Event::Delete(namespace("a")));
        assert!(find(&listed, "a").is_none() && listed.len() == 3);
    }

    #[test]
    fn what_a_second_list_brings_back_is_shortened_like_what_the_watch_brings() {
        let mut listed = doubted();
        listed.confirm(Reread::List(Ok(["a", "b", "c"].map(namespace).into())));
        assert_eq!(names(&listed), ["a", "b", "c"]);
        let whole = listed
            .all()
            .into_iter()
            .find(|o| !o.object().annotations().is_empty());
        assert!(whole.is_none());
    }

    #[test]
    fn what_a_second_list_brought_back_while_a_new_list_came_in_is_not_lost_to_that() {
        let mut listed = doubted();
        listed.apply(Init);
        listed.confirm(Reread::List(Ok(["a", "b", "c"].map(namespace).into())));
        listed.apply(InitDone);
        assert_eq!(
            names(&listed),
            ["a", "b", "c"],
            "the new list is doubted, too"
        );
    }
}
