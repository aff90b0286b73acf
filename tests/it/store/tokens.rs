//! Access tokens that were revoked.

use super::database::{TestDatabase, over_both_stores};
use super::samples::{TENANT, at};

over_both_stores![
    a_revoked_token_is_remembered_in_its_tenant,
    the_store_answers_until_it_is_closed,
];

async fn a_revoked_token_is_remembered_in_its_tenant(database: TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.is_token_revoked(TENANT, "jti").await, Ok(false));
    for _ in 0..2 {
        store.revoke_token(TENANT, "jti", at(600)).await.unwrap();
        assert_eq!(store.is_token_revoked(TENANT, "jti").await, Ok(true));
    }
    assert_eq!(store.is_token_revoked(TENANT, "other").await, Ok(false));
    assert_eq!(store.is_token_revoked("tenant-2", "jti").await, Ok(false));
}

async fn the_store_answers_until_it_is_closed(database: TestDatabase) {
    let store = database.open().await;
    store.check().await.unwrap();
    store.revoke_token(TENANT, "jti", at(600)).await.unwrap();
    store.close().await;
    store.close().await;
    let errors = [
        store.check().await.unwrap_err(),
        store.revoke_token(TENANT, "a", at(600)).await.unwrap_err(),
        store.is_token_revoked(TENANT, "jti").await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "the store is closed");
    }
    let again = database.open().await;
    assert_eq!(again.is_token_revoked(TENANT, "jti").await, Ok(true));
}
