//! Which generation of a client secret is in use, and on which day a client was used last: noted in memory by every
//! request, reported now and then, and read back as what all replicas together have seen.

use std::collections::HashMap;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use jiff::Timestamp;

use super::secret_rotation::Observed;
use super::used_days::{Day, UsedDays};

/// When one registration was last used, on this replica. It hangs on the registered client; a request
/// notes its use without a lock and without memory, and writes at most once a second.
#[derive(Debug, Default)]
pub struct Uses {
    published: u32,
    old: Noted,
    new: Noted,
    /// What involved no generation of a derived secret.
    other: Noted,
    days: UsedDays,
}

/// Whole seconds since 1970, zero for never: what was noted, and what of it was reported.
#[derive(Debug, Default)]
struct Noted {
    at: AtomicU32,
    reported: AtomicU32,
}

impl Noted {
    fn note(&self, second: u32) {
        // Mostly it is the same second: then nothing is written, and no other core loses its copy.
        if self.at.load(Relaxed) < second {
            self.at.store(second, Relaxed);
        }
    }

    fn unreported(&self) -> Option<Timestamp> {
        let at = self.at.load(Relaxed);
        let reported = self.reported.load(Relaxed);
        (at > reported).then(|| Timestamp::from_second(at.into()).ok())?
    }

    fn is_reported(&self, until: Timestamp) {
        self.reported.store(second(until), Relaxed);
    }
}

/// Two clients differ by their published generations, and not by who used them when.
impl PartialEq for Uses {
    fn eq(&self, other: &Self) -> bool {
        self.published == other.published
    }
}

impl Eq for Uses {}

/// A use to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// The UID of the `OAuthClient`.
    pub client_uid: String,
    /// The generation, or a later one that was still an old one.
    pub generation: u32,
    /// When it was used last.
    pub used_at: Timestamp,
}

impl Uses {
    /// No secret was used yet; this generation is the published one.
    pub fn new(published: u32) -> Self {
        Self {
            published,
            ..Self::default()
        }
    }

    /// The same after a later generation was published: whatever was used until now is old.
    #[must_use]
    pub fn after(&self, published: u32) -> Self {
        let old = self.old.at.load(Relaxed).max(self.new.at.load(Relaxed));
        let next = Self {
            days: self.days.clone(),
            ..Self::new(published)
        };
        next.old.at.store(old, Relaxed);
        next.other.note(self.other.at.load(Relaxed));
        next
    }

    /// The published generation.
    pub fn published(&self) -> u32 {
        self.published
    }

    /// Notes that a generation authenticated. One above the published counts as published: this replica's watch lags.
    pub fn note(&self, generation: u32, now: Timestamp) {
        let noted = if generation < self.published {
            &self.old
        } else {
            &self.new
        };
        noted.note(second(now));
    }

    /// Notes a use that involved no generation of a derived secret: by an assertion, by a brought secret, or by a
    /// client without one, whose code or refresh token proves that it was meant.
    pub fn note_without_secret(&self, now: Timestamp) {
        self.other.note(second(now));
    }

    /// The last day on which this replica saw a use, if that was not reported yet.
    pub fn unreported_day(&self) -> Option<Day> {
        let noted = [&self.old, &self.new, &self.other];
        let last = noted.map(|noted| noted.at.load(Relaxed));
        let last = last.into_iter().max().filter(|at| *at > 0)?;
        self.days.unreported(Day::of_second(last))
    }

    /// The last days of use, as far as they were reported.
    pub fn days(&self) -> &UsedDays {
        &self.days
    }

    /// What has not been reported yet.
    pub fn unreported<'a>(&self, client_uid: &'a str) -> impl Iterator<Item = LastUse> + use<'a> {
        let of = |noted: &Noted, generation| {
            noted.unreported().map(|used_at| LastUse {
                client_uid: client_uid.to_owned(),
                generation,
                used_at,
            })
        };
        let old = of(&self.old, self.published.saturating_sub(1));
        old.into_iter().chain(of(&self.new, self.published))
    }

    /// Remembers that a use was reported.
    pub fn is_reported(&self, last: &LastUse) {
        let noted = if last.generation < self.published {
            &self.old
        } else {
            &self.new
        };
        noted.is_reported(last.used_at);
    }
}

fn second(time: Timestamp) -> u32 {
    u32::try_from(time.as_second()).unwrap_or_default()
}

/// What all replicas together have reported of some registrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Nothing is known of what was before.
    pub since: Timestamp,
    /// Every use until then has been reported.
    pub until: Timestamp,
    /// When the oldest sign-in that still counts was; the outer `None` if it was not queried.
    pub oldest_sign_in: Option<Option<Timestamp>>,
    /// The generations that were used, and when last, by registration. One that is not in it was not asked about.
    pub uses: HashMap<String, Vec<(u32, Timestamp)>>,
}

impl Usage {
    /// What is known of a registration of which this generation is published; `None` if nothing was asked about it.
    pub fn observed(&self, client_uid: &str, published: u32) -> Option<Observed> {
        let uses = self.uses.get(client_uid)?;
        let last = |is_old: bool| {
            let of_kind = uses.iter().filter(|(g, _)| (*g < published) == is_old);
            of_kind.map(|(_, at)| *at).max()
        };
        Some(Observed {
            since: self.since,
            until: self.until,
            old: last(true),
            new: last(false),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn reports(uses: &Uses) -> Vec<(u32, Timestamp)> {
        let reports: Vec<LastUse> = uses.unreported("uid").collect();
        for report in &reports {
            uses.is_reported(report);
        }
        let pair = |report: LastUse| (report.generation, report.used_at);
        reports.into_iter().map(pair).collect()
    }

    #[test]
    fn a_use_is_reported_once_and_again_when_it_is_newer() {
        let uses = Uses::new(2);
        assert_eq!(reports(&uses), []);
        uses.note(2, at(5));
        uses.note(1, at(3));
        uses.note(1, at(2));
        assert_eq!(reports(&uses), [(1, at(3)), (2, at(5))]);
        assert_eq!(reports(&uses), []);
        uses.note(1, at(9));
        assert_eq!(reports(&uses), [(1, at(9))]);
    }

    #[test]
    fn what_was_used_is_old_when_another_generation_is_published() {
        let uses = Uses::new(1);
        uses.note(1, at(5));
        let after = uses.after(2);
        assert_eq!(reports(&after), [(1, at(5))]);
        after.note(1, at(6));
        let later = after.after(7);
        later.note(7, at(8));
        assert_eq!(reports(&later), [(6, at(6)), (7, at(8))]);
    }

    #[test]
    fn a_replica_that_lags_reports_what_it_took_for_published() {
        let lagging = Uses::new(1);
        lagging.note(1, at(5));
        lagging.note(2, at(6));
        assert_eq!(
            reports(&lagging),
            [(1, at(6))],
            "it counts as a use of the old one"
        );
    }

    #[test]
    fn every_kind_of_use_makes_a_day_and_a_rotation_loses_none() {
        let notes: [fn(&Uses, Timestamp); 3] = [
            |uses, now| uses.note(1, now),
            |uses, now| uses.note(2, now),
            Uses::note_without_secret,
        ];
        for note in notes {
            let uses = Uses::new(2);
            assert_eq!(uses.unreported_day(), None, "never used");
            note(&uses, at(5));
            let today = Day::of(at(5));
            assert_eq!(uses.unreported_day(), Some(today));
            assert_eq!(uses.after(3).unreported_day(), Some(today));
            uses.days().is_reported(today);
            note(&uses, at(60));
            assert_eq!(uses.unreported_day(), None, "once a day");
            assert_eq!(uses.after(3).unreported_day(), None);
            note(&uses, at(86_400));
            assert_eq!(uses.unreported_day(), Some(Day::of(at(86_400))));
        }
    }

    #[test]
    fn a_use_without_a_secret_is_no_use_of_a_generation() {
        let uses = Uses::new(2);
        uses.note_without_secret(at(5));
        assert_eq!(reports(&uses), []);
    }

    #[test]
    fn all_replicas_together_tell_old_from_new() {
        let uses = vec![(1, at(1)), (2, at(7)), (3, at(5)), (4, at(4))];
        let usage = Usage {
            since: at(0),
            until: at(9),
            oldest_sign_in: None,
            uses: [("uid".to_owned(), uses), ("idle".to_owned(), vec![])].into(),
        };
        let seen = usage.observed("uid", 3).unwrap();
        assert_eq!((seen.old, seen.new), (Some(at(7)), Some(at(5))));
        let idle = usage.observed("idle", 3).unwrap();
        assert_eq!((idle.old, idle.new), (None, None));
        assert_eq!(usage.observed("unknown", 3), None, "not asked about");
    }
}
