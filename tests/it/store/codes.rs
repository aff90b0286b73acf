//! Codes: answered once, used once.

use std::time::Duration;

use clientele::store::{Redemption, Rotation, Store};

use super::samples::{TENANT, at, code, consent, family, session};

#[tokio::test]
async fn smoke() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("a b%20.db").display());
    for url in ["sqlite::memory:", &file] {
        let started = std::time::Instant::now();
        let store = Store::open(url).await.unwrap();
        eprintln!("open {:?}", started.elapsed());
        store.check().await.unwrap();
        let code = code("a");
        assert!(store.insert_code(&code).await.unwrap());
        assert!(!store.insert_code(&code).await.unwrap());
        assert_eq!(
            store.code(TENANT, &code.digest).await.unwrap(),
            Some(code.clone())
        );
        let fam = family(&code);
        let r = store
            .redeem(TENANT, &code.digest, Some(&fam), at(1))
            .await
            .unwrap();
        assert_eq!(r, Redemption::First);
        assert_eq!(
            store.family(TENANT, &fam.id).await.unwrap(),
            Some(fam.clone())
        );
        let grace = Duration::from_secs(10);
        let r = store
            .rotate(TENANT, &fam.id, 1, grace, at(2000), at(10))
            .await
            .unwrap();
        assert!(matches!(r, Rotation::Next(_)));
        let r = store
            .rotate(TENANT, &fam.id, 1, grace, at(2000), at(11))
            .await
            .unwrap();
        assert!(matches!(r, Rotation::Retry(_)));
        let r = store
            .redeem(TENANT, &code.digest, Some(&fam), at(1))
            .await
            .unwrap();
        assert_eq!(r, Redemption::Again);
        store.begin_session(&session("1")).await.unwrap();
        assert_eq!(
            store.session(TENANT, "cookie-1").await.unwrap(),
            Some(session("1"))
        );
        store.keep_consent(&consent("r")).await.unwrap();
        assert_eq!(store.consents(TENANT, "ada").await.unwrap(), [consent("r")]);
        store.end_session(TENANT, "sid-1", at(3)).await.unwrap();
        store
            .end_all_sessions(TENANT, "ada", true, at(3))
            .await
            .unwrap();
        store.withdraw(TENANT, "ada", "r", at(3)).await.unwrap();
        store.revoke_token(TENANT, "jti", at(60)).await.unwrap();
        assert!(store.is_token_revoked(TENANT, "jti").await.unwrap());
        assert!(store.revoke_family(TENANT, "x", at(2)).await.is_ok());
        assert_eq!(store.purge(at(1_000_000), 100).await.unwrap(), 3);
        store.close().await;
    }
}
