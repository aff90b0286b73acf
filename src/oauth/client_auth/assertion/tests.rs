use proptest::prelude::*;
use serde_json::json;

use super::validity::expiry;
use super::*;
use std::time::Duration;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

proptest! {
    #[test]
    fn d20_a_token_lives_only_between_now_and_the_longest_time_ahead(ahead in -1000i64..2000, longest in 0u64..1500) {
        let claims = json!({ "exp": now().as_second() + ahead });
        let found = expiry(claims.as_object().unwrap(), now(), Duration::from_secs(longest));
        let lives = ahead > 0 && ahead.unsigned_abs() <= longest;
        prop_assert_eq!(found.is_ok(), lives);
    }

    #[test]
    fn d20_what_begins_later_does_not_count_yet(ahead in -100i64..100, name in "nbf|iat") {
        let mut claims = json!({ "exp": now().as_second() + 60 });
        claims[&*name] = json!(now().as_second() + ahead);
        let found = expiry(claims.as_object().unwrap(), now(), Duration::from_mins(1));
        prop_assert_eq!(found.is_ok(), ahead <= 8);
    }

    #[test]
    fn d27_no_text_makes_it_panic(text in "\\PC{0,300}", parts in proptest::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
        let tenant = Tenant::new("t".into(), "uid".into(), "https://t".into());
        for assertion in [text, parts.join(".")] {
            let asserted = Asserted { assertion: Some(&assertion), assertion_type: Some(JWT_BEARER), client_id: None };
            prop_assert!(judge(&tenant, asserted, now()).is_err());
        }
    }
}
