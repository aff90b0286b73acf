//! Opening: what is made, what is refused, and in which words.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clientele_store::{Store, StoreError};
use sqlx::{AnyConnection, Connection, Executor};

use super::database::{TestDatabase, at_once, over_both_stores};
use super::samples::{TENANT, at};
use crate::support::postgres::Server;

over_both_stores![
    what_was_kept_is_there_after_opening_again,
    replicas_that_open_a_new_database_at_once_all_succeed,
    what_one_replica_was_answered_the_other_sees,
    a_newer_schema_is_refused_with_a_clear_sentence,
    a_newer_schema_that_only_adds_is_opened,
    a_schema_that_somebody_changed_is_refused,
];

async fn revoke(store: &Store, jti: &str) {
    store.revoke_token(TENANT, jti, at(600)).await.unwrap();
}

async fn is_revoked(store: &Store, jti: &str) -> bool {
    store.is_token_revoked(TENANT, jti).await.unwrap()
}

/// What `Store::open` says of a URL that it refuses.
async fn refusal(url: &str) -> String {
    Store::open(url).await.expect_err(url).to_string()
}

async fn what_was_kept_is_there_after_opening_again(database: TestDatabase) {
    let store = database.open().await;
    revoke(&store, "jti").await;
    store.close().await;
    assert!(is_revoked(&database.open().await, "jti").await);
}

async fn replicas_that_open_a_new_database_at_once_all_succeed(database: TestDatabase) {
    // Who gets into whose way is chance.
    for _ in 0..10 {
        let new = database.another().await;
        let opened = at_once(8, |_| {
            let url = new.url.clone();
            async move { Store::open(&url).await }
        });
        for (index, store) in opened.await.into_iter().enumerate() {
            revoke(&store.unwrap(), &format!("jti-{index}")).await;
        }
    }
}

async fn what_one_replica_was_answered_the_other_sees(database: TestDatabase) {
    let [one, two] = [database.open().await, database.open().await];
    for n in 0..20 {
        let jti = format!("jti-{n}");
        let (writer, reader) = if n % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        assert!(!is_revoked(reader, &jti).await);
        revoke(writer, &jti).await;
        assert!(is_revoked(reader, &jti).await);
    }
}

/// Changes the database behind the store's back.
async fn tamper(database: &TestDatabase, sql: &'static str) {
    let store = database.open().await;
    store.close().await;
    let mut db = AnyConnection::connect(&database.url).await.unwrap();
    db.execute(sql).await.unwrap();
    db.close().await.unwrap();
}

async fn a_newer_schema_is_refused_with_a_clear_sentence(database: TestDatabase) {
    let sql =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        SELECT 9999, 'to come', success, checksum, 1 FROM _sqlx_migrations WHERE version = 1";
    tamper(&database, sql).await;
    let error = Store::open(&database.url).await.unwrap_err();
    assert_eq!(error, StoreError::Newer(9999));
    let sentence = error.to_string();
    assert!(sentence.contains("newer version") && sentence.contains("9999"));
    assert!(sentence.contains("restore a backup"));
}

async fn a_newer_schema_that_only_adds_is_opened(database: TestDatabase) {
    let sql =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        SELECT 9998, 'additive to come', success, checksum, 1 FROM _sqlx_migrations WHERE version = 1";
    tamper(&database, sql).await;
    let store = database.open().await;
    let jti = "after-a-rollback";
    revoke(&store, jti).await;
    assert!(is_revoked(&store, jti).await);
    store.close().await;
}

async fn a_schema_that_somebody_changed_is_refused(database: TestDatabase) {
    tamper(&database, "UPDATE _sqlx_migrations SET checksum = 'x'").await;
    let sentence = refusal(&database.url).await;
    assert!(sentence.contains("has been modified"), "{sentence}");
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let folder = tempfile::tempdir().unwrap();
    // A name that a URL would have to encode.
    let path = folder.path().join("store 100%?.db");
    let database = format!("sqlite:{}", path.display()).replace('?', "#");
    let path = folder.path().join("store 100%#.db");
    let store = Store::open(&database).await.unwrap();
    revoke(&store, "jti").await;
    assert!(is_revoked(&store, "jti").await);
    let files: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    store.close().await;
    // The other two are gone, so that this one may be copied.
    let files = folder.path().read_dir().unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    assert_eq!(names, [path]);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_refused_with_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let url = |name: &str| format!("sqlite:{}", path(name).display());

    let missing = refusal(&url("missing/store.db")).await;
    assert!(missing.contains("folder must exist"), "{missing}");

    std::fs::create_dir(path("folder")).unwrap();
    let taken = refusal(&url("folder")).await;
    assert!(taken.contains("cannot be opened for writing"), "{taken}");

    std::fs::write(
        path("text"),
        "no database at all, but a longer text".repeat(99),
    )
    .unwrap();
    let text = refusal(&url("text")).await;
    assert!(
        text.contains("not a database") && text.contains("name another file"),
        "{text}"
    );
    assert!(text.contains(path("text").to_str().unwrap()), "{text}");

    // SQLite wants to put a file there.
    std::fs::create_dir(path("blocked-wal")).unwrap();
    let blocked = refusal(&url("blocked")).await;
    assert!(blocked.contains("the database file"), "{blocked}");

    std::fs::write(path("read-only"), "").unwrap();
    let rights = std::fs::Permissions::from_mode(0o400);
    std::fs::set_permissions(path("read-only"), rights).unwrap();
    // Root may write it all the same.
    let mut writable = std::fs::OpenOptions::new();
    if writable.write(true).open(path("read-only")).is_err() {
        let read_only = refusal(&url("read-only")).await;
        assert!(read_only.contains("must be writable"), "{read_only}");
    }
}

#[tokio::test]
async fn a_postgresql_that_cannot_be_used_is_refused_with_its_remedy() {
    let unreachable = refusal("postgres://ada:hunter2@127.0.0.1:1/store").await;
    assert!(
        unreachable.contains("127.0.0.1:1") && unreachable.contains("is it running"),
        "{unreachable}"
    );
    assert!(!unreachable.contains("hunter2"), "{unreachable}");

    let missing = refusal(&Server::shared().url("missing")).await;
    assert!(
        missing.contains("create it with CREATE DATABASE"),
        "{missing}"
    );

    let database = TestDatabase::postgres().await;
    let stranger = database.url.replace("postgres@", "stranger:hunter2@");
    let unknown = refusal(&stranger).await;
    assert!(unknown.contains("check user, password"), "{unknown}");
    assert!(!unknown.contains("hunter2"), "{unknown}");

    let server = Server::shared();
    server.execute("CREATE ROLE guest LOGIN").await;
    let guest = refusal(&database.url.replace("postgres@", "guest@")).await;
    assert!(guest.contains("own the database"), "{guest}");
}
