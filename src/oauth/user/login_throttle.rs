//! How often a caller may fail: the generic cell rate algorithm (ITU-T I.371), over a bounded number of keys.
//!
//! A try is charged before it is made, so that many at once count as many, and is given back if it succeeds.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

/// How many at once, before one per interval.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many failures are free after a time of rest.
    pub burst: u32,
    /// How long one takes to be forgotten.
    pub every: Duration,
}

/// What is counted for: a digest, so that long names take no room.
pub type Key = [u8; 32];

/// The key of these parts.
pub fn key(parts: &[&str]) -> Key {
    let mut input = Vec::new();
    for part in parts {
        input.extend_from_slice(&(part.len() as u64).to_be_bytes());
        input.extend_from_slice(part.as_bytes());
    }
    let mut key = Key::default();
    key.copy_from_slice(digest(&SHA256, &input).as_ref());
    key
}

impl Rate {
    /// The rate of a caller who may do this many times as much.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            burst: self.burst.saturating_mul(times),
            every: self.every / times.max(1),
        }
    }
}

/// Counts failures by key.
#[derive(Debug)]
pub struct Throttle {
    rate: Rate,
    capacity: usize,
    /// When everything that was charged will be forgotten; a key at rest has no entry.
    busy_until: HashMap<Key, Timestamp>,
}

impl Throttle {
    /// A throttle that keeps at most `capacity` keys.
    pub fn new(rate: Rate, capacity: usize) -> Self {
        Self {
            rate,
            capacity,
            busy_until: HashMap::new(),
        }
    }

    /// Charges one try, or says how long to wait for the next.
    pub fn charge(&mut self, key: Key, now: Timestamp) -> Result<(), Duration> {
        let free = later(now, self.rate.every.saturating_mul(self.rate.burst));
        // A clock that went back must lock no key out for longer than all failures that count.
        let busy = self.busy_until.get(&key).copied().unwrap_or(now);
        let next = later(busy.clamp(now, free), self.rate.every);
        if next > free {
            let wait = next.duration_since(free);
            return Err(wait.unsigned_abs().max(Duration::from_millis(1)));
        }
        if self.busy_until.len() >= self.capacity && !self.busy_until.contains_key(&key) {
            self.make_room(now);
        }
        self.busy_until.insert(key, next);
        Ok(())
    }

    /// Gives a try back that did not fail.
    pub fn refund(&mut self, key: Key) {
        if let Some(busy) = self.busy_until.get_mut(&key) {
            *busy = busy.saturating_sub(self.rate.every).unwrap_or(*busy);
        }
    }

    /// Removes keys at rest; if none is, the quarter that would be removed soonest. A key with the most failures
    /// stays, so that failures under many names do not remove it.
    fn make_room(&mut self, now: Timestamp) {
        self.busy_until.retain(|_, busy| *busy > now);
        if self.busy_until.len() < self.capacity {
            return;
        }
        let mut times: Vec<Timestamp> = self.busy_until.values().copied().collect();
        let quarter = times.len() / 4;
        let (_, limit, _) = times.select_nth_unstable(quarter);
        let (limit, mut spare) = (*limit, quarter + 1);
        self.busy_until.retain(|_, busy| {
            let goes = *busy <= limit && spare > 0;
            spare -= usize::from(goes);
            !goes
        });
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate {
        burst: 10,
        every: Duration::from_secs(6),
    };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000_000 + millis).unwrap()
    }

    fn fail(throttle: &mut Throttle, who: &str, millis: i64) -> Result<(), Duration> {
        throttle.charge(key(&[who]), at(millis))
    }

    #[test]
    fn c02_ten_quick_failures_and_then_one_in_six_seconds() {
        let mut throttle = Throttle::new(RATE, 100);
        for _ in 0..10 {
            assert_eq!(fail(&mut throttle, "a", 0), Ok(()));
        }
        assert_eq!(fail(&mut throttle, "a", 0), Err(Duration::from_secs(6)));
        assert_eq!(
            fail(&mut throttle, "a", 4500),
            Err(Duration::from_millis(1500))
        );
        assert_eq!(fail(&mut throttle, "b", 0), Ok(()));
        assert_eq!(fail(&mut throttle, "a", 6000), Ok(()));
        assert_eq!(fail(&mut throttle, "a", 6000), Err(Duration::from_secs(6)));
        assert_eq!(fail(&mut throttle, "a", 3_600_000), Ok(()));
    }

    #[test]
    fn what_succeeds_costs_nothing() {
        let mut throttle = Throttle::new(RATE, 100);
        for _ in 0..1000 {
            assert_eq!(fail(&mut throttle, "a", 0), Ok(()));
            throttle.refund(key(&["a"]));
        }
        throttle.refund(key(&["unknown"]));
        for _ in 0..10 {
            assert_eq!(fail(&mut throttle, "a", 0), Ok(()));
        }
        assert!(fail(&mut throttle, "a", 0).is_err());
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out_for_longer_than_a_minute() {
        let mut throttle = Throttle::new(RATE, 100);
        while fail(&mut throttle, "a", 0).is_ok() {}
        assert_eq!(
            fail(&mut throttle, "a", -3_600_000),
            Err(Duration::from_secs(6))
        );
    }

    #[test]
    fn whoever_fails_under_many_names_takes_no_more_room_and_is_not_forgotten() {
        let mut throttle = Throttle::new(RATE, 100);
        while fail(&mut throttle, "victim", 0).is_ok() {}
        for name in 0..10_000 {
            assert_eq!(fail(&mut throttle, &name.to_string(), 1), Ok(()));
            assert!(throttle.busy_until.len() <= 100);
        }
        assert!(fail(&mut throttle, "victim", 1).is_err());
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_what_time_gave_back(steps in proptest::collection::vec(0i64..5000, 1..200)) {
            let mut throttle = Throttle::new(RATE, 10);
            let (mut time, mut passed) = (0, 0);
            for step in steps {
                time += step;
                passed += i64::from(fail(&mut throttle, "a", time).is_ok());
            }
            prop_assert!(passed <= 10 + time / 6000);
        }
    }
}
