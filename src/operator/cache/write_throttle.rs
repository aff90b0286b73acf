//! How often one object is written about: an object that changes all the time costs about one write in a second.
//!
//! What it is takes effect at once: the registry is none of this. Only what is written about it waits, and says then how it
//! is by then. Occasional changes of an object are not delayed.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A write that was made is free again after this.
const EVERY: Duration = Duration::from_secs(1);
/// How many objects are remembered before the oldest are forgotten.
const FEW: usize = 256;

/// When each object was written about.
#[derive(Debug)]
struct WriteTimes {
    burst: u32,
    /// When all writes about an object will be free again, by UID.
    free: HashMap<String, Instant>,
    most: usize,
}

impl WriteTimes {
    /// How many writes about one object may follow each other without a pause.
    fn new(burst: u32) -> Self {
        Self {
            burst: burst.max(1),
            free: HashMap::new(),
            most: FEW,
        }
    }

    /// How long an object waits until it is written about again, if it waits.
    fn wait(&self, uid: &str, now: Instant) -> Option<Duration> {
        let free = self.free.get(uid)?;
        let allowed = now + EVERY * (self.burst - 1);
        free.checked_duration_since(allowed)
            .filter(|wait| !wait.is_zero())
    }

    /// Notes a write about an object.
    fn note(&mut self, uid: &str, now: Instant) {
        if self.free.len() >= self.most {
            self.free.retain(|_, free| *free > now);
            self.most = FEW.max(2 * self.free.len());
        }
        let free = self.free.get(uid).copied().unwrap_or(now).max(now);
        self.free.insert(uid.to_owned(), free + EVERY);
    }
}

/// `WriteTimes` of all objects, shared by the workers.
#[derive(Debug)]
pub struct WriteThrottle(Mutex<WriteTimes>);

impl WriteThrottle {
    /// How many writes about one object may follow each other without a pause.
    pub fn new(burst: u32) -> Self {
        Self(Mutex::new(WriteTimes::new(burst)))
    }

    /// How long an object waits until it is written about again, if it waits.
    pub fn wait(&self, uid: &str) -> Option<Duration> {
        let spacing = self.0.lock().expect("no holder of this lock panics");
        spacing.wait(uid, Instant::now())
    }

    /// Notes a write about an object.
    pub fn note(&self, uid: Option<&str>) {
        let mut spacing = self.0.lock().expect("no holder of this lock panics");
        spacing.note(uid.unwrap_or_default(), Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(spacing: &mut WriteTimes, uid: &str, now: Instant) -> bool {
        let free = spacing.wait(uid, now).is_none();
        if free {
            spacing.note(uid, now);
        }
        free
    }

    #[test]
    fn f80_a_hundred_changes_in_a_second_are_one_write_in_a_second_after_the_first() {
        let (mut spacing, begin) = (WriteTimes::new(20), Instant::now());
        let times = (0..3000).map(|turn| begin + Duration::from_millis(10) * turn);
        let writes = times.filter(|now| written(&mut spacing, "toggled", *now));
        let writes = writes.count();
        assert!((48..=50).contains(&writes), "{writes} in 30 s");
        assert!(written(&mut spacing, "another", begin));
    }

    #[test]
    fn the_first_writes_do_not_wait_and_come_back() {
        let (mut spacing, begin) = (WriteTimes::new(20), Instant::now());
        for _ in 0..20 {
            assert!(written(&mut spacing, "web", begin));
        }
        assert_eq!(spacing.wait("web", begin), Some(EVERY));
        let later = begin + Duration::from_millis(300);
        assert_eq!(spacing.wait("web", later), Some(Duration::from_millis(700)));
        assert!(written(&mut spacing, "web", begin + EVERY));
        assert!(!written(&mut spacing, "web", begin + EVERY));
        let rested = begin + EVERY * 40;
        for _ in 0..20 {
            assert!(written(&mut spacing, "web", rested));
        }
    }

    #[test]
    fn who_has_rested_is_forgotten() {
        let (mut spacing, begin) = (WriteTimes::new(20), Instant::now());
        for turn in 0..10_000_u32 {
            spacing.note(&turn.to_string(), begin + Duration::from_millis(10) * turn);
        }
        assert!(spacing.free.len() <= 2 * FEW, "{}", spacing.free.len());
    }
}
