//! Who is reconciled later even if nothing changes.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

use crate::cache::place::Place;

/// No wait is longer: clocks are set and machines sleep.
const LONGEST: Duration = Duration::from_hours(24);

/// How many wait before those are forgotten that were deleted.
const FEW: usize = 1024;

/// The objects whose time comes.
#[derive(Debug, Default)]
pub struct Later {
    times: DelayQueue<Place>,
    keys: HashMap<Place, Key>,
}

impl Later {
    /// The time of an object comes then, and no earlier one.
    pub fn set(&mut self, place: Place, after: Duration) {
        self.forget(&place);
        let key = self.times.insert(place.clone(), after.min(LONGEST));
        self.keys.insert(place, key);
    }

    /// Forgets who was deleted, before twice as many wait as there are objects: nothing else tells of it until their time
    /// comes, and anyone can make objects and delete them.
    pub fn keep_within(&mut self, objects: usize, is_there: impl Fn(&Place) -> bool) {
        if self.keys.len() <= 2 * objects + FEW {
            return;
        }
        for (_, key) in self.keys.extract_if(|place, _| !is_there(place)) {
            self.times.remove(&key);
        }
        self.keys.shrink_to(FEW);
        self.times.compact();
    }

    /// An object has no time any more.
    pub fn forget(&mut self, place: &Place) {
        if let Some(key) = self.keys.remove(place) {
            self.times.remove(&key);
        }
    }

    /// An object whose time has come; never if none waits.
    pub async fn next(&mut self) -> Place {
        match self.times.next().await {
            Some(come) => {
                let place = come.into_inner();
                self.keys.remove(&place);
                place
            }
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn place(name: &str) -> Place {
        Place::new("team", name)
    }

    #[tokio::test]
    async fn each_time_comes_once_and_the_last_word_counts() {
        let mut later = Later::default();
        let soon = Duration::from_millis;
        later.set(place("a"), Duration::from_hours(1));
        later.set(place("b"), soon(2));
        later.set(place("c"), soon(1));
        later.set(place("a"), soon(9));
        later.forget(&place("c"));
        assert_eq!(later.next().await, place("b"));
        assert_eq!(later.next().await, place("a"));
        assert!(later.keys.is_empty() && later.times.is_empty());
        assert!(later.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn who_was_deleted_does_not_wait_for_ever() {
        let mut later = Later::default();
        for n in 0..3 * FEW {
            later.set(place(&n.to_string()), LONGEST);
            later.keep_within(1, |there| *there == place("7"));
        }
        assert!(later.keys.len() <= FEW + 2 && later.times.len() == later.keys.len());
        assert!(later.keys.contains_key(&place("7")));
    }

    #[tokio::test]
    async fn a_time_that_never_comes_comes_within_a_day() {
        let mut later = Later::default();
        later.set(place("a"), Duration::MAX);
        let due = later.times.deadline(&later.keys[&place("a")]);
        let within = LONGEST + Duration::from_secs(1);
        assert!(due <= tokio::time::Instant::now() + within);
    }
}
