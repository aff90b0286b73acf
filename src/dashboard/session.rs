//! Who may use the dashboard: a one-time token becomes a session. Both live in memory only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How long a one-time token can be used.
pub const TOKEN_LIFETIME: Duration = Duration::from_mins(1);
/// The most sessions; a further one ends the oldest.
const MOST_SESSIONS: usize = 16;

/// What a browser has after it sent the one-time token.
#[derive(Clone)]
pub struct Session {
    /// The value of the cookie.
    pub cookie: Arc<str>,
    /// The value of the hidden field of every form.
    pub form_token: Arc<str>,
}

/// The one-time token and the sessions.
#[derive(Default)]
pub struct Sessions(Mutex<State>);

#[derive(Default)]
struct State {
    token: Option<(String, Instant)>,
    open: VecDeque<Session>,
}

/// This machine has no random bytes.
#[derive(Debug)]
pub struct NoRandom;

impl Sessions {
    /// A token that can be used once within [`TOKEN_LIFETIME`]. The one before stops working.
    pub fn issue(&self, now: Instant) -> Result<String, NoRandom> {
        let token = random()?;
        self.state().token = Some((token.clone(), now));
        Ok(token)
    }

    /// Whether a token waits to be used.
    pub fn waits(&self, now: Instant) -> bool {
        let fresh = |issued: Instant| now.saturating_duration_since(issued) < TOKEN_LIFETIME;
        self.state()
            .token
            .as_ref()
            .is_some_and(|(_, issued)| fresh(*issued))
    }

    /// A session for the token; `None` if it is not the token, or is used or expired.
    pub fn redeem(&self, token: &str, now: Instant) -> Result<Option<Session>, NoRandom> {
        let mut state = self.state();
        let Some((expected, issued)) = state.token.take() else {
            return Ok(None);
        };
        if now.saturating_duration_since(issued) >= TOKEN_LIFETIME {
            return Ok(None);
        }
        if !same(&expected, token) {
            // A wrong guess does not take the token from the person who has it.
            state.token = Some((expected, issued));
            return Ok(None);
        }
        let session = Session {
            cookie: random()?.into(),
            form_token: random()?.into(),
        };
        if state.open.len() >= MOST_SESSIONS {
            state.open.pop_front();
        }
        state.open.push_back(session.clone());
        Ok(Some(session))
    }

    /// The session of a cookie.
    pub fn find(&self, cookie: &str) -> Option<Session> {
        let state = self.state();
        let mut open = state.open.iter();
        open.find(|session| same(&session.cookie, cookie)).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compares in constant time.
pub fn same(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// 256 random bits.
pub fn random() -> Result<String, NoRandom> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o02_a_token_is_used_once_within_a_minute() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let token = sessions.issue(now).unwrap();
        assert!(sessions.waits(now));
        assert!(sessions.redeem("another", now).unwrap().is_none());
        let just_in_time = now + Duration::from_millis(59_999);
        let session = sessions.redeem(&token, just_in_time).unwrap().unwrap();
        assert!(sessions.redeem(&token, now).unwrap().is_none(), "twice");
        assert!(!sessions.waits(now));
        let found = sessions.find(&session.cookie).unwrap();
        assert_eq!(found.form_token, session.form_token);
        assert!(sessions.find(&session.form_token).is_none());
        assert!(sessions.find("").is_none());
    }

    #[test]
    fn o02_a_late_or_replaced_token_opens_nothing() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let token = sessions.issue(now).unwrap();
        assert!(
            sessions
                .redeem(&token, now + TOKEN_LIFETIME)
                .unwrap()
                .is_none()
        );
        let replaced = sessions.issue(now).unwrap();
        let token = sessions.issue(now).unwrap();
        assert!(sessions.redeem(&replaced, now).unwrap().is_none());
        assert!(sessions.redeem(&token, now).unwrap().is_some());
    }

    #[test]
    fn o03_more_sessions_than_allowed_end_the_oldest() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let open = || {
            let token = sessions.issue(now).unwrap();
            sessions.redeem(&token, now).unwrap().unwrap()
        };
        let first = open();
        let others: Vec<Session> = (0..MOST_SESSIONS).map(|_| open()).collect();
        assert!(sessions.find(&first.cookie).is_none());
        assert!(
            others
                .iter()
                .all(|session| sessions.find(&session.cookie).is_some())
        );
    }
}
