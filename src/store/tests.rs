use futures::future::join_all;
use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row, query};

use super::*;
use clientele_oauth::grant::{Authorization, Code, Family};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn code(name: &str) -> Code {
    Code {
        digest: format!("digest-{name}"),
        transaction: format!("transaction-{name}"),
        authorization: Authorization {
            tenant: "tenant".to_owned(),
            client_id: "shop.web".to_owned(),
            client_uid: "registration".to_owned(),
            subject: "subject".to_owned(),
            user_uid: "person".to_owned(),
            credential: "credential".to_owned(),
            sid: "sid".to_owned(),
            auth_time: at(0),
            scope: "openid".to_owned(),
            resources: String::new(),
            claims: "x".repeat(2000),
        },
        redirect_uri: "https://shop.example/".to_owned(),
        code_challenge: None,
        nonce: None,
        family: format!("fam_{name}"),
        issued_at: at(0),
        expires_at: at(60),
        redeemed_at: None,
    }
}

fn family(code: &Code) -> Family {
    Family {
        id: code.family.clone(),
        authorization: code.authorization.clone(),
        sequence: 1,
        rotated_at: at(0),
        issued_at: at(0),
        expires_at: at(3600),
        idle_expires_at: at(3600),
        revoked_at: None,
    }
}

/// A database in memory.
async fn database() -> AnyConnection {
    sqlx::any::install_default_drivers();
    let mut db = AnyConnection::connect("sqlite::memory:").await.unwrap();
    backend::schema::migrate(&mut db).await.unwrap();
    db
}

fn store_on(db: AnyConnection) -> Store {
    let metrics = Arc::<StoreMetrics>::default();
    let backend = Backend::Sqlite(Sqlite::new(db, None, metrics.clone()));
    let shared = Opening {
        source: UrlSource::Fixed("sqlite::memory:".to_owned()),
        location: Location::Memory,
        backend: Some(Arc::new(backend)).into(),
        lock: Mutex::default(),
    };
    Store {
        shared: Arc::new(shared),
        metrics,
        assertion_rooms: Arc::default(),
    }
}

#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let store = store_on(database().await);
    let codes: Vec<Code> = (0..100).map(|n| code(&n.to_string())).collect();
    let kept = join_all(codes.iter().map(|code| store.insert_code(code))).await;
    assert!(kept.into_iter().all(|kept| kept == Ok(true)));
    assert!(store.metrics().commits.get() <= 3);
}

#[tokio::test]
async fn one_that_fails_takes_no_other_with_it() {
    let store = store_on(database().await);
    let mut codes: Vec<Code> = (0..20).map(|n| code(&n.to_string())).collect();
    // The same code for another request: it cannot occur, but must not affect the other inserts.
    codes[10].digest = codes[5].digest.clone();
    let kept = join_all(codes.iter().map(|code| store.insert_code(code))).await;
    for (n, kept) in kept.into_iter().enumerate() {
        assert_eq!(kept.is_ok(), n != 10, "{n}: {kept:?}");
    }
    for (n, code) in codes.iter().enumerate() {
        let found = store.code("tenant", &code.digest).await.unwrap();
        assert_eq!(found.as_ref() == Some(code), n != 10, "{n}");
    }
}

#[tokio::test]
async fn m10_a_full_database_gives_errors_and_no_half_states_and_recovers() {
    let mut db = database().await;
    let pages: i64 = query("PRAGMA page_count")
        .fetch_one(&mut db)
        .await
        .unwrap()
        .get(0);
    let limit = format!("PRAGMA max_page_count = {}", pages + 40);
    db.execute(AssertSqlSafe(limit)).await.unwrap();
    let store = store_on(db);
    let codes: Vec<Code> = (0..60).map(|n| code(&n.to_string())).collect();
    let mut full = 0;
    for some in codes.chunks(7) {
        let done = join_all(some.iter().map(async |code| {
            store.insert_code(code).await?;
            store
                .redeem("tenant", &code.digest, Some(&family(code)), at(1))
                .await
        }));
        for (code, done) in some.iter().zip(done.await) {
            let kept = store.code("tenant", &code.digest).await.unwrap();
            let begun = store.family("tenant", &code.family).await.unwrap();
            let used = kept.is_some_and(|code| code.redeemed_at.is_some());
            assert_eq!((used, begun.is_some()), (done.is_ok(), done.is_ok()));
            if let Err(error) = done {
                full += 1;
                let error = error.to_string();
                assert!(
                    error.contains("full") && error.contains("free space"),
                    "{error}"
                );
            }
        }
    }
    assert!(full > 10 && full < 50, "{full}");
    // What has ended makes room, even in a full database.
    while store.purge(at(200_000), 10).await.unwrap() > 0 {}
    assert_eq!(store.insert_code(&codes[59]).await, Ok(true));
}

#[tokio::test]
async fn every_search_has_its_index() {
    let mut db = database().await;
    let searches = [
        tables::sessions::SEARCHES,
        tables::still_valid::SEARCHES,
        tables::upgraded_hashes::SEARCHES,
        tables::failed_logins::SEARCHES,
        tables::codes::SEARCHES,
        tables::refresh_families::SEARCHES,
        tables::consents::SEARCHES,
        tables::revoked_tokens::SEARCHES,
        tables::secret_usage::SEARCHES,
        tables::used_days::SEARCHES,
        tables::replicas::SEARCHES,
        tables::served_versions::SEARCHES,
        tables::revoke_grants::SEARCHES,
        tables::purge::SEARCHES,
    ];
    for search in searches.concat() {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {search}"));
        let plan = query(explain).fetch_all(&mut db).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        assert!(!plan.is_empty());
        for step in &plan {
            assert!(!step.starts_with("SCAN"), "{search}\n{plan:#?}");
        }
    }
}
