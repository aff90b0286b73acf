//! Which replicas are waited for before a client is called Ready, judged by the clock of this one.
//!
//! Every replica counts up a number in the store. One whose number stands still for [`SILENT`] has ended or is frozen, and leaves the
//! rollout. Only time counts in which the store answered: while it does not, no replica can be heard.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How often a replica that serves says that it lives.
pub const BEAT: Duration = Duration::from_secs(2);
/// A replica that is silent for this time is waited for no longer.
pub const SILENT: Duration = Duration::from_secs(15);
/// A replica that was not heard for this time may have left the rollout, or will: it does not call a client unknown.
pub const UNHEARD: Duration = Duration::from_secs(10);

/// What was heard of the replicas that serve.
#[derive(Debug, Default)]
pub struct Presence {
    replicas: HashMap<String, Heard>,
    /// When the store answered last, unless it failed since.
    answered: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    beat: i64,
    /// How long its number stands still.
    silent: Duration,
    /// Whether it was heard since the store failed, or since this replica began to listen.
    again: bool,
}

impl Presence {
    /// Takes in the number of each replica that serves. Those of the answer are silent and leave.
    pub fn hear(
        &mut self,
        ourselves: &str,
        now: Instant,
        beats: Vec<(String, i64)>,
    ) -> Vec<(String, i64)> {
        let passed = self.answered.replace(now).map_or(Duration::ZERO, |before| {
            // A process that was stopped itself has heard no replica meanwhile.
            now.saturating_duration_since(before).min(BEAT * 2)
        });
        let mut known = std::mem::take(&mut self.replicas);
        let mut silent = Vec::new();
        for (replica, beat) in beats {
            let before = known.remove(&replica);
            let moved = before.is_some_and(|before| before.beat != beat);
            let heard = Heard {
                beat,
                silent: match before {
                    Some(before) if !moved => before.silent + passed,
                    _ => Duration::ZERO,
                },
                again: moved || replica == ourselves || before.is_some_and(|before| before.again),
            };
            if heard.silent >= SILENT {
                silent.push((replica, beat));
            } else {
                self.replicas.insert(replica, heard);
            }
        }
        silent
    }

    /// The store failed: every replica must be heard again, and has the whole time for it.
    pub fn fail(&mut self) {
        self.answered = None;
        for heard in self.replicas.values_mut() {
            heard.again = false;
            heard.silent = Duration::ZERO;
        }
    }

    /// Whether what the store says about the replicas is true now: each was heard since the store failed, or has left.
    pub fn is_known(&self) -> bool {
        self.answered.is_some() && self.replicas.values().all(|heard| heard.again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(of: &[(&str, i64)]) -> Vec<(String, i64)> {
        of.iter()
            .map(|(id, beat)| ((*id).to_owned(), *beat))
            .collect()
    }

    /// Listens every two seconds; when `other` leaves, if it does within a minute.
    fn until_gone(presence: &mut Presence, from: Instant, other: i64) -> Option<Duration> {
        (1..30).find_map(|turn| {
            let after = BEAT * turn;
            let beats = beats(&[("us", i64::from(turn)), ("other", other)]);
            let gone = presence.hear("us", from + after, beats);
            gone.contains(&("other".to_owned(), other)).then_some(after)
        })
    }

    #[test]
    fn o09_a_silent_replica_leaves_after_fifteen_seconds() {
        let (mut presence, began) = (Presence::default(), Instant::now());
        presence.hear("us", began, beats(&[("us", 0), ("other", 6)]));
        presence.hear("us", began, beats(&[("us", 0), ("other", 7)]));
        assert!(presence.is_known());
        let gone = until_gone(&mut presence, began, 7).unwrap();
        assert!((SILENT..=SILENT + BEAT).contains(&gone), "{gone:?}");
        presence.hear("us", began + gone, beats(&[("us", 99)]));
        assert!(presence.is_known(), "no replica waits for it");
    }

    #[test]
    fn o09_silence_counts_only_while_the_store_answers() {
        let (mut presence, began) = (Presence::default(), Instant::now());
        presence.hear("us", began, beats(&[("us", 0), ("other", 6)]));
        let later = (began + SILENT).checked_sub(BEAT).unwrap();
        assert_eq!(until_gone(&mut presence, began, 6), Some(BEAT * 8));
        let (mut presence, hour) = (Presence::default(), Duration::from_hours(1));
        presence.hear("us", began, beats(&[("us", 0), ("other", 7)]));
        presence.hear("us", later, beats(&[("us", 1), ("other", 7)]));
        presence.fail();
        let again = presence.hear("us", later + hour, beats(&[("us", 1), ("other", 7)]));
        assert_eq!(again, [], "the time begins again");
        assert!(until_gone(&mut presence, later + hour, 7).unwrap() >= SILENT);
    }

    #[test]
    fn o09_a_process_that_was_stopped_calls_nobody_silent() {
        let (mut presence, began) = (Presence::default(), Instant::now());
        presence.hear("us", began, beats(&[("us", 0), ("other", 7)]));
        let thawed = began + Duration::from_mins(5);
        let gone = presence.hear("us", thawed, beats(&[("us", 1), ("other", 7)]));
        assert_eq!(gone, []);
    }

    #[test]
    fn o01_after_an_outage_each_replica_must_be_heard_again() {
        let (mut presence, now) = (Presence::default(), Instant::now());
        presence.hear("us", now, beats(&[("us", 1), ("other", 7)]));
        assert!(!presence.is_known(), "it may have ended before we listened");
        presence.hear("us", now, beats(&[("us", 2), ("other", 8)]));
        assert!(presence.is_known());
        presence.fail();
        assert!(!presence.is_known());
        presence.hear("us", now, beats(&[("us", 3), ("other", 8)]));
        assert!(!presence.is_known(), "the other was not heard");
        presence.hear("us", now, beats(&[("us", 4), ("other", 9)]));
        assert!(presence.is_known());
    }
}
