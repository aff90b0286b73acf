//! When an assertion counts (RFC 7523 §3, numbers 4 to 6).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The clocks of others may be ahead by so much.
const LEEWAY: i64 = 10;

/// When the token expires, if it counts now: `exp` is there, has not passed and is not further ahead than `longest`;
/// `nbf` and `iat` have passed, if they are there. Times are whole seconds, and nothing else is one.
pub fn expiry(claims: &Map<String, Value>, now: Timestamp, longest: Duration) -> Option<Timestamp> {
    let now = now.as_second();
    let expires_at = claims.get("exp")?.as_i64()?;
    let longest = i64::try_from(longest.as_secs()).ok()?;
    let has_come = ["nbf", "iat"].iter().all(|name| match claims.get(*name) {
        None => true,
        Some(time) => time.as_i64().is_some_and(|time| time <= now + LEEWAY),
    });
    let lives = now < expires_at && expires_at <= now + longest;
    if has_come && lives {
        Timestamp::from_second(expires_at).ok()
    } else {
        None
    }
}
