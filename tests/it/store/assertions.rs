//! Client assertions: each is used once, by whichever client.

use clientele_store::{AssertionUse, UsedAssertion};
use futures::future::join_all;
use jiff::Timestamp;

use super::database::{TestDatabase, over_both_stores};
use super::samples::{TENANT, at};
use AssertionUse::{First, Repeated, TooMany};

/// As many are remembered of one client.
const MOST: u32 = 3;

over_both_stores![
    d23_an_assertion_is_used_once_in_its_tenant,
    d23_of_two_replicas_at_once_one_uses_it,
    d23_only_so_many_are_remembered_of_one_client,
    a_used_assertion_is_kept_until_it_has_expired,
];

fn assertion(tenant: &str, client: &str, digest: &str, expires_at: Timestamp) -> UsedAssertion {
    UsedAssertion {
        tenant_uid: tenant.to_owned(),
        client_uid: client.to_owned(),
        digest: digest.to_owned(),
        expires_at,
        most: MOST,
    }
}

async fn d23_an_assertion_is_used_once_in_its_tenant(database: TestDatabase) {
    let store = database.open().await;
    let first = async |tenant, digest| {
        let assertion = assertion(tenant, "client", digest, at(60));
        store.use_assertion(assertion, at(0)).await
    };
    assert_eq!(first(TENANT, "digest").await, Ok(First));
    assert_eq!(first(TENANT, "digest").await, Ok(Repeated));
    assert_eq!(first(TENANT, "other").await, Ok(First));
    assert_eq!(first("tenant-2", "digest").await, Ok(First));
    store.close().await;
    let again = database.open().await;
    let assertion = assertion(TENANT, "client", "digest", at(600));
    let used = again.use_assertion(assertion, at(0)).await;
    assert_eq!(used, Ok(Repeated));
}

async fn d23_of_two_replicas_at_once_one_uses_it(database: TestDatabase) {
    let stores = [database.open().await, database.open().await];
    for n in 0..20 {
        let assertion = assertion(
            TENANT,
            &format!("client-{n}"),
            &format!("digest-{n}"),
            at(60),
        );
        let uses = stores
            .iter()
            .map(|store| store.use_assertion(assertion.clone(), at(0)));
        let mut seen = join_all(uses).await;
        seen.sort_by_key(|first| first == &Ok(First));
        assert_eq!(seen, [Ok(Repeated), Ok(First)], "{n}");
    }
}

async fn d23_only_so_many_are_remembered_of_one_client(database: TestDatabase) {
    let store = database.open().await;
    let use_one = async |client: &str, digest: u32, expires_at, now| {
        let assertion = assertion(TENANT, client, &format!("{client} {digest}"), expires_at);
        store.use_assertion(assertion, now).await.unwrap()
    };
    for n in 0..MOST {
        let seconds = if n == 0 { 50 } else { 60 };
        assert_eq!(use_one("busy", n, at(seconds), at(0)).await, First);
    }
    let until = at(50);
    assert_eq!(
        use_one("busy", MOST, at(60), at(0)).await,
        TooMany { until }
    );
    assert_eq!(use_one("other", 0, at(60), at(0)).await, First);
    // One has expired: there is room for one.
    assert_eq!(use_one("busy", MOST, at(70), at(50)).await, First);
    let until = at(60);
    assert_eq!(
        use_one("busy", MOST + 1, at(70), at(50)).await,
        TooMany { until }
    );
}

async fn a_used_assertion_is_kept_until_it_has_expired(database: TestDatabase) {
    let store = database.open().await;
    let use_it = async |expires_at| {
        let assertion = assertion(TENANT, "client", "a", expires_at);
        store.use_assertion(assertion, at(0)).await
    };
    assert_eq!(use_it(at(60)).await, Ok(First));
    assert_eq!(store.purge(at(60 + 300), 100).await, Ok(0));
    assert_eq!(use_it(at(60)).await, Ok(Repeated));
    assert_eq!(store.purge(at(61 + 300), 100).await, Ok(1));
    assert_eq!(use_it(at(900)).await, Ok(First));
}
