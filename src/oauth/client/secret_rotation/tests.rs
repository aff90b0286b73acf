use std::collections::BTreeMap;

use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn ledger(requested: u32, published: u32, oldest_accepted: u32) -> Ledger {
    Ledger {
        requested,
        published,
        oldest_accepted,
    }
}

fn every(hours: u64) -> Settings {
    Settings {
        every: Some(Duration::from_hours(hours)),
        ..Settings::DEFAULT
    }
}

/// A client at rest, published at 0 and served since.
fn rest(now: i64) -> Situation<'static> {
    Situation {
        ledger: ledger(1, 1, 1),
        settings: Settings::DEFAULT,
        requested: false,
        root_key: RootKeyState::Current,
        published_at: Some(at(0)),
        overlap: None,
        serving_since: Some(at(-DAY)),
        observed: None,
        client_uid: "uid",
        now: at(now),
    }
}

/// A client whose second generation was published at 0; every use until `now` is known, and there was none.
fn overlap(now: i64) -> Situation<'static> {
    Situation {
        ledger: ledger(2, 2, 1),
        overlap: Some(Overlap {
            before: 2,
            since: at(0),
        }),
        observed: Some(Observed {
            since: at(-DAY),
            until: at(now),
            old: None,
            new: Some(at(1)),
        }),
        ..rest(now)
    }
}

fn observed(change: impl FnOnce(&mut Observed), now: i64) -> Step {
    let mut situation = overlap(now);
    change(situation.observed.as_mut().unwrap());
    next(&situation)
}

#[test]
fn a_client_that_says_nothing_never_rotates_by_itself() {
    assert_eq!(next(&rest(9000 * HOUR)), Step::Rest(None));
}

#[test]
fn a_request_is_answered_whatever_else_is_going_on() {
    for situation in [rest(1), overlap(1)] {
        for ledger in [situation.ledger, ledger(3, 2, 1)] {
            for serving_since in [situation.serving_since, None] {
                let asked = Situation {
                    ledger,
                    requested: true,
                    serving_since,
                    ..situation
                };
                assert_eq!(next(&asked), Step::Ask(Cause::Requested));
            }
        }
    }
}

#[test]
fn what_was_asked_for_is_published_before_anything_else_begins() {
    let situation = Situation {
        ledger: ledger(2, 1, 1),
        settings: every(200),
        root_key: RootKeyState::Superseded,
        ..rest(1000 * HOUR)
    };
    assert_eq!(next(&situation), Step::Publish);
}

#[test]
fn the_schedule_is_kept_within_its_last_tenth_and_never_later() {
    let due = due_at(every(1000), Some(at(0)), "uid").unwrap();
    assert!(due > at(900 * HOUR) && due <= at(1000 * HOUR), "{due}");
    let situation = |now| Situation {
        settings: every(1000),
        ..rest(now)
    };
    assert_eq!(next(&situation(HOUR)), Step::Rest(Some(due)));
    let on_time = Situation {
        now: due,
        ..situation(0)
    };
    assert_eq!(next(&on_time), Step::Ask(Cause::Scheduled));
}

#[test]
fn nothing_begins_by_itself_while_the_client_is_not_served_or_an_overlap_lasts() {
    let suspended = Situation {
        settings: every(200),
        root_key: RootKeyState::Superseded,
        serving_since: None,
        ..rest(1000 * HOUR)
    };
    assert_eq!(next(&suspended), Step::Rest(None));
    let busy = Situation {
        settings: every(200),
        root_key: RootKeyState::Superseded,
        ..overlap(HOUR)
    };
    assert!(matches!(next(&busy), Step::Rest(Some(_))));
}

#[test]
fn f89_a_client_moves_to_another_root_key_and_at_once_if_its_own_was_withdrawn() {
    let with = |root_key| Situation {
        root_key,
        ..rest(1)
    };
    assert_eq!(
        next(&with(RootKeyState::Superseded)),
        Step::Ask(Cause::RootKeyRotated)
    );
    let withdrawn = Situation {
        serving_since: None,
        ..with(RootKeyState::Withdrawn)
    };
    assert_eq!(next(&withdrawn), Step::Ask(Cause::RootKeyWithdrawn));
}

#[test]
fn without_overlap_the_old_secret_retires_at_once() {
    let situation = Situation {
        settings: Settings {
            max_overlap: Duration::ZERO,
            ..Settings::DEFAULT
        },
        observed: None,
        ..overlap(0)
    };
    assert_eq!(next(&situation), Step::Retire(2, End::AtOnce));
}

#[test]
fn the_longest_overlap_ends_even_for_a_secret_in_use() {
    let in_use = |now: i64| observed(|seen| seen.old = Some(at(now)), now);
    assert!(matches!(in_use(7 * DAY - 1), Step::Rest(Some(until)) if until == at(7 * DAY)));
    assert_eq!(in_use(7 * DAY), Step::Retire(2, End::Expired));
}

#[test]
fn a_later_rotation_does_not_lengthen_the_overlap_of_the_first_nor_end_that_of_the_second() {
    let situation = |now| Situation {
        ledger: ledger(3, 3, 1),
        published_at: Some(at(6 * DAY)),
        observed: None,
        ..overlap(now)
    };
    assert!(matches!(next(&situation(7 * DAY - 1)), Step::Rest(_)));
    assert_eq!(
        next(&situation(7 * DAY)),
        Step::Retire(2, End::Expired),
        "generation 2 has had a successor for a day"
    );
}

#[test]
fn an_old_secret_retires_after_the_quiet_period_and_not_a_second_earlier() {
    assert_eq!(next(&overlap(DAY - 1)), Step::Rest(Some(at(DAY))));
    assert_eq!(next(&overlap(DAY)), Step::Retire(2, End::Unused));
    let used = |now| observed(|seen| seen.old = Some(at(HOUR)), now);
    assert_eq!(used(DAY + HOUR - 1), Step::Rest(Some(at(DAY + HOUR))));
    assert_eq!(used(DAY + HOUR), Step::Retire(2, End::Unused));
}

#[test]
fn what_is_not_known_counts_as_use() {
    let waits = |step: Step| matches!(step, Step::Rest(Some(_)));
    assert!(
        waits(next(&Situation {
            observed: None,
            ..overlap(2 * DAY)
        })),
        "nothing is known"
    );
    assert!(
        waits(observed(|seen| seen.until = at(DAY - 1), 2 * DAY)),
        "a replica has not reported"
    );
    assert!(
        waits(observed(|seen| seen.since = at(DAY + 1), 2 * DAY)),
        "the store was lost"
    );
    assert!(
        waits(observed(|seen| seen.new = None, 2 * DAY)),
        "no client has the new one yet"
    );
    let resumed = Situation {
        serving_since: Some(at(DAY + 1)),
        ..overlap(2 * DAY)
    };
    assert!(waits(next(&resumed)), "it was suspended until now");
    let suspended = Situation {
        serving_since: None,
        ..overlap(2 * DAY)
    };
    assert!(waits(next(&suspended)), "it is suspended");
}

/// Every second of 20 minutes a consumer asks with the old secret, while another has the new one; then it is silent.
#[test]
fn a_consumer_that_keeps_the_old_secret_is_never_refused_while_it_asks() {
    let settings = Settings {
        quiet_period: Duration::from_mins(5),
        ..Settings::DEFAULT
    };
    // Reports are up to a minute old.
    let step = |now: i64, last_use: i64| {
        let reported = now - now % 60;
        let seen = Observed {
            since: at(-DAY),
            until: at(reported),
            old: Some(at(last_use.min(reported))),
            new: Some(at(reported)),
        };
        next(&Situation {
            settings,
            observed: Some(seen),
            ..overlap(now)
        })
    };
    for now in 0..1200 {
        assert!(matches!(step(now, now), Step::Rest(_)), "{now}");
    }
    let retired = (1200..3000).find(|now| matches!(step(*now, 1199), Step::Retire(..)));
    let retired = retired.expect("once silent it retires");
    assert!(
        (1199 + 300..=1199 + 300 + 60).contains(&retired),
        "{retired}"
    );
}

/// A thousand that are due at the same moment: after a restart, or when `every` is set on all of them.
#[test]
fn a_thousand_due_at_once_are_spread() {
    let mut pace = RotationThrottle::default();
    let mut waiting: Vec<(String, Timestamp)> =
        (0..1000).map(|n| (format!("uid-{n}"), at(0))).collect();
    let mut begun: BTreeMap<i64, u32> = BTreeMap::new();
    while !waiting.is_empty() {
        waiting.sort_by_key(|(_, when)| *when);
        let (uid, now) = waiting.remove(0);
        match pace.admit(&uid, now) {
            Ok(()) => *begun.entry(now.as_second()).or_default() += 1,
            Err(turn) => waiting.push((uid, turn)),
        }
    }
    assert_eq!(begun.values().sum::<u32>(), 1000);
    assert!(begun.values().all(|count| *count <= 2), "{begun:?}");
    let took = begun.keys().next_back().unwrap() - begun.keys().next().unwrap();
    assert!((400..600).contains(&took), "{took} seconds");
}

#[test]
fn clients_made_together_are_due_at_different_times() {
    let due: std::collections::BTreeSet<Timestamp> = (0..1000)
        .filter_map(|n| due_at(every(720), Some(at(0)), &format!("uid-{n}")))
        .collect();
    assert!(due.len() > 950, "{}", due.len());
    let spread = due.last().unwrap().duration_since(*due.first().unwrap());
    assert!(spread.as_hours() > 70, "{spread}");
}
