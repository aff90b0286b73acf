//! A rebuild in slices: after each the other tasks of the thread have a turn, so that a request waits for one slice and not
//! for all that follows from a change of a tenant with a hundred thousand clients.

use std::time::{Duration, Instant};

/// How long a slice lasts.
const SLICE: Duration = Duration::from_millis(2);

/// The slices of one rebuild.
pub(super) struct Slices {
    began: Instant,
    longest: Duration,
}

impl Slices {
    /// The first one.
    pub(super) fn begin() -> Self {
        Self {
            began: Instant::now(),
            longest: Duration::ZERO,
        }
    }

    /// Between two objects: ends the slice if it has lasted long enough.
    pub(super) async fn turn(&mut self) {
        if self.began.elapsed() >= SLICE {
            self.longest = self.longest();
            tokio::task::yield_now().await;
            self.began = Instant::now();
        }
    }

    /// How long the longest was.
    pub(super) fn longest(&self) -> Duration {
        self.longest.max(self.began.elapsed())
    }
}
