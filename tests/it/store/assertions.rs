//! Client assertions: each is used once, whoever asks.

use futures::future::join_all;

use super::database::{TestDatabase, over_both_stores};
use super::samples::{TENANT, at};

over_both_stores![
    d23_an_assertion_is_used_once_in_its_tenant,
    d23_of_two_replicas_at_once_one_uses_it,
    a_used_assertion_is_kept_until_it_has_expired,
];

async fn d23_an_assertion_is_used_once_in_its_tenant(database: TestDatabase) {
    let store = database.open().await;
    let first = async |tenant, digest| store.use_assertion(tenant, digest, at(60)).await;
    assert_eq!(first(TENANT, "digest").await, Ok(true));
    assert_eq!(first(TENANT, "digest").await, Ok(false));
    assert_eq!(first(TENANT, "other").await, Ok(true));
    assert_eq!(first("tenant-2", "digest").await, Ok(true));
    store.close().await;
    let again = database.open().await;
    let used = again.use_assertion(TENANT, "digest", at(600)).await;
    assert_eq!(used, Ok(false));
}

async fn d23_of_two_replicas_at_once_one_uses_it(database: TestDatabase) {
    let stores = [database.open().await, database.open().await];
    for n in 0..20 {
        let digest = format!("digest-{n}");
        let uses = stores
            .iter()
            .map(|store| store.use_assertion(TENANT, &digest, at(60)));
        let mut seen = join_all(uses).await;
        seen.sort_by_key(|first| first == &Ok(true));
        assert_eq!(seen, [Ok(false), Ok(true)], "{n}");
    }
}

async fn a_used_assertion_is_kept_until_it_has_expired(database: TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.use_assertion(TENANT, "a", at(60)).await, Ok(true));
    assert_eq!(store.purge(at(60 + 300), 100).await, Ok(0));
    assert_eq!(store.use_assertion(TENANT, "a", at(60)).await, Ok(false));
    assert_eq!(store.purge(at(61 + 300), 100).await, Ok(1));
    assert_eq!(store.use_assertion(TENANT, "a", at(900)).await, Ok(true));
}
