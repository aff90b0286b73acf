//! How long a person stays signed in.

use std::time::Duration;

use jiff::Timestamp;

use super::Session;
use crate::User;
use crate::digest::digest_of;
use crate::tenant::SessionLifetimes;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// That a session is used is written down at most this often.
pub const TOUCH_AFTER: Duration = Duration::from_mins(1);

/// Fresh random bytes: for the cookie, and for the `sid`.
pub type SessionRandom = [u8; 48];

/// A session as the browser holds it, and as it is kept.
pub struct NewSession {
    /// For the cookie. It is not kept here.
    pub value: String,
    /// For the store.
    pub kept: Session,
}

/// Begins a session: a fresh value, whatever cookie the browser came with.
pub fn begin(
    tenant: &str,
    user: &User,
    lifetimes: SessionLifetimes,
    random: &SessionRandom,
    now: Timestamp,
) -> NewSession {
    let (for_cookie, for_sid) = random.split_at(32);
    let value = URL_SAFE_NO_PAD.encode(for_cookie);
    let kept = Session {
        tenant: tenant.to_owned(),
        digest: digest_of(&value),
        sid: URL_SAFE_NO_PAD.encode(for_sid),
        subject: user.subject.to_string(),
        user_uid: user.uid.to_string(),
        credential: user.credential.to_string(),
        auth_time: now,
        last_used: now,
        expires_at: after(now, lifetimes.absolute),
    };
    NewSession { value, kept }
}

/// Whether the session still stands: not too old, not unused for too long, and the person is who they were. A tenant
/// that shortens its lifetimes shortens the sessions that there are.
pub fn stands(session: &Session, user: &User, lifetimes: SessionLifetimes, now: Timestamp) -> bool {
    now < session.expires_at
        && now < after(session.auth_time, lifetimes.absolute)
        && now < after(session.last_used, lifetimes.idle)
        && user.stands_by(&session.credential, session.auth_time)
}

/// Whether it is time to write down that the session is used.
pub fn is_to_be_touched(session: &Session, now: Timestamp) -> bool {
    now >= after(session.last_used, TOUCH_AFTER)
}

fn after(start: Timestamp, lifetime: Duration) -> Timestamp {
    start.saturating_add(lifetime).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::testing::user;

    const LIFETIMES: SessionLifetimes = SessionLifetimes {
        idle: Duration::from_secs(100),
        absolute: Duration::from_secs(1000),
        persistent: false,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(10_000 + second).unwrap()
    }

    fn session() -> Session {
        begin("t", &user(), LIFETIMES, &[7; 48], at(0)).kept
    }

    #[test]
    fn c19_a_session_ends_when_unused_and_at_the_latest_after_its_lifetime() {
        let mut session = session();
        for (second, stands_then) in [(0, true), (99, true), (100, false)] {
            assert_eq!(
                stands(&session, &user(), LIFETIMES, at(second)),
                stands_then
            );
        }
        session.last_used = at(950);
        for (second, stands_then) in [(999, true), (1000, false)] {
            assert_eq!(
                stands(&session, &user(), LIFETIMES, at(second)),
                stands_then
            );
        }
        let shorter = SessionLifetimes {
            absolute: Duration::from_mins(15),
            ..LIFETIMES
        };
        assert!(!stands(&session, &user(), shorter, at(960)));
    }

    #[test]
    fn c17_a_session_ends_with_the_password_and_with_the_person() {
        let session = session();
        let changed = User {
            credential: "another".into(),
            ..user()
        };
        let disabled = User {
            disabled: true,
            ..user()
        };
        let renewed = User {
            valid_from: at(1),
            ..user()
        };
        for user in [changed, disabled, renewed] {
            assert!(!stands(&session, &user, LIFETIMES, at(2)));
        }
    }

    #[test]
    fn use_is_written_down_once_a_minute() {
        assert!(!is_to_be_touched(&session(), at(59)));
        assert!(is_to_be_touched(&session(), at(60)));
        assert!(!is_to_be_touched(&session(), at(-500)), "a clock went back");
    }

    #[test]
    fn c07_a_session_is_256_bits_of_which_the_store_has_a_digest() {
        let begun = begin("t", &user(), LIFETIMES, &[7; 48], at(0));
        assert_eq!(begun.value.len(), 43);
        assert_eq!(begun.kept.digest, digest_of(&begun.value));
        assert!(!format!("{:?}", begun.kept).contains(&begun.value));
    }
}
