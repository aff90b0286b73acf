//! Upgraded password hashes: one for each person.

use clientele_store::UpgradedHash;

use super::database::{TestDatabase, over_both_stores};
use super::samples::at;

const DAY: i64 = 24 * 3600;

fn upgraded(user_uid: &str, manifest: &str, hash: &str) -> UpgradedHash {
    UpgradedHash {
        user_uid: user_uid.to_owned(),
        manifest: manifest.to_owned(),
        hash: hash.to_owned(),
        upgraded_at: at(0),
    }
}

over_both_stores![
    an_upgraded_hash_replaces_the_earlier_one_of_the_person,
    an_upgraded_hash_is_kept_for_a_year,
];

async fn an_upgraded_hash_replaces_the_earlier_one_of_the_person(database: TestDatabase) {
    let store = database.open().await;
    for kept in [
        upgraded("a", "1", "x"),
        upgraded("b", "1", "y"),
        upgraded("a", "2", "z"),
    ] {
        store.keep_upgraded_hash(kept).await.unwrap();
    }
    store.close().await;
    let store = database.open().await;
    let found = async |user_uid| {
        let found = store.upgraded_hash(user_uid).await.unwrap();
        found.map(|found| (found.manifest, found.hash, found.upgraded_at))
    };
    assert_eq!(found("a").await, Some(("2".into(), "z".into(), at(0))));
    assert_eq!(found("b").await, Some(("1".into(), "y".into(), at(0))));
    assert_eq!(found("c").await, None);
}

async fn an_upgraded_hash_is_kept_for_a_year(database: TestDatabase) {
    let store = database.open().await;
    store
        .keep_upgraded_hash(upgraded("a", "1", "x"))
        .await
        .unwrap();
    assert_eq!(store.purge(at(366 * DAY), 100).await, Ok(0));
    assert_eq!(store.purge(at(366 * DAY + 1), 100).await, Ok(1));
}
