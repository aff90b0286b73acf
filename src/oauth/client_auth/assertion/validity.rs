//! When an assertion counts (RFC 7523 §3, numbers 4 to 6).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The clocks of others may be ahead by so much.
pub const SLACK: Duration = Duration::from_secs(10);

/// When the token expires, if it counts now: `exp` is there, has not passed and is not further ahead than `longest`;
/// `nbf` and `iat` have passed, if they are there. Times are whole seconds, and nothing else is one.
pub fn expiry(claims: &Map<String, Value>, now: Timestamp, longest: Duration) -> Option<Timestamp> {
    let expires_at = claims.get("exp")?.as_i64()?;
    let has_come = ["nbf", "iat"].iter().all(|name| match claims.get(*name) {
        None => true,
        Some(time) => time.as_i64().is_some_and(|time| time <= ahead(now, SLACK)),
    });
    let lives = now.as_second() < expires_at && expires_at <= ahead(now, longest);
    if has_come && lives {
        Timestamp::from_second(expires_at).ok()
    } else {
        None
    }
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
