//! An outage of the database that lasts: one request at a time tries to connect, and the others are told at once that the
//! database is away.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::error::StoreError;

/// An outage that has lasted for this long is not waited out by a request.
const SHORT: Duration = Duration::from_secs(5);
/// How often one request tries to connect while the outage lasts.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// A failure that is followed by no other within this time is no outage: there was no need for a connection since.
const FORGOTTEN: Duration = Duration::from_secs(15);

/// Since when no connection was made, if the last try failed.
#[derive(Debug, Default)]
pub struct Outage(Mutex<Option<Since>>);

#[derive(Debug)]
struct Since {
    began: Instant,
    failed: Instant,
    next_try: Instant,
    error: StoreError,
}

impl Outage {
    /// Whether a request may try to connect. An error says that it may not; the next one may soon.
    pub fn admit(&self, now: Instant) -> Result<(), StoreError> {
        let mut state = self.0.lock().expect("no holder of this lock panics");
        match &mut *state {
            Some(since) if since.lasts(now) => {
                if now < since.next_try {
                    return Err(since.error.clone());
                }
                since.next_try = now + TRY_EVERY;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether it lasts longer than a request waits.
    pub fn lasts(&self, now: Instant) -> bool {
        let state = self.0.lock().expect("no holder of this lock panics");
        state.as_ref().is_some_and(|since| since.lasts(now))
    }

    /// A try to connect failed.
    pub fn note(&self, error: &StoreError, now: Instant) {
        let mut state = self.0.lock().expect("no holder of this lock panics");
        let known = state.take().filter(|since| since.is_recent(now));
        let began = known.as_ref().map_or(now, |since| since.began);
        *state = Some(Since {
            began,
            failed: now,
            next_try: known.map_or(now, |since| since.next_try),
            error: error.clone(),
        });
    }

    /// Why there was no connection in time: what the last try said, if there was one.
    pub fn why(&self, now: Instant) -> StoreError {
        let state = self.0.lock().expect("no holder of this lock panics");
        let recent = state.as_ref().filter(|since| since.is_recent(now));
        recent.map_or(StoreError::Timeout, |since| since.error.clone())
    }

    /// A connection was made.
    pub fn end(&self) {
        *self.0.lock().expect("no holder of this lock panics") = None;
    }
}

impl Since {
    fn lasts(&self, now: Instant) -> bool {
        self.is_recent(now) && now.saturating_duration_since(self.began) > SHORT
    }

    fn is_recent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.failed) < FORGOTTEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o01_in_a_long_outage_only_one_request_tries_to_connect() {
        let outage = Outage::default();
        let began = Instant::now();
        let error = StoreError::Open("away".to_owned());
        assert_eq!(outage.admit(began), Ok(()));
        outage.note(&error, began);
        assert_eq!(outage.admit(began + SHORT), Ok(()), "it may be short");
        let late = began + SHORT + Duration::from_millis(1);
        assert!(outage.lasts(late));
        assert_eq!(outage.admit(late), Ok(()), "the one that tries");
        assert_eq!(outage.admit(late), Err(error.clone()));
        let next = late + TRY_EVERY;
        assert_eq!(outage.admit(next), Ok(()));
        assert_eq!(outage.admit(next), Err(error));
        assert!(!outage.lasts(began + FORGOTTEN), "no request tried since");
        outage.note(&StoreError::Timeout, late);
        assert_eq!(outage.admit(late), Err(StoreError::Timeout));
        outage.end();
        assert_eq!(outage.admit(late), Ok(()));
        assert!(!outage.lasts(late));
    }
}
