//! Backups as docs/operations/backup.md says: made while the store is in use, and what is restored can be used.

use std::path::Path;
use std::time::Duration;

use clientele_store::{Rotation, Store};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

use super::child::Using;
use super::database::TestDatabase;
use super::samples::{TENANT, at, begin, code};
use crate::support::postgres::{Server, run};

/// The page that says how.
fn documented() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations/backup.md");
    std::fs::read_to_string(page).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_sqlite_is_made_while_it_is_in_use() {
    let database = TestDatabase::sqlite();
    let mut child = Using::start(&database);
    child.hear(30);
    let copy = database.url.replace("sqlite:", "") + ".backup";
    assert!(documented().contains("\"VACUUM INTO '"));
    let mut db = SqliteConnection::connect(&database.url).await.unwrap();
    let copied = db.execute(AssertSqlSafe(format!("VACUUM INTO '{copy}'")));
    copied.await.unwrap();
    // What it was answered before the backup began is in it.
    let restored = TestDatabase::at(format!("sqlite:{copy}")).open().await;
    child.check(&restored).await;
    child.hear(1);
    child.kill();
    child.check(&database.open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_postgresql_is_made_while_it_is_in_use() {
    let database = TestDatabase::postgres().await;
    let mut child = Using::start(&database);
    child.hear(30);
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("clientele.dump");
    let dump = dump.to_str().unwrap();
    let target = Server::shared().database().await;
    run(
        "pg_dump",
        &["--format=custom", "--file", dump, &database.url],
    );
    run(
        "pg_restore",
        &["--no-owner", "--exit-on-error", "--dbname", &target, dump],
    );
    for program in [
        "pg_dump --format=custom",
        "pg_restore --no-owner --exit-on-error",
    ] {
        assert!(documented().contains(program), "{program}");
    }
    let restored = TestDatabase::at(target).open().await;
    child.check(&restored).await;
    child.kill();
    child.check(&database.open().await).await;
}

/// A backup is old: what happened since then is forgotten. The tokens that were made since then are not, and a client that
/// uses one of them ends the family.
#[tokio::test]
async fn a_family_of_an_old_backup_ends_when_a_newer_token_is_used() {
    let database = TestDatabase::sqlite();
    let store = database.open().await;
    let family = begin(&store, &code("a")).await;
    let copy = database.url.replace("sqlite:", "") + ".backup";
    let mut db = SqliteConnection::connect(&database.url).await.unwrap();
    let copied = db.execute(AssertSqlSafe(format!("VACUUM INTO '{copy}'")));
    copied.await.unwrap();
    let rotate = async |store: &Store, sequence| {
        let grace = Duration::from_secs(10);
        let rotated = store.rotate(TENANT, &family.id, sequence, grace, at(1800), at(100));
        rotated.await.unwrap()
    };
    assert!(matches!(rotate(&store, 1).await, Rotation::Next(_)));
    let restored = TestDatabase::at(format!("sqlite:{copy}")).open().await;
    assert_eq!(rotate(&restored, 2).await, Rotation::Reused);
    assert_eq!(rotate(&restored, 1).await, Rotation::Gone);
}
