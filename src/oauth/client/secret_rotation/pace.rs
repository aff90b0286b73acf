//! Limits how many of the rotations that can wait begin in a second.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::later;

/// Two in a second: a thousand that are due at once take eight minutes, and the work is not slowed noticeably.
const APART: Duration = Duration::from_millis(500);
/// A turn that was not taken within this time is given up: its client was deleted.
const FORGOTTEN: Duration = Duration::from_mins(10);

/// Who begins when.
#[derive(Debug, Default)]
pub struct RotationThrottle {
    free: Option<Timestamp>,
    turns: HashMap<String, Timestamp>,
}

impl RotationThrottle {
    /// Lets a registration begin now, or says when its turn is. A turn that was given stays.
    pub fn admit(&mut self, client_uid: &str, now: Timestamp) -> Result<(), Timestamp> {
        let turn = match self.turns.get(client_uid) {
            Some(turn) => *turn,
            None => self.give(client_uid, now),
        };
        if turn > now {
            return Err(turn);
        }
        self.turns.remove(client_uid);
        Ok(())
    }

    fn give(&mut self, client_uid: &str, now: Timestamp) -> Timestamp {
        self.turns.retain(|_, turn| later(*turn, FORGOTTEN) > now);
        let turn = self.free.map_or(now, |free| free.max(now));
        self.free = Some(later(turn, APART));
        self.turns.insert(client_uid.to_owned(), turn);
        turn
    }
}
