//! What all connections of a listener may keep us busy with at once: requests, and bytes of answers that have not left.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Limits;
use super::overload::Reason;
use super::room::Room;
use crate::network::{PrefixCounts, prefixes};

/// No address has more than this part of the requests in flight, once there are many.
const PART: usize = 8;
/// Many requests are this part of those that are allowed. Below it no request is counted by address.
const CALM: usize = 4;

/// The requests in flight and the bytes of their answers.
#[derive(Debug)]
pub struct Budget {
    most_requests: usize,
    most_bytes: usize,
    requests: AtomicUsize,
    bytes: AtomicUsize,
    by_prefix: Mutex<PrefixCounts>,
    room: Arc<Room>,
}

/// A request that was admitted: it holds its room until it is dropped.
#[derive(Debug)]
pub struct Admitted {
    budget: Arc<Budget>,
    counted: Option<IpAddr>,
    bytes: usize,
}

impl Budget {
    /// An empty one, for the connections of a listener.
    pub fn new(limits: Limits, room: Arc<Room>) -> Self {
        Self {
            most_requests: limits.requests,
            most_bytes: limits.unread,
            requests: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            by_prefix: Mutex::default(),
            room,
        }
    }

    /// Room for a request from an address, which is asked for only if there are many requests.
    pub fn admit(self: &Arc<Self>, from: impl FnOnce() -> IpAddr) -> Result<Admitted, Reason> {
        let before = self.requests.fetch_add(1, Relaxed);
        let mut admitted = Admitted {
            budget: self.clone(),
            counted: None,
            bytes: 0,
        };
        let found = if before >= self.most_requests {
            Err(Reason::Requests)
        } else if before >= self.most_requests / CALM {
            let from = from();
            self.count(from).map(|()| admitted.counted = Some(from))
        } else {
            Ok(())
        };
        found
            .inspect_err(|reason| self.room.count(*reason))
            .map(|()| admitted)
    }

    fn count(&self, from: IpAddr) -> Result<(), Reason> {
        let share = (self.most_requests / PART).max(1);
        let mut counts = self.counts();
        if prefixes(from).any(|prefix| counts.is_full(prefix, share)) {
            return Err(Reason::RequestsOfAddress);
        }
        counts.add(from);
        Ok(())
    }

    fn counts(&self) -> MutexGuard<'_, PrefixCounts> {
        let counts = self.by_prefix.lock();
        counts.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    /// Takes room for the bytes of the answer. When all answers together are too much, those leave that wait longest.
    pub fn answered(&mut self, bytes: usize) {
        self.bytes = bytes;
        let before = self.budget.bytes.fetch_add(bytes, Relaxed);
        if before + bytes > self.budget.most_bytes {
            self.budget.room.collect_debts();
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let budget = &self.budget;
        budget.requests.fetch_sub(1, Relaxed);
        budget.bytes.fetch_sub(self.bytes, Relaxed);
        if let Some(from) = self.counted {
            budget.counts().remove(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Traffic;
    use crate::server::room::Place;
    use hyper::Version;

    fn budget(requests: usize) -> Arc<Budget> {
        let limits = Limits {
            requests,
            unread: 100,
            ..Limits::default()
        };
        let room = Arc::new(Room::new(limits, Traffic::default()));
        Arc::new(Budget::new(limits, room))
    }

    fn from(text: &str) -> impl FnOnce() -> IpAddr {
        let address = text.parse().unwrap();
        move || address
    }

    #[test]
    fn q02_no_address_takes_all_requests_and_all_together_are_bounded() {
        let budget = budget(32);
        let mut held = Vec::new();
        for _ in 0..8 {
            held.push(
                budget
                    .admit(|| panic!("no request is counted yet"))
                    .unwrap(),
            );
        }
        for _ in 0..4 {
            held.push(budget.admit(from("192.0.2.1")).unwrap());
        }
        let refused = budget.admit(from("192.0.2.1")).unwrap_err();
        assert_eq!(refused, Reason::RequestsOfAddress);
        for number in 0..20 {
            held.push(
                budget
                    .admit(from(&format!("192.0.2.{}", number + 2)))
                    .unwrap(),
            );
        }
        let refused = budget.admit(from("192.0.2.77")).unwrap_err();
        assert_eq!(refused, Reason::Requests);
        drop(held);
        assert_eq!(budget.requests.load(Relaxed), 0, "a refusal holds nothing");
        assert_eq!(budget.counts().len(), 0);
    }

    #[test]
    fn q02_whoever_does_not_read_leaves_when_all_answers_are_too_much() {
        let budget = budget(32);
        let place = |address: &str| budget.room.try_enter(address.parse().unwrap()).unwrap();
        let (debtor, reader) = (place("192.0.2.1"), place("192.0.2.2"));
        let answer = |place: &Place, bytes| {
            let mut admitted = budget.admit(|| unreachable!()).unwrap();
            let unsent = place.activity.begin(Version::HTTP_2).answered(bytes);
            admitted.answered(bytes);
            (admitted, unsent)
        };
        let unread = answer(&debtor, 100);
        assert!(!debtor.leave.is_cancelled());
        let read = answer(&reader, 1);
        assert!(debtor.leave.is_cancelled() && !reader.leave.is_cancelled());
        drop((unread, read));
        assert_eq!(budget.bytes.load(Relaxed), 0);
    }
}
