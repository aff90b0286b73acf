//! When a client was used last, as its status says: with the resolution of a day, and written seldom.

use clientele_api::OAuthClientStatus;
use clientele_oauth::client::used_days::Day;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// How often in a minute clients get a turn.
pub const TURNS_A_MINUTE: u32 = 10;

/// How many clients get a turn: in each minute ten, and with more than ten thousand clients one thousandth, so that a day
/// is enough for all. `turn` counts the turns.
pub fn share(clients: usize, turn: u32) -> usize {
    let turns = TURNS_A_MINUTE as usize;
    let in_a_minute = (clients / 1000).max(10);
    let turn = turn as usize % turns;
    in_a_minute * (turn + 1) / turns - in_a_minute * turn / turns
}

/// What a status says: the day of the last use, or since when none is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastUse {
    /// The day of the last use.
    pub last_used_at: Option<Time>,
    /// The day since which no use is known.
    pub unused_since: Option<Time>,
}

impl LastUse {
    /// The day never goes back, and a clock that is fast does not reach beyond today.
    pub fn new(previous: &Self, used: Option<Day>, ready: bool, now: Timestamp) -> Self {
        let today = Day::of(now);
        let seen = used.map(|day| day.min(today).begin());
        let known = previous.last_used_at.as_ref().map(|time| time.0);
        let last_used_at = seen.max(known).map(Time);
        let since = || ready.then(|| Time(today.begin()));
        let unused_since = previous.unused_since.clone().or_else(since);
        Self {
            unused_since: unused_since.filter(|_| last_used_at.is_none()),
            last_used_at,
        }
    }

    /// That of a status.
    pub fn of(status: &OAuthClientStatus) -> Self {
        Self {
            last_used_at: status.last_used_at.clone(),
            unused_since: status.unused_since.clone(),
        }
    }
}

/// Whether a status differs from the wanted one in something else than the last use.
pub fn differs_otherwise(known: Option<&OAuthClientStatus>, wanted: &OAuthClientStatus) -> bool {
    let Some(known) = known else { return true };
    let same_use = OAuthClientStatus {
        last_used_at: known.last_used_at.clone(),
        unused_since: known.unused_since.clone(),
        ..wanted.clone()
    };
    *known != same_use
}

/// Whether a status lacks a day of use.
pub fn is_due(known: &LastUse, used: Option<Day>, ready: bool, now: Timestamp) -> bool {
    LastUse::new(known, used, ready, now) != *known
}

/// The clients that get a turn: those of which the status knows no use, then those whose known use is the longest ago.
pub fn choose<T>(mut due: Vec<(Option<Timestamp>, T)>, share: usize) -> Vec<T> {
    if due.len() > share {
        due.select_nth_unstable_by_key(share, |(known, _)| *known);
        due.truncate(share);
    }
    due.into_iter().map(|(_, client)| client).collect()
}

#[cfg(test)]
mod tests;
