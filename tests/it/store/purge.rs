//! What has ended goes, in its time and in small steps; what lives stays.

use std::time::Duration;

use clientele_store::Store;
use clientele_store::tables::purge::purge_forever;
use jiff::Timestamp;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::database::{TestDatabase, over_both_stores};
use super::samples::{TENANT, at, begin, code, consent, session};
use crate::support::DEADLINE;

over_both_stores![
    each_kind_stays_as_long_as_it_is_needed,
    a_revoked_family_stays_a_day,
    no_step_removes_more_than_was_asked_for,
    m10_the_background_removes_everything_that_has_ended,
];

const HOUR: i64 = 3600;

/// Which of the kinds are there: code, revoked token, family, session, consent.
async fn there(store: &Store) -> [bool; 5] {
    [
        store.code(TENANT, "digest-a").await.unwrap().is_some(),
        store.is_token_revoked(TENANT, "jti").await.unwrap(),
        store.family(TENANT, "fam_a").await.unwrap().is_some(),
        store.session(TENANT, "cookie-1").await.unwrap().is_some(),
        store.consent(TENANT, "ada", "r1").await.unwrap().is_some(),
    ]
}

async fn each_kind_stays_as_long_as_it_is_needed(database: TestDatabase) {
    let store = database.open().await;
    begin(&store, &code("a")).await;
    store.revoke_token(TENANT, "jti", at(600)).await.unwrap();
    store.begin_session(&session("1")).await.unwrap();
    store.keep_consent(&consent("r1")).await.unwrap();
    for (now, gone, left) in [
        (60 + HOUR, 0, [true, true, true, true, true]),
        (61 + HOUR, 1, [false, true, true, true, true]),
        (601 + HOUR, 1, [false, false, true, true, true]),
        // The family lay unused for half an hour.
        (1800 + 24 * HOUR, 0, [false, false, true, true, true]),
        (1801 + 24 * HOUR, 1, [false, false, false, true, true]),
        (36_001 + 24 * HOUR, 1, [false, false, false, false, true]),
        (1_000_000_000, 0, [false, false, false, false, true]),
    ] {
        assert_eq!(store.purge(at(now), 100).await, Ok(gone), "{now}");
        assert_eq!(there(&store).await, left, "{now}");
    }
}

async fn a_revoked_family_stays_a_day(database: TestDatabase) {
    let store = database.open().await;
    for name in ["a", "b"] {
        begin(&store, &code(name)).await;
    }
    store.revoke_family(TENANT, "fam_a", at(100)).await.unwrap();
    let longer = store.rotate(TENANT, "fam_b", 1, Duration::ZERO, at(9000), at(100));
    longer.await.unwrap();
    let late = 24 * HOUR;
    assert_eq!(store.purge(at(late + 100), 100).await, Ok(2), "the codes");
    assert_eq!(store.purge(at(late + 101), 100).await, Ok(1));
    assert_eq!(store.family(TENANT, "fam_a").await, Ok(None));
    // It was to lie unused longer than it lives.
    assert_eq!(store.purge(at(late + 3600), 100).await, Ok(0));
    assert_eq!(store.purge(at(late + 3601), 100).await, Ok(1));
}

async fn no_step_removes_more_than_was_asked_for(database: TestDatabase) {
    let store = database.open().await;
    for n in 0..7 {
        begin(&store, &code(&n.to_string())).await;
        let jti = format!("jti-{n}");
        store.revoke_token(TENANT, &jti, at(600)).await.unwrap();
    }
    let mut steps = Vec::new();
    while steps.last() != Some(&0) {
        steps.push(store.purge(at(1_000_000), 5).await.unwrap());
    }
    assert_eq!(steps, [5, 5, 5, 5, 1, 0]);
    assert_eq!(store.purge(at(1_000_000), 0).await, Ok(0));
}

async fn m10_the_background_removes_everything_that_has_ended(database: TestDatabase) {
    let store = database.open().await;
    // More than one step, and by the clock of the test long ago.
    for n in 0..450 {
        let jti = format!("jti-{n}");
        store.revoke_token(TENANT, &jti, at(600)).await.unwrap();
    }
    store.revoke_token(TENANT, "young", at(9000)).await.unwrap();
    let shutdown = CancellationToken::new();
    let clock: fn() -> Timestamp = || at(2 * HOUR);
    let purge = tokio::spawn(purge_forever(store.clone(), clock, shutdown.clone()));
    let gone = async {
        for n in 0..450 {
            let jti = format!("jti-{n}");
            while store.is_token_revoked(TENANT, &jti).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    timeout(DEADLINE, gone).await.expect("all of them go");
    assert_eq!(store.is_token_revoked(TENANT, "young").await, Ok(true));
    shutdown.cancel();
    timeout(DEADLINE, purge).await.expect("it ends").unwrap();
}
