//! The Lease by which one of several replicas writes: what is to be done about it, as a function of what was seen when.
//!
//! No clock of another replica is trusted. A record expires when it has not changed for as long as it says, by the clock of the replica that
//! looks at it; a holder ends earlier, by its own. The times in the record are for people.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

/// How long other replicas wait for a silent holder.
pub const DURATION: Duration = Duration::from_secs(15);
/// How long a holder writes after it began to renew. The rest is for what is on its way, and for clocks that are slow.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No replica holds it any more.
    Take,
    /// It is ours.
    Renew,
    /// Another replica holds it until then, unless it is renewed.
    Wait(Instant),
}

/// The record as it was seen last, and since when it is like that.
#[derive(Clone, Debug)]
pub struct Seen {
    record: LeaseSpec,
    since: Instant,
}

impl Seen {
    /// A record that was read, until `now`, after an earlier look.
    pub fn after(before: Option<Self>, record: LeaseSpec, now: Instant) -> Self {
        let same = before.filter(|before| before.record == record);
        same.unwrap_or(Self { record, since: now })
    }

    /// What is to be done.
    pub fn step(&self, identity: &str, now: Instant) -> Step {
        match self.record.holder_identity.as_deref() {
            None | Some("") => Step::Take,
            Some(holder) if holder == identity => Step::Renew,
            Some(_) if self.expires() <= now => Step::Take,
            Some(_) => Step::Wait(self.expires()),
        }
    }

    fn expires(&self) -> Instant {
        let seconds = self.record.lease_duration_seconds;
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        self.since + seconds.map_or(DURATION, Duration::from_secs)
    }
}

/// The record when we hold it from now on, or still.
pub fn held(before: &LeaseSpec, identity: &str, now: Timestamp) -> LeaseSpec {
    let mut record = before.clone();
    if record.holder_identity.as_deref() != Some(identity) {
        record.holder_identity = Some(identity.to_owned());
        record.acquire_time = Some(MicroTime(now));
        record.lease_transitions = Some(record.lease_transitions.unwrap_or(0).saturating_add(1));
    }
    record.lease_duration_seconds = i32::try_from(DURATION.as_secs()).ok();
    record.renew_time = Some(MicroTime(now));
    record
}

/// The record when no replica holds it any more.
pub fn released(before: &LeaseSpec) -> LeaseSpec {
    LeaseSpec {
        holder_identity: None,
        ..before.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn of_a(second: i64) -> LeaseSpec {
        held(&LeaseSpec::default(), "a", at(second))
    }

    #[test]
    fn what_nobody_holds_is_taken_and_what_is_ours_is_renewed() {
        let now = Instant::now();
        for (record, identity, step) in [
            (LeaseSpec::default(), "a", Step::Take),
            (of_a(0), "a", Step::Renew),
            (of_a(0), "b", Step::Wait(now + DURATION)),
            (released(&of_a(0)), "b", Step::Take),
        ] {
            let seen = Seen::after(None, record.clone(), now);
            assert_eq!(seen.step(identity, now), step, "{record:?}");
        }
    }

    #[test]
    fn a_record_expires_by_our_clock_whatever_its_times_say() {
        let began = Instant::now();
        let (early, late) = (began + DURATION / 2, began + DURATION);
        for time in [-1_000_000, 0, 1_000_000] {
            let first = Seen::after(None, of_a(time), began);
            let again = Seen::after(Some(first.clone()), of_a(time), early);
            assert_eq!(again.step("b", early), Step::Wait(late));
            assert_eq!(again.step("b", late), Step::Take, "it has not changed");
            let renewed = Seen::after(Some(first), of_a(time + 1), early);
            assert_eq!(renewed.step("b", late), Step::Wait(early + DURATION));
        }
    }

    #[test]
    fn a_record_says_itself_how_long_others_wait() {
        let now = Instant::now();
        for (seconds, wait) in [(Some(60), 60), (None, 15), (Some(-1), 15)] {
            let mut record = of_a(0);
            record.lease_duration_seconds = seconds;
            let until = now + Duration::from_secs(wait);
            let seen = Seen::after(None, record, now);
            assert_eq!(seen.step("b", now), Step::Wait(until));
        }
    }

    #[test]
    fn who_takes_it_says_since_when_and_who_renews_it_does_not() {
        let first = of_a(0);
        let renewed = held(&first, "a", at(5));
        assert_eq!(renewed.acquire_time, first.acquire_time);
        assert_eq!(renewed.lease_transitions, Some(1));
        assert_ne!(renewed, first, "a reader sees that it is alive");
        let taken = held(&released(&renewed), "b", at(9));
        assert_eq!(taken.acquire_time, Some(MicroTime(at(9))));
        assert_eq!(taken.lease_transitions, Some(2));
    }

    #[test]
    fn a_holder_ends_before_others_begin() {
        assert!(RENEW_DEADLINE < DURATION);
    }
}
