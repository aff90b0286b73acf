//! When a client secret rotates, and when the old one retires: what is due next, from ledger, times and observed use.
//!
//! Accept, publish, observe use, retire. The order of writes that carries it out is [`super::secret_generations`]'s.

mod pace;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;

use super::secret_generations::Ledger;
pub use pace::RotationThrottle;

/// How soon it is looked again whether the use that is waited for was seen meanwhile.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// What a manifest says about rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Rotates so often by itself.
    pub every: Option<Duration>,
    /// The time without use of the old secret after which it retires early.
    pub quiet_period: Duration,
    /// After this the old secret retires in any case; zero means at once.
    pub max_overlap: Duration,
}

impl Settings {
    /// What a client has that says nothing.
    pub const DEFAULT: Self = Self {
        every: None,
        quiet_period: Duration::from_hours(24),
        max_overlap: Duration::from_hours(168),
    };
}

/// Generations that still work beside the published one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Those before this one have had a successor since.
    pub before: u32,
    /// Since when.
    pub since: Timestamp,
}

/// What is known of a client's use of its secret, on every replica that lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Nothing is known of what was before.
    pub since: Timestamp,
    /// Every use until then has been reported.
    pub until: Timestamp,
    /// When a generation before the published one was last used.
    pub old: Option<Timestamp>,
    /// When the published generation, or a later one, was last used.
    pub new: Option<Timestamp>,
}

/// What is to be known of the root key that the requested generation is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKeyState {
    /// It is the one that derives.
    Current,
    /// It verifies, and another one derives.
    Superseded,
    /// It was withdrawn: what it made does not authenticate any more.
    Withdrawn,
}

/// Why a secret rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A person asked for it.
    Requested,
    /// It is old enough.
    Scheduled,
    /// Another root key derives.
    RootKeyRotated,
    /// Its root key was withdrawn.
    RootKeyWithdrawn,
}

impl Cause {
    /// Its name in the status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "Requested",
            Self::Scheduled => "Scheduled",
            Self::RootKeyRotated => "RootKeyRotated",
            Self::RootKeyWithdrawn => "RootKeyWithdrawn",
        }
    }

    /// Whether it can wait for its turn among others. What an administrator waits for is not delayed.
    pub const fn can_wait(self) -> bool {
        matches!(self, Self::Scheduled | Self::RootKeyRotated)
    }
}

/// Why an old secret retires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The new one is in use, and the old one was not used for the quiet period.
    Unused,
    /// The longest overlap has passed.
    Expired,
    /// There is no overlap.
    AtOnce,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask for the next generation in the ledger.
    Ask(Cause),
    /// Publish the generation that was asked for, and record it.
    Publish,
    /// Retire the generations before this one.
    Retire(u32, End),
    /// Nothing, and nothing before this time.
    Rest(Option<Timestamp>),
}

/// Everything that the next step depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The generations.
    pub ledger: Ledger,
    /// What the manifest says.
    pub settings: Settings,
    /// Whether a person asked for a rotation and was not answered yet.
    pub requested: bool,
    /// The root key of the requested generation.
    pub root_key: RootKeyState,
    /// When the published generation was published.
    pub published_at: Option<Timestamp>,
    /// The generations that still work beside it.
    pub overlap: Option<Overlap>,
    /// Since when requests of the client are served; none if they are not.
    pub serving_since: Option<Timestamp>,
    /// What is known of the use of its secret.
    pub observed: Option<Observed>,
    /// What spreads clients that are due at once: the UID.
    pub client_uid: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// What is due next.
pub fn next(now: &Situation<'_>) -> Step {
    let ledger = now.ledger;
    if now.requested {
        return Step::Ask(Cause::Requested);
    }
    if now.root_key == RootKeyState::Withdrawn {
        return Step::Ask(Cause::RootKeyWithdrawn);
    }
    if ledger.published < ledger.requested {
        return Step::Publish;
    }
    if ledger.oldest_accepted < ledger.published {
        return during_overlap(now);
    }
    at_rest(now)
}

/// Whether and when the old generations retire.
fn during_overlap(now: &Situation<'_>) -> Step {
    let published = now.ledger.published;
    if now.settings.max_overlap.is_zero() {
        return Step::Retire(published, End::AtOnce);
    }
    // Recorded with the next status; until then nothing is known and nothing retires.
    let Some(overlap) = now.overlap else {
        return Step::Publish;
    };
    let expires = later(overlap.since, now.settings.max_overlap);
    if expires <= now.now {
        return Step::Retire(overlap.before.min(published), End::Expired);
    }
    match silence(now) {
        Silence::Long => Step::Retire(published, End::Unused),
        Silence::Until(at) => Step::Rest(Some(at.min(expires))),
    }
}

enum Silence {
    /// Long enough, and the new generation is in use.
    Long,
    /// Look again then.
    Until(Timestamp),
}

/// Whether the old generations were silent for the quiet period. Whatever is not known counts as use: what was before
/// a replica reported for the first time, what one has not reported yet, and the time in which no request was served.
fn silence(now: &Situation<'_>) -> Silence {
    let again = Silence::Until(later(now.now, LOOK_AGAIN.min(now.settings.quiet_period)));
    let (Some(observed), Some(serving), Some(published)) =
        (now.observed, now.serving_since, now.published_at)
    else {
        return again;
    };
    let known = [observed.since, serving, published];
    let quiet_since = known
        .into_iter()
        .chain(observed.old)
        .fold(Timestamp::MIN, Timestamp::max);
    let quiet = later(quiet_since, now.settings.quiet_period);
    if quiet > now.now {
        return Silence::Until(quiet);
    }
    if observed.until >= quiet && observed.new.is_some() {
        return Silence::Long;
    }
    again
}

/// Whether and when a rotation begins by itself.
fn at_rest(now: &Situation<'_>) -> Step {
    // Who is not served could not read the new secret before the old one retires.
    if now.serving_since.is_none() {
        return Step::Rest(None);
    }
    if now.root_key == RootKeyState::Superseded {
        return Step::Ask(Cause::RootKeyRotated);
    }
    match due_at(now.settings, now.published_at, now.client_uid) {
        Some(due) if due <= now.now => Step::Ask(Cause::Scheduled),
        due => Step::Rest(due),
    }
}

/// When the secret rotates by itself: within the last tenth of `every`, each client at a moment of its own.
pub fn due_at(
    settings: Settings,
    published_at: Option<Timestamp>,
    client_uid: &str,
) -> Option<Timestamp> {
    let (every, published_at) = (settings.every?, published_at?);
    let share = f64::from(crc32fast::hash(client_uid.as_bytes())) / f64::from(u32::MAX);
    let early = Duration::from_secs((every / 10).mul_f64(share).as_secs());
    Some(later(published_at, every.saturating_sub(early)))
}

/// A time that much later.
pub fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
