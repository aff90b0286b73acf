//! The brake: objects that only *vanish from a relist* are kept for a while.
//!
//! A DELETED event is believed at once. A LIST that is suddenly empty or much shorter may come from an
//! API server restored from an old snapshot or from a broken proxy, and believing it would cut off
//! every application in the cluster.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How long the registry keeps serving what a relist left out.
pub const HOLD: Duration = Duration::from_mins(1);

/// Objects kept although the last list did not have them.
#[derive(Debug)]
pub struct RelistGuard<K, V> {
    held: HashMap<K, V>,
    until: Option<Instant>,
}

impl<K, V> Default for RelistGuard<K, V> {
    fn default() -> Self {
        Self {
            held: HashMap::new(),
            until: None,
        }
    }
}

impl<K: Hash + Eq, V> RelistGuard<K, V> {
    /// Judges a relist: keeps `missing` if it lacks so much at once that the list is doubted.
    /// Returns whether it has to be confirmed.
    pub fn relisted(
        &mut self,
        known: usize,
        listed: usize,
        missing: impl Iterator<Item = (K, V)>,
        now: Instant,
    ) -> bool {
        let missing: HashMap<K, V> = missing.collect();
        let doubtful = listed == 0 || missing.len() > tolerated(known);
        if missing.is_empty() || !doubtful {
            return !self.held.is_empty();
        }
        self.held.extend(missing);
        self.until.get_or_insert(now + HOLD);
        true
    }

    /// Lets go of everything, and returns it: a second, consistent list has been read.
    pub fn confirm(&mut self) -> HashMap<K, V> {
        self.until = None;
        std::mem::take(&mut self.held)
    }

    /// Something was seen to exist or to be deleted: it is no longer a matter of doubt.
    pub fn settled(&mut self, key: &K) {
        self.held.remove(key);
        if self.held.is_empty() {
            self.until = None;
        }
    }

    /// Lets go of everything when the time is over, and returns it.
    pub fn expire(&mut self, now: Instant) -> HashMap<K, V> {
        if self.until.is_some_and(|until| until <= now) {
            return self.confirm();
        }
        HashMap::new()
    }

    /// When [`RelistGuard::expire`] will let go.
    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    /// What is kept.
    pub fn held(&self) -> impl Iterator<Item = &V> {
        self.held.values()
    }

    /// This one, if it is kept.
    pub fn find(&self, key: &K) -> Option<&V> {
        self.held.get(key)
    }

    /// Whether this one is kept.
    pub fn holds(&self, key: &K) -> bool {
        self.held.contains_key(key)
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

/// How many may vanish at once without doubt: ten, or a fifth.
fn tolerated(known: usize) -> usize {
    (known / 5).max(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relist(known: usize, missing: usize) -> RelistGuard<usize, usize> {
        let mut brake = RelistGuard::default();
        brake.relisted(
            known,
            known - missing,
            (0..missing).map(|n| (n, n)),
            Instant::now(),
        );
        brake
    }

    #[test]
    fn a_few_may_vanish_without_doubt() {
        assert!(relist(12, 10).is_empty());
        assert!(relist(1000, 200).is_empty());
    }

    #[test]
    fn f14_an_empty_or_much_shorter_list_is_doubted() {
        assert_eq!(relist(1, 1).len(), 1);
        assert_eq!(relist(14, 11).len(), 11);
        assert_eq!(relist(1000, 1000).len(), 1000);
        assert_eq!(relist(1000, 201).len(), 201);
    }

    #[test]
    fn a_second_list_settles_the_matter() {
        let mut brake = relist(100, 100);
        assert_eq!(brake.confirm().len(), 100);
        assert!(brake.is_empty() && brake.until().is_none());
    }

    #[test]
    fn a_deletion_that_was_seen_takes_effect_at_once() {
        let mut brake = relist(100, 100);
        brake.settled(&7);
        assert_eq!(brake.len(), 99);
    }

    #[test]
    fn after_a_minute_it_lets_go() {
        let mut brake = relist(100, 100);
        assert!(brake.expire(Instant::now()).is_empty());
        assert_eq!(brake.expire(Instant::now() + HOLD).len(), 100);
        assert!(brake.is_empty());
    }
}
