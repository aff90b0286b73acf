//! Brings the schema of a database up to date, and refuses one that is newer than this program.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr};

use super::error::{StoreError, describe};

/// Every migration there ever was, in order. What has been released is never changed.
const MIGRATIONS: [(i64, &str, &str); 1] = [(
    1,
    "sign in",
    include_str!("../../migrations/0001_sign_in.sql"),
)];

/// Where sqlx notes what was applied.
const TABLE: &str = "_sqlx_migrations";

/// Runs what is missing. The caller sees to it that nobody else does at the same time.
pub async fn migrate(db: &mut AnyConnection) -> Result<(), StoreError> {
    let migrations = MIGRATIONS.map(|(version, description, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(version, description.into(), kind, sql.into_sql_str(), false)
    });
    db.ensure_migrations_table(TABLE).await.map_err(failed)?;
    let applied = db.list_applied_migrations(TABLE).await.map_err(failed)?;
    let newest = applied.iter().map(|migration| migration.version).max();
    if let Some(newer) = newest.filter(|version| *version > MIGRATIONS[MIGRATIONS.len() - 1].0) {
        return Err(StoreError::Newer(newer));
    }
    if applied.len() == migrations.len() && newest.is_some() {
        // The run below would only compare.
    }
    Migrator::with_migrations(migrations.to_vec())
        .run_direct(None, db, false)
        .await
        .map_err(failed)
}

fn failed(error: MigrateError) -> StoreError {
    StoreError::Migration(match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => describe(&error),
        error => error.to_string(),
    })
}
