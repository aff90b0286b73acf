//! A caller may go away at any moment: what it asked for happens wholly or not at all.

use std::time::Duration;

use clientele_store::Redemption;
use tokio::time::timeout;

use super::database::{TestDatabase, over_both_stores};
use super::samples::{TENANT, at, code, family, redeem};

over_both_stores![
    an_abandoned_redemption_happens_wholly_or_not_at_all,
    callers_who_go_away_leave_the_store_usable,
];

async fn an_abandoned_redemption_happens_wholly_or_not_at_all(database: TestDatabase) {
    let store = database.open().await;
    let mut happened = [0, 0];
    for n in 0..40_u32 {
        let code = code(&n.to_string());
        assert!(store.insert_code(&code).await.unwrap());
        let family = family(&code);
        let redeemed = store.redeem(TENANT, &code.digest, Some(&family), at(1));
        // From no time at all to half a minute, in which it happens.
        let patience = Duration::from_micros(50) * 2_u32.pow(n / 2);
        let _ = timeout(patience, redeemed).await;
        // It may still be on its way; the two are seen together or not at all.
        let before = store.code(TENANT, &code.digest).await.unwrap().unwrap();
        let begun = store.family(TENANT, &code.family).await.unwrap();
        let after = store.code(TENANT, &code.digest).await.unwrap().unwrap();
        assert!(before.redeemed_at.is_none() || begun.is_some());
        assert!(after.redeemed_at.is_some() || begun.is_none());
        // However it ended, the next one knows which of the two it was.
        match redeem(&store, &code, at(2)).await {
            Redemption::First => happened[0] += 1,
            Redemption::Again => happened[1] += 1,
            Redemption::Gone => panic!("the code was kept"),
        }
    }
    assert!(happened[1] > 0, "some happened: {happened:?}");
}

async fn callers_who_go_away_leave_the_store_usable(database: TestDatabase) {
    let store = database.open().await;
    for n in 0..200 {
        let jti = format!("jti-{n}");
        let revoked = store.revoke_token(TENANT, &jti, at(600));
        let _ = timeout(Duration::from_micros(n % 50), revoked).await;
        let asked = store.is_token_revoked(TENANT, &jti);
        let _ = timeout(Duration::from_micros(n % 50), asked).await;
    }
    store.check().await.unwrap();
    assert_eq!(store.is_token_revoked(TENANT, "none").await, Ok(false));
}
