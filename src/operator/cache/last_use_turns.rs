//! Which clients may be written about only because they were used.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// The UIDs of the clients that have a turn, each for one write.
#[derive(Debug, Default)]
pub struct LastUseTurns(Mutex<HashSet<Arc<str>>>);

impl LastUseTurns {
    /// Gives these clients a turn; turns that were not taken end.
    pub fn give(&self, clients: impl Iterator<Item = Arc<str>>) {
        let mut turns = self.0.lock().expect("no holder of this lock panics");
        turns.clear();
        turns.extend(clients);
    }

    /// Takes the turn of a client, if it has one.
    pub fn take(&self, uid: &str) -> bool {
        let mut turns = self.0.lock().expect("no holder of this lock panics");
        turns.remove(uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_for_one_write_and_ends_with_the_next_turns() {
        let turns = LastUseTurns::default();
        let give = |uids: &[&str]| turns.give(uids.iter().map(|uid| (*uid).into()));
        give(&["a", "b"]);
        assert!(turns.take("a") && !turns.take("a"));
        give(&["c"]);
        assert!(!turns.take("b"), "nothing is gathered");
        assert!(turns.take("c"));
    }
}
