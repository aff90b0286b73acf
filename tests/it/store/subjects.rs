//! Subjects that were brought: one registration of a person has each.

use clientele_store::SubjectClaim;
use futures::future::join_all;

use super::database::{TestDatabase, over_both_stores};
use super::samples::{TENANT, at};

const DAY: i64 = 24 * 3600;

fn claim(user_uid: &str, now: i64) -> SubjectClaim {
    SubjectClaim {
        tenant_uid: TENANT.to_owned(),
        subject: "auth0|ada".to_owned(),
        user_uid: user_uid.to_owned(),
        now: at(now),
        free_before: at(now - 400 * DAY),
    }
}

over_both_stores![
    n06_a_subject_stays_with_the_registration_that_used_it,
    n06_of_two_registrations_at_once_one_has_the_subject,
    n06_a_subject_is_forgotten_when_it_is_free,
];

async fn n06_a_subject_stays_with_the_registration_that_used_it(database: TestDatabase) {
    let store = database.open().await;
    let claims = async |user_uid, now| store.claim_subject(claim(user_uid, now)).await;
    assert_eq!(claims("uid-1", 0).await, Ok(true));
    assert_eq!(claims("uid-2", 10).await, Ok(false));
    assert_eq!(claims("uid-1", 300 * DAY).await, Ok(true));
    assert_eq!(claims("uid-2", 401 * DAY).await, Ok(false), "used since");
    store.close().await;
    let store = database.open().await;
    let claims = async |user_uid, now| store.claim_subject(claim(user_uid, now)).await;
    assert_eq!(claims("uid-2", 700 * DAY).await, Ok(false), "the last day");
    assert_eq!(claims("uid-2", 700 * DAY + 1).await, Ok(true));
    assert_eq!(claims("uid-1", 700 * DAY + 2).await, Ok(false));
    let mut elsewhere = claim("uid-1", 0);
    elsewhere.tenant_uid = "tenant-2".to_owned();
    assert_eq!(store.claim_subject(elsewhere).await, Ok(true));
}

async fn n06_of_two_registrations_at_once_one_has_the_subject(database: TestDatabase) {
    let stores = [database.open().await, database.open().await];
    for n in 0..20 {
        let claims = stores
            .iter()
            .zip(["uid-1", "uid-2"])
            .map(|(store, user_uid)| {
                let mut claim = claim(user_uid, 0);
                claim.subject = format!("subject-{n}");
                store.claim_subject(claim)
            });
        let mut had = join_all(claims).await;
        had.sort_by_key(|had| had == &Ok(true));
        assert_eq!(had, [Ok(false), Ok(true)], "{n}");
    }
}

async fn n06_a_subject_is_forgotten_when_it_is_free(database: TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.claim_subject(claim("uid-1", 0)).await, Ok(true));
    assert_eq!(store.purge(at(400 * DAY), 100).await, Ok(0));
    assert_eq!(store.purge(at(400 * DAY + 1), 100).await, Ok(1));
}
