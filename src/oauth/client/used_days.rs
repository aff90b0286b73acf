//! On which day a client was used last, with the resolution of a UTC day.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use jiff::Timestamp;

const SECONDS: u32 = 86_400;

/// A UTC day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u32);

impl Day {
    /// The day of a time; 1970-01-01 for what is earlier.
    pub fn of(time: Timestamp) -> Self {
        Self::of_second(u32::try_from(time.as_second()).unwrap_or_default())
    }

    /// The day of a second since 1970.
    pub(super) fn of_second(second: u32) -> Self {
        Self(second / SECONDS)
    }

    /// The day of this number.
    pub fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// Its number: 0 is 1970-01-01.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Its first second.
    pub fn begin(self) -> Timestamp {
        let second = i64::from(self.0) * i64::from(SECONDS);
        Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
    }
}

/// The last day of use that this replica has reported, and the last that any replica has. Zero stands for never.
#[derive(Debug, Default)]
pub struct UsedDays {
    reported: AtomicU32,
    known: AtomicU32,
}

impl Clone for UsedDays {
    fn clone(&self) -> Self {
        Self {
            reported: self.reported.load(Relaxed).into(),
            known: self.known.load(Relaxed).into(),
        }
    }
}

impl UsedDays {
    /// The day, unless this replica has reported it or a later one.
    pub(super) fn unreported(&self, day: Day) -> Option<Day> {
        (day.0 > self.reported.load(Relaxed)).then_some(day)
    }

    /// Remembers that this replica has reported a day.
    pub fn is_reported(&self, day: Day) {
        self.reported.fetch_max(day.0, Relaxed);
    }

    /// Takes in a day that some replica has reported.
    pub fn learn(&self, day: Day) {
        self.known.fetch_max(day.0, Relaxed);
    }

    /// The last day of use that any replica has reported.
    pub fn last(&self) -> Option<Day> {
        let day = self.known.load(Relaxed);
        (day > 0).then_some(Day(day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_utc() {
        let of = |text: &str| Day::of(text.parse().unwrap());
        let day = of("2026-11-30T00:00:00Z");
        assert_eq!(of("2026-11-30T23:59:59Z"), day);
        assert!(of("2026-11-29T23:59:59Z") < day);
        assert_eq!(of("2026-12-01T00:30:00+01:00"), day);
        assert_eq!(day.begin().to_string(), "2026-11-30T00:00:00Z");
        assert_eq!(Day::from_number(day.number()), day);
        assert_eq!(Day::of(Timestamp::MIN).number(), 0);
    }

    #[test]
    fn what_is_known_never_goes_back() {
        let days = UsedDays::default();
        assert_eq!(days.last(), None);
        days.learn(Day(9));
        days.learn(Day(7));
        assert_eq!(days.last(), Some(Day(9)));
    }
}
