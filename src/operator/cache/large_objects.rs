//! The objects of a kind that are large, and which of them are kept whole when all together take up too much memory.
//!
//! What is kept follows from the objects alone, so every replica keeps the same, also after a restart. While all have room,
//! all are kept. Otherwise namespaces are treated alike: what a namespace has up to a level is kept, its oldest objects
//! first, and the level is the highest at which everything that is kept has room. A namespace that has little loses
//! nothing to one that has much.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::place::Place;

/// Up to this number of bytes of JSON an object is small, and always kept.
const SMALL: usize = 4 * 1024;
/// How many bytes of JSON the large objects of a kind may take up beyond that, together.
pub const ROOM: usize = 32 * 1024 * 1024;

/// When an object was created, in seconds, and its UID.
pub type Age = (i64, Arc<str>);

/// A large object.
#[derive(Debug)]
struct Large {
    place: Place,
    /// What it takes up beyond what a small one may.
    bytes: usize,
    whole: bool,
}

/// What has to be done so that what is kept is what should be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// What is kept whole and has no room.
    pub without_room: Vec<Place>,
    /// What has room and is not kept whole.
    pub with_room: Vec<Place>,
}

/// The large objects of a kind.
#[derive(Debug)]
pub struct LargeObjects {
    room: usize,
    namespaces: HashMap<Arc<str>, BTreeMap<Age, Large>>,
    ages: HashMap<Place, Age>,
    /// Of all, and of those that are kept.
    bytes: usize,
    kept: usize,
}

impl LargeObjects {
    /// None yet.
    pub fn new(room: usize) -> Self {
        Self {
            room,
            namespaces: HashMap::new(),
            ages: HashMap::new(),
            bytes: 0,
            kept: 0,
        }
    }

    /// Whether one of this length may be kept until the list is complete, and with it what is the oldest.
    pub fn has_room_in_list(&self, length: usize) -> bool {
        self.kept + length.saturating_sub(SMALL) <= 2 * self.room
    }

    /// Notes what lies in a place now, with the length of its JSON, and whether it is kept whole.
    pub fn note(&mut self, place: Place, age: Age, length: usize, whole: bool) {
        self.forget(&place);
        let bytes = length.saturating_sub(SMALL);
        if bytes == 0 {
            return;
        }
        self.bytes += bytes;
        self.kept += if whole { bytes } else { 0 };
        self.ages.insert(place.clone(), age.clone());
        let large = Large {
            place: place.clone(),
            bytes,
            whole,
        };
        let namespace = self.namespaces.entry(place.namespace).or_default();
        namespace.insert(age, large);
    }

    /// Notes that nothing lies in a place any more.
    pub fn forget(&mut self, place: &Place) {
        let Some(age) = self.ages.remove(place) else {
            return;
        };
        let Some(namespace) = self.namespaces.get_mut(&place.namespace) else {
            return;
        };
        if let Some(large) = namespace.remove(&age) {
            self.bytes -= large.bytes;
            self.kept -= if large.whole { large.bytes } else { 0 };
        }
        if namespace.is_empty() {
            self.namespaces.remove(&place.namespace);
        }
    }

    /// Whether everything is kept whole, as nearly always.
    pub fn is_settled(&self) -> bool {
        self.bytes == self.kept && self.bytes <= self.room
    }

    /// Notes that what lies in a place is kept whole, or is not.
    pub fn set_whole(&mut self, place: &Place, whole: bool) {
        let Some(large) = self.find(place) else {
            return;
        };
        let (bytes, before) = (large.bytes, large.whole);
        large.whole = whole;
        self.kept -= if before { bytes } else { 0 };
        self.kept += if whole { bytes } else { 0 };
    }

    fn find(&mut self, place: &Place) -> Option<&mut Large> {
        let age = self.ages.get(place)?;
        self.namespaces.get_mut(&place.namespace)?.get_mut(age)
    }

    /// What is not kept as it should be. Looks at all large objects, unless everything is kept.
    pub fn unsettled(&self) -> Unsettled {
        let mut unsettled = Unsettled::default();
        if self.is_settled() {
            return unsettled;
        }
        let level = self.level();
        for namespace in self.namespaces.values() {
            let mut older = 0;
            for large in namespace.values() {
                older += large.bytes;
                match (older <= level, large.whole) {
                    (false, true) => unsettled.without_room.push(large.place.clone()),
                    (true, false) => unsettled.with_room.push(large.place.clone()),
                    (true, true) | (false, false) => {}
                }
            }
        }
        unsettled
    }

    /// How much each namespace may have.
    fn level(&self) -> usize {
        if self.bytes <= self.room {
            return usize::MAX;
        }
        let each = self.namespaces.values();
        let mut each: Vec<usize> = each
            .map(|namespace| namespace.values().map(|large| large.bytes).sum())
            .collect();
        each.sort_unstable();
        let mut left = self.room;
        for (at, bytes) in each.iter().enumerate() {
            let share = left / (each.len() - at);
            if *bytes > share {
                return share;
            }
            left -= bytes;
        }
        usize::MAX
    }
}

#[cfg(test)]
mod tests;
