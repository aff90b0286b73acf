use proptest::prelude::*;

use super::*;

fn at(day: u32, second: i64) -> Timestamp {
    let begin = Day::from_number(day).begin().as_second();
    Timestamp::from_second(begin + second).unwrap()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "as the functions under test take it"
)]
fn day(number: u32) -> Option<Day> {
    Some(Day::from_number(number))
}

/// The status after a reconcile at noon of that day.
fn after(
    status: &OAuthClientStatus,
    used: Option<Day>,
    ready: bool,
    today: u32,
) -> OAuthClientStatus {
    let last = LastUse::new(&LastUse::of(status), used, ready, at(today, 43_200));
    OAuthClientStatus {
        last_used_at: last.last_used_at,
        unused_since: last.unused_since,
        ..status.clone()
    }
}

fn days(status: &OAuthClientStatus) -> (Option<Day>, Option<Day>) {
    let day = |time: &Option<Time>| time.as_ref().map(|time| Day::of(time.0));
    (day(&status.last_used_at), day(&status.unused_since))
}

#[test]
fn a_client_is_unused_from_the_day_it_is_ready_on() {
    let new = OAuthClientStatus::default();
    let refused = after(&new, None, false, 100);
    assert_eq!(days(&refused), (None, None));
    let ready = after(&refused, None, true, 101);
    assert_eq!(days(&ready), (None, day(101)));
    assert_eq!(ready.unused_since, Some(Time(at(101, 0))), "a whole day");
    let later = after(&ready, None, true, 190);
    assert_eq!(days(&later), (None, day(101)));
    let used = after(&later, day(190), true, 190);
    assert_eq!(days(&used), (day(190), None));
}

#[test]
fn the_last_use_moves_on_and_never_back() {
    let used = after(&OAuthClientStatus::default(), day(100), true, 100);
    for (seen, today, told) in [
        (None, 105, 100),
        (day(99), 105, 100),
        (day(104), 105, 104),
        // The clock of a replica is fast.
        (day(106), 105, 105),
        // That of this one was.
        (day(90), 95, 100),
    ] {
        assert_eq!(days(&after(&used, seen, true, today)), (day(told), None));
    }
}

proptest! {
    #[test]
    fn whatever_is_seen_the_day_never_goes_back(seen in prop::collection::vec((0u32..50, 0u32..50, any::<bool>()), 1..20)) {
        let mut status = OAuthClientStatus::default();
        for (used, today, ready) in seen {
            let next = after(&status, Some(used).filter(|used| *used > 0).map(Day::from_number), ready, today);
            prop_assert!(days(&next).0 >= days(&status).0);
            prop_assert!(next.last_used_at.is_none() || next.unused_since.is_none());
            status = next;
        }
    }
}

#[test]
fn a_use_of_the_same_day_is_no_reason_to_write() {
    let new = OAuthClientStatus::default();
    let now = at(100, 5);
    assert!(
        !is_due(&LastUse::of(&new), None, false, now),
        "neither ready nor used"
    );
    assert!(
        is_due(&LastUse::of(&new), None, true, now),
        "ready under another version"
    );
    let known = after(&new, day(100), true, 100);
    assert!(!is_due(
        &LastUse::of(&known),
        day(100),
        true,
        at(100, 86_399)
    ));
    assert!(!is_due(&LastUse::of(&known), day(100), true, at(101, 0)));
    assert!(is_due(&LastUse::of(&known), day(101), true, at(101, 0)));
    let used = after(&known, day(101), true, 101);
    assert!(!differs_otherwise(Some(&known), &used));
    let mut other = used.clone();
    other.secret_name = Some("other".to_owned());
    assert!(differs_otherwise(Some(&known), &other) && differs_otherwise(None, &known));
}

#[test]
fn f93_a_day_is_enough_for_all_and_no_minute_has_too_many() {
    for clients in [0, 1, 50, 10_000, 14_000, 19_999, 100_000] {
        for begin in 0..TURNS_A_MINUTE {
            let turns = begin..begin + TURNS_A_MINUTE;
            let a_minute: usize = turns.map(|turn| share(clients, turn)).sum();
            assert_eq!(a_minute, (clients / 1000).max(10), "{clients}");
            assert!(clients <= a_minute * 24 * 60, "{clients}");
        }
    }
}

#[test]
fn those_without_a_known_use_come_first_then_the_oldest() {
    let due = vec![
        (Some(at(9, 0)), "old"),
        (None, "new"),
        (Some(at(8, 0)), "older"),
        (Some(at(10, 0)), "young"),
    ];
    let mut chosen = choose(due, 3);
    chosen.sort_unstable();
    assert_eq!(chosen, ["new", "old", "older"]);
}
