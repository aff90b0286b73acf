//! Refresh families: one chain each, and once ended, ended for good.

use std::time::Duration;

use clientele_oauth::grant::Family;
use clientele_store::{Rotation, Store};
use jiff::Timestamp;

use super::database::{TestDatabase, at_once, over_both_stores};
use super::samples::{self, TENANT, at, begin, code};

over_both_stores![
    a_rotation_moves_the_family_on,
    a_retry_within_the_grace_gets_the_same_successor,
    a_retry_after_the_grace_kills_the_family,
    a_retry_after_the_successor_was_used_kills_the_family,
    a_request_that_was_overtaken_kills_nothing,
    without_a_grace_there_is_no_retry,
    f04_fifty_uses_at_once_on_two_replicas_leave_one_chain,
    f04_fifty_uses_at_once_without_a_grace_leave_none,
    a_number_that_is_still_to_come_kills_the_family,
    a_family_that_has_ended_is_gone_and_stays_as_it_is,
    a_family_that_lives_is_revoked_once,
    a_family_is_worth_nothing_in_another_tenant,
    q09_a_person_has_a_hundred_families_of_a_client_and_the_oldest_end,
];

async fn q09_a_person_has_a_hundred_families_of_a_client_and_the_oldest_end(
    database: TestDatabase,
) {
    let store = database.open().await;
    for number in 0..103_i64 {
        let code = code(&number.to_string());
        assert_eq!(store.insert_code(&code).await, Ok(true));
        let mut family = samples::family(&code);
        family.issued_at = at(number);
        let begun = store
            .redeem(TENANT, &code.digest, Some(&family), at(1))
            .await;
        assert_eq!(begun, Ok(clientele_store::Redemption::First));
    }
    let whose = samples::authorization();
    let mut other = whose.clone();
    other.subject = "another-person".to_owned();
    assert_eq!(store.trim_families(&other, at(110)).await, Ok(0));
    assert_eq!(store.trim_families(&whose, at(110)).await, Ok(3));
    assert_eq!(store.trim_families(&whose, at(110)).await, Ok(0));
    for (number, lives) in [(0, false), (2, false), (3, true), (102, true)] {
        let family = store
            .family(TENANT, &format!("fam_{number}"))
            .await
            .unwrap();
        assert_eq!(family.unwrap().lives(at(111)), lives, "{number}");
    }
}

const GRACE: Duration = Duration::from_secs(10);
const IDLE: i64 = 3000;

/// A store with a family of sequence number 1.
async fn begin_one(store: &Store) -> Family {
    samples::begin(store, &code("a")).await
}

async fn rotate(store: &Store, family: &Family, sequence: u32, now: Timestamp) -> Rotation {
    let rotated = store.rotate(TENANT, &family.id, sequence, GRACE, at(IDLE), now);
    rotated.await.unwrap()
}

async fn kept(store: &Store, family: &Family) -> Family {
    store.family(TENANT, &family.id).await.unwrap().unwrap()
}

/// The family after it has moved on.
fn moved(family: &Family, sequence: u32, now: Timestamp) -> Family {
    Family {
        sequence,
        rotated_at: now,
        idle_expires_at: at(IDLE),
        ..family.clone()
    }
}

async fn a_rotation_moves_the_family_on(database: TestDatabase) {
    let store = database.open().await;
    let family = begin_one(&store).await;
    for sequence in 1..5 {
        let now = at(100 * i64::from(sequence));
        let next = moved(&family, sequence + 1, now);
        let rotation = rotate(&store, &family, sequence, now).await;
        assert_eq!(rotation, Rotation::Next(next.clone()));
        assert_eq!(kept(&store, &family).await, next);
    }
}

async fn a_retry_within_the_grace_gets_the_same_successor(database: TestDatabase) {
    let store = database.open().await;
    let family = begin_one(&store).await;
    rotate(&store, &family, 1, at(100)).await;
    let next = moved(&family, 2, at(100));
    // The clock of another replica may be behind.
    for now in [at(100), at(109), at(95)] {
        let retry = rotate(&store, &family, 1, now).await;
        assert_eq!(retry, Rotation::Retry(next.clone()));
    }
    assert_eq!(kept(&store, &family).await, next);
    let rotation = rotate(&store, &family, 2, at(110)).await;
    assert_eq!(rotation, Rotation::Next(moved(&family, 3, at(110))));
}

async fn a_retry_after_the_grace_kills_the_family(database: TestDatabase) {
    let store = database.open().await;
    let family = begin_one(&store).await;
    rotate(&store, &family, 1, at(100)).await;
    let late = rotate(&store, &family, 1, at(110)).await;
    assert_eq!(late, Rotation::Reused);
    assert_eq!(kept(&store, &family).await.revoked_at, Some(at(110)));
    // Not even the newest token works any more.
    for sequence in [1, 2] {
        let dead = rotate(&store, &family, sequence, at(111)).await;
        assert_eq!(dead, Rotation::Gone);
    }
}

async fn a_retry_after_the_successor_was_used_kills_the_family(database: TestDatabase) {
    let store = database.open().await;
    let family = begin_one(&store).await;
    rotate(&store, &family, 1, at(100)).await;
    rotate(&store, &family, 2, at(101)).await;
    let stolen = rotate(&store, &family, 1, at(102)).await;
    assert_eq!(stolen, Rotation::Reused);
    assert_eq!(rotate(&store, &family, 3, at(103)).await, Rotation::Gone);
}

/// A request that waited for the database until its sender had repeated it, and used the successor.
async fn a_request_that_was_overtaken_kills_nothing(database: TestDatabase) {
    let store = database.open().await;
    let family = begin_one(&store).await;
    rotate(&store, &family, 1, at(105)).await;
    rotate(&store, &family, 2, at(106)).await;
    assert_eq!(rotate(&store, &family, 1, at(100)).await, Rotation::Gone);
    assert_eq!(kept(&store, &family).await.revoked_at, None);
    let next = rotate(&store, &family, 3, at(107)).await;
    assert_eq!(next, Rotation::Next(moved(&family, 4, at(107))));
    // A token that was used before this request came is stolen.
    assert_eq!(rotate(&store, &family, 1, at(107)).await, Rotation::Reused);
}

async fn without_a_grace_there_is_no_retry(database: TestDatabase) {
    let store = database.open().await;
    let family = begin_one(&store).await;
    rotate(&store, &family, 1, at(100)).await;
    let again = store.rotate(TENANT, &family.id, 1, Duration::ZERO, at(IDLE), at(100));
    assert_eq!(again.await, Ok(Rotation::Reused));
}

async fn fifty_at_once(database: &TestDatabase, grace: Duration) -> (Vec<Rotation>, Family) {
    let replicas = [database.open().await, database.open().await];
    let family = begin_one(&replicas[0]).await;
    let rotations = at_once(50, |n| {
        let (store, id) = (replicas[n % 2].clone(), family.id.clone());
        async move {
            let rotation = store.rotate(TENANT, &id, 1, grace, at(IDLE), at(100));
            rotation.await.unwrap()
        }
    });
    (rotations.await, kept(&replicas[1], &family).await)
}

async fn f04_fifty_uses_at_once_on_two_replicas_leave_one_chain(database: TestDatabase) {
    let (rotations, family) = fifty_at_once(&database, GRACE).await;
    let next = Rotation::Next(family.clone());
    let retry = Rotation::Retry(family.clone());
    let count = |wanted: &Rotation| {
        rotations
            .iter()
            .filter(|rotation| *rotation == wanted)
            .count()
    };
    assert_eq!((count(&next), count(&retry)), (1, 49));
    assert_eq!(family.sequence, 2);
    assert!(family.lives(at(100)));
}

async fn f04_fifty_uses_at_once_without_a_grace_leave_none(database: TestDatabase) {
    let (rotations, family) = fifty_at_once(&database, Duration::ZERO).await;
    let next = |rotation: &&Rotation| matches!(rotation, Rotation::Next(_));
    assert_eq!(rotations.iter().filter(next).count(), 1);
    assert!(rotations.contains(&Rotation::Reused));
    assert!(!rotations.iter().any(|r| matches!(r, Rotation::Retry(_))));
    assert!(!family.lives(at(100)));
}

async fn a_number_that_is_still_to_come_kills_the_family(database: TestDatabase) {
    let store = database.open().await;
    // The token is authentic, so the database has forgotten: it was restored from a backup.
    for (name, sequence) in [("a", 2), ("b", 7), ("c", u32::MAX)] {
        let family = begin(&store, &code(name)).await;
        let ahead = rotate(&store, &family, sequence, at(100)).await;
        assert_eq!(ahead, Rotation::Reused);
        assert_eq!(rotate(&store, &family, 1, at(100)).await, Rotation::Gone);
    }
}

async fn a_family_that_has_ended_is_gone_and_stays_as_it_is(database: TestDatabase) {
    let store = database.open().await;
    let idle = begin(&store, &code("idle")).await;
    let old = begin(&store, &code("old")).await;
    let last = store.rotate(TENANT, &old.id, 1, GRACE, at(100_000), at(1799));
    assert!(matches!(last.await.unwrap(), Rotation::Next(_)));
    let revoked = begin(&store, &code("revoked")).await;
    assert!(
        store
            .revoke_family(TENANT, &revoked.id, at(2))
            .await
            .unwrap()
    );
    for (family, sequence, now) in [
        (idle, 1_u32, at(1800)),
        (old, 2, at(3600)),
        (revoked, 1, at(3)),
    ] {
        let before = kept(&store, &family).await;
        for sequence in [sequence, sequence + 1, sequence.saturating_sub(1)] {
            let rotation = rotate(&store, &family, sequence, now).await;
            assert_eq!(rotation, Rotation::Gone, "{}", family.id);
        }
        assert_eq!(kept(&store, &family).await, before);
    }
    let stranger = samples::family(&code("stranger"));
    assert_eq!(rotate(&store, &stranger, 1, at(2)).await, Rotation::Gone);
}

async fn a_family_that_lives_is_revoked_once(database: TestDatabase) {
    let store = database.open().await;
    let family = begin_one(&store).await;
    assert_eq!(
        store.revoke_family(TENANT, &family.id, at(5)).await,
        Ok(true)
    );
    assert_eq!(
        store.revoke_family(TENANT, &family.id, at(6)).await,
        Ok(false)
    );
    assert_eq!(kept(&store, &family).await.revoked_at, Some(at(5)));
    let over = begin(&store, &code("over")).await;
    assert_eq!(
        store.revoke_family(TENANT, &over.id, at(1800)).await,
        Ok(false)
    );
    assert_eq!(
        store.revoke_family(TENANT, "fam_none", at(5)).await,
        Ok(false)
    );
}

async fn a_family_is_worth_nothing_in_another_tenant(database: TestDatabase) {
    let store = database.open().await;
    let family = begin_one(&store).await;
    assert_eq!(store.family("tenant-2", &family.id).await, Ok(None));
    assert_eq!(
        store.revoke_family("tenant-2", &family.id, at(5)).await,
        Ok(false)
    );
    let rotated = store.rotate("tenant-2", &family.id, 1, GRACE, at(IDLE), at(5));
    assert_eq!(rotated.await, Ok(Rotation::Gone));
    assert_eq!(kept(&store, &family).await, family);
    // The same ID there is another family.
    let mut theirs = code("a");
    "tenant-2".clone_into(&mut theirs.authorization.tenant);
    begin(&store, &theirs).await;
    assert_eq!(
        store.revoke_family("tenant-2", &family.id, at(5)).await,
        Ok(true)
    );
    assert_eq!(kept(&store, &family).await, family);
}
