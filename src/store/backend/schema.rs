//! Brings the schema of a database up to date, and refuses one whose newer migrations do more than add.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Row, SqlSafeStr};

use crate::error::{StoreError, describe};

/// Every migration there ever was, in order. What has been released is never changed: a database knows its digest.
const MIGRATIONS: [(i64, &str, &str); 9] = [
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
    (
        8,
        "additive replica beats",
        include_str!("../migrations/0008_additive_replica_beats.sql"),
    ),
    (
        9,
        "additive failed logins",
        include_str!("../migrations/0009_additive_failed_logins.sql"),
    ),
];

/// Where sqlx notes what was applied.
const TABLE: &str = "_sqlx_migrations";

/// How the description of a migration begins that only adds: tables, indices, and columns with a default. The database keeps the
/// description, so a version that does not know the migration works on, and a rollback needs no backup.
const ADDITIVE: &str = "additive ";

/// Runs what is missing. Replicas that start together wait for each other: PostgreSQL by a lock of its own, SQLite
/// by the transaction that the caller has begun.
pub async fn migrate(db: &mut AnyConnection) -> Result<(), StoreError> {
    db.lock().await.map_err(failed)?;
    db.ensure_migrations_table(TABLE).await.map_err(failed)?;
    let newer = newer(db).await?;
    if let Some((version, _)) = newer.iter().find(|(_, text)| !text.starts_with(ADDITIVE)) {
        return Err(StoreError::Newer(*version));
    }
    migrator()
        .set_locking(false)
        .set_ignore_missing(!newer.is_empty())
        .run_direct(None, db, false)
        .await
        .map_err(failed)?;
    db.unlock().await.map_err(failed)
}

/// Number and description of each applied migration that is newer than those of this program.
async fn newer(db: &mut AnyConnection) -> Result<Vec<(i64, String)>, StoreError> {
    let newest = MIGRATIONS.map(|(version, ..)| version).into_iter().max();
    let sql = "SELECT version, description FROM _sqlx_migrations ORDER BY version";
    let rows = sqlx::query(sql).fetch_all(db).await?;
    let applied = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<Vec<(i64, String)>, sqlx::Error>>()?;
    let newer = |version: &i64| newest.is_none_or(|newest| newest < *version);
    Ok(applied
        .into_iter()
        .filter(|(version, _)| newer(version))
        .collect())
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
    /// Whether a version that does not know the migration can read and write beside it.
    fn only_adds(sql: &str) -> bool {
        let lines = sql.lines().filter(|line| !line.trim().starts_with("--"));
        let text = lines.collect::<Vec<_>>().join(" ").to_uppercase();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut statements = text.split(';').map(str::trim).filter(|s| !s.is_empty());
        statements.all(|statement| {
            let adds = ["CREATE TABLE ", "CREATE INDEX "];
            let column =
                statement.starts_with("ALTER TABLE ") && statement.contains(" ADD COLUMN ");
            adds.iter().any(|begin| statement.starts_with(begin))
                || column && (!statement.contains(" NOT NULL") || statement.contains(" DEFAULT "))
        })
    }

    #[test]
    fn what_is_marked_as_additive_only_adds() {
        for (_, description, sql) in MIGRATIONS {
            assert!(
                !description.starts_with(ADDITIVE) || only_adds(sql),
                "{description}"
            );
        }
        let last = MIGRATIONS.map(|(.., sql)| sql)[6];
        assert!(only_adds(last) && only_adds("ALTER TABLE a ADD COLUMN b TEXT;"));
        for sql in [
            "DROP TABLE a",
            "ALTER TABLE a RENAME COLUMN b TO c",
            "ALTER TABLE a ADD COLUMN b TEXT NOT NULL",
            "CREATE TABLE a (b TEXT); UPDATE c SET d = 1",
            "CREATE UNIQUE INDEX a ON b (c)",
        ] {
            assert!(!only_adds(sql), "{sql}");
        }
    }
}
