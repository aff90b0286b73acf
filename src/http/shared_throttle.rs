//! A throttle that many requests share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::oauth::throttle::{Key, Rate, Throttle};

/// A throttle that many requests share.
#[derive(Debug)]
pub struct SharedThrottle(Mutex<Throttle>);

impl SharedThrottle {
    /// A throttle that keeps at most `capacity` keys.
    pub fn new(rate: Rate, capacity: usize) -> Self {
        Self(Mutex::new(Throttle::new(rate, capacity)))
    }

    /// Charges one try, or says how long to wait for the next.
    pub(super) fn charge(&self, key: Key, now: Timestamp) -> Result<(), Duration> {
        self.lock().charge(key, now)
    }

    /// Gives a try back that did not fail.
    pub(super) fn refund(&self, key: Key) {
        self.lock().refund(key);
    }

    /// The throttle holds nothing that a panic elsewhere could leave half done.
    fn lock(&self) -> MutexGuard<'_, Throttle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
