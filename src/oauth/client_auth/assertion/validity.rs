//! When an assertion counts (RFC 7523 §3, numbers 4 to 6).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The clocks of others may be ahead by this much.
pub const SLACK: Duration = Duration::from_secs(8);

/// Why a token does not count now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// `exp` is missing, or not a whole number of seconds.
    NoExpiry,
    /// `exp` has passed.
    Expired,
    /// `exp` is further ahead than the longest lifetime.
    TooFarAhead,
    /// `nbf` or `iat` lies ahead by more than [`SLACK`], or is not a whole number of seconds.
    NotYet,
}

/// When the token expires, if it counts now: `exp` is there, has not passed and is not further ahead than `longest`;
/// `nbf` and `iat` have passed, if they are there. Times are whole seconds, and nothing else is one.
pub fn expiry(
    claims: &Map<String, Value>,
    now: Timestamp,
    longest: Duration,
) -> Result<Timestamp, Invalid> {
    let expires_at = claims.get("exp").and_then(Value::as_i64);
    let expires_at = expires_at.ok_or(Invalid::NoExpiry)?;
    let has_come = ["nbf", "iat"].iter().all(|name| match claims.get(*name) {
        None => true,
        Some(time) => time.as_i64().is_some_and(|time| time <= ahead(now, SLACK)),
    });
    if !has_come {
        return Err(Invalid::NotYet);
    }
    if expires_at <= now.as_second() {
        return Err(Invalid::Expired);
    }
    if expires_at > ahead(now, longest) {
        return Err(Invalid::TooFarAhead);
    }
    Timestamp::from_second(expires_at).map_err(|_| Invalid::TooFarAhead)
}

/// How long the token lives in all, from `iat` to `exp`.
pub fn lifetime(claims: &Map<String, Value>) -> Option<Duration> {
    let at = |name: &str| claims.get(name)?.as_i64();
    let seconds = at("exp")?.checked_sub(at("iat")?)?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

fn ahead(now: Timestamp, by: Duration) -> i64 {
    let by = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
    now.as_second().saturating_add(by)
}
