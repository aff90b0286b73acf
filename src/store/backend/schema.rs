//! Brings the schema of a database up to date, and refuses one that is newer than this program.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr};

use crate::error::{StoreError, describe};

/// Every migration there ever was, in order. What has been released is never changed: a database knows its digest.
const MIGRATIONS: [(i64, &str, &str); 7] = [
    (1, "sign in", include_str!("../migrations/0001_sign_in.sql")),
    (
        2,
        "used assertions",
        include_str!("../migrations/0002_used_assertions.sql"),
    ),
    (
        3,
        "last use",
        include_str!("../migrations/0003_last_use.sql"),
    ),
    (4, "served", include_str!("../migrations/0004_served.sql")),
    (5, "people", include_str!("../migrations/0005_people.sql")),
    (
        6,
        "clients of assertions",
        include_str!("../migrations/0006_clients_of_assertions.sql"),
    ),
    (
        7,
        "used days",
        include_str!("../migrations/0007_used_days.sql"),
    ),
];

/// Where sqlx notes what was applied.
const TABLE: &str = "_sqlx_migrations";

/// Runs what is missing. Replicas that start together wait for each other: PostgreSQL by a lock of its own, SQLite
/// by the transaction that the caller has begun.
pub async fn migrate(db: &mut AnyConnection) -> Result<(), StoreError> {
    db.lock().await.map_err(failed)?;
    db.ensure_migrations_table(TABLE).await.map_err(failed)?;
    let applied = db.list_applied_migrations(TABLE).await.map_err(failed)?;
    let newest = applied.iter().map(|migration| migration.version).max();
    let known = MIGRATIONS.map(|(version, ..)| version);
    if let Some(newer) = newest.filter(|newest| known.iter().all(|known| known < newest)) {
        return Err(StoreError::Newer(newer));
    }
    migrator()
        .set_locking(false)
        .run_direct(None, db, false)
        .await
        .map_err(failed)?;
    db.unlock().await.map_err(failed)
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.map(|(version, description, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(version, description.into(), kind, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.into())
}

fn failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            StoreError::Database(describe(&error))
        }
        error => StoreError::Database(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_migration_and_they_are_numbered() {
        let mut files: Vec<String> = std::fs::read_dir("migrations")
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed = MIGRATIONS.map(|(version, description, _)| {
            format!("{version:04}_{}.sql", description.replace(' ', "_"))
        });
        assert_eq!(files, listed);
        let numbers: Vec<i64> = MIGRATIONS.iter().map(|(version, ..)| *version).collect();
        let count = i64::try_from(MIGRATIONS.len()).unwrap();
        assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
    }
}
