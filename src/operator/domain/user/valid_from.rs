//! From when on sessions and grants of a person are valid.

use clientele_api::OAuthUser;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::domain::verdict::UserVerdict;

/// What began earlier is over: the time at which the person was last seen to be disabled. It only rises, so that
/// letting the person in again brings nothing back to life.
pub fn valid_from(object: &OAuthUser, before: Option<&UserVerdict>, now: Timestamp) -> Timestamp {
    let status = object.status.as_ref();
    let recorded = status.and_then(|status| status.sessions_valid_from.as_ref());
    let known = [
        recorded.map(|time| time.0),
        before.map(|b| b.details.valid_from),
    ];
    let known = known.into_iter().flatten().max();
    let observed = status.and_then(|status| status.observed_generation);
    // After a restart: it was seen if this generation was, and its time is recorded.
    let after_restart = recorded.is_some() && observed == object.metadata.generation;
    let was_seen = before.map_or(after_restart, |before| before.object.object().spec.disabled);
    if !object.spec.disabled || was_seen {
        return known.unwrap_or(Timestamp::UNIX_EPOCH);
    }
    // Rounded up, because the status has whole seconds and nothing that began in this one may survive.
    let up = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Ceil);
    let now = now.round(up).unwrap_or(now);
    known.map_or(now, |known| known.max(now))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::kept::{Kept, Words};
    use crate::domain::verdict::UserDetails;
    use crate::tests::user;
    use serde_json::{Value, json};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn alice(disabled: bool, generation: i64, status: Value) -> OAuthUser {
        let mut alice = user(
            "alice",
            json!({ "username": "alice", "disabled": disabled }),
        );
        alice.metadata.generation = Some(generation);
        alice.status = serde_json::from_value(status).unwrap();
        alice
    }

    fn seen(object: OAuthUser, valid_from: Timestamp) -> UserVerdict {
        UserVerdict {
            object: Arc::new(Kept::new(object, &mut Words::default())),
            registered: Err(crate::domain::reason::Refusal::new(
                crate::domain::reason::Reason::Disabled,
                "",
            )),
            tenant: None,
            details: UserDetails {
                pending: false,
                valid_from,
                ambiguous_email: false,
            },
        }
    }

    #[test]
    fn c17_who_is_disabled_and_let_in_again_finds_no_session() {
        let free = seen(alice(false, 1, json!({})), Timestamp::UNIX_EPOCH);
        let disabled = alice(true, 2, json!({}));
        let since = valid_from(&disabled, Some(&free), at(1500));
        assert_eq!(
            since,
            at(2000),
            "whole seconds, and none of this one survives"
        );
        let disabled = seen(disabled, since);
        assert_eq!(
            valid_from(&disabled.object.object(), Some(&disabled), at(9000)),
            since,
            "as long as nothing changes nothing is written"
        );
        // Before the status could be written the person is let in again.
        let again = alice(false, 3, json!({}));
        assert_eq!(valid_from(&again, Some(&disabled), at(9000)), since);
        let again = seen(again, since);
        let twice = alice(true, 4, json!({}));
        assert_eq!(valid_from(&twice, Some(&again), at(9000)), at(9000));
    }

    #[test]
    fn m09_a_restart_remembers_when_somebody_was_disabled() {
        let status =
            json!({ "observedGeneration": 2, "sessionsValidFrom": "1970-01-01T00:00:05Z" });
        let recorded = alice(true, 2, status.clone());
        assert_eq!(valid_from(&recorded, None, at(60_000)), at(5000));
        let while_away = alice(true, 3, status.clone());
        assert_eq!(valid_from(&while_away, None, at(60_000)), at(60_000));
        let free = alice(false, 3, status);
        assert_eq!(valid_from(&free, None, at(60_000)), at(5000));
        let never = alice(false, 1, json!({}));
        assert_eq!(valid_from(&never, None, at(60_000)), Timestamp::UNIX_EPOCH);
    }
}
