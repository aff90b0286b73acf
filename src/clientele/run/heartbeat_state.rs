//! Whether the other replicas count on this one, as far as it can know: without that, what it does not know may exist.

use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use super::presence::{Presence, UNHEARD};

/// What this replica knows about itself and about the others.
#[derive(Debug, Default)]
pub struct HeartbeatState(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    presence: Presence,
    /// When the last accepted beat was begun. Nothing before the first.
    heard: Option<Instant>,
    /// The beat that found that it had not been heard for too long; what was made before may not be known here.
    behind: Option<Instant>,
    /// The registry is catching up.
    catching_up: bool,
    /// How often this replica became known to the others.
    times_known: u64,
}

impl HeartbeatState {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no holder of this lock panics")
    }

    /// A beat that was begun then was accepted. Whether the registry is to catch up now, because this replica was not heard for too
    /// long.
    pub fn is_heard(&self, began: Instant) -> bool {
        let mut state = self.state();
        if state.is_unheard(began) {
            state.behind = Some(began);
        }
        state.heard = Some(began);
        let begins = state.behind.is_some() && !state.catching_up;
        state.catching_up |= begins;
        begins
    }

    /// The registry knows everything that existed when this beat was begun.
    pub fn caught_up(&self, began: Instant) {
        let mut state = self.state();
        state.catching_up = false;
        // Unless it was not heard again meanwhile.
        state.behind = state.behind.filter(|behind| began < *behind);
    }

    /// Whether a client may exist, and be Ready, that this replica does not know.
    pub fn is_behind(&self) -> bool {
        let state = self.state();
        state.behind.is_some() || state.is_unheard(Instant::now())
    }

    /// A heartbeat was recorded, and before it the others did not know this replica or had taken it for gone.
    pub fn becomes_known(&self) {
        self.state().times_known += 1;
    }

    /// How often this replica became known to the others. What it said before the last time may be forgotten, because what an
    /// unknown replica says is removed; before the first time it says nothing.
    pub fn times_known(&self) -> u64 {
        self.state().times_known
    }

    /// Takes in who serves; those of the answer are silent and leave.
    pub fn hear(&self, ourselves: &str, beats: Vec<(String, i64)>) -> Vec<(String, i64)> {
        let mut state = self.state();
        state.presence.hear(ourselves, Instant::now(), beats)
    }

    /// The store failed.
    pub fn fail(&self) {
        self.state().presence.fail();
    }

    /// Whether what the store says about the replicas is true now.
    pub fn knows_replicas(&self) -> bool {
        self.state().presence.is_known()
    }
}

impl State {
    fn is_unheard(&self, now: Instant) -> bool {
        let since = |heard| now.saturating_duration_since(heard) > UNHEARD;
        self.heard.is_some_and(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o09_who_was_not_heard_is_behind_until_it_caught_up() {
        let heartbeat_state = HeartbeatState::default();
        let long_ago = Instant::now().checked_sub(UNHEARD * 2).unwrap();
        assert!(!heartbeat_state.is_behind(), "it does not serve yet");
        assert!(!heartbeat_state.is_heard(long_ago));
        assert!(heartbeat_state.is_behind());
        let now = Instant::now();
        assert!(heartbeat_state.is_heard(now), "it must catch up");
        assert!(!heartbeat_state.is_heard(now), "it does already");
        assert!(
            heartbeat_state.is_behind(),
            "it is heard, and may not know yet"
        );
        heartbeat_state.caught_up(long_ago);
        assert!(
            heartbeat_state.is_behind(),
            "of what was before the silence"
        );
        assert!(heartbeat_state.is_heard(now));
        heartbeat_state.caught_up(now);
        assert!(!heartbeat_state.is_behind());
        assert!(!heartbeat_state.is_heard(now));
    }
}
