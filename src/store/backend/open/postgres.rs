//! Opens PostgreSQL: connects once, to know at the start why it fails if it does, and brings the schema up to date.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use tokio::time::timeout;
use url::Url;

use super::url::{described, locate};
use crate::backend::postgres::Postgres;
use crate::backend::postgres::session::connect;
use crate::backend::schema::migrate;
use crate::error::StoreError;
use crate::metrics::StoreMetrics;
use crate::source::UrlSource;

/// How long the migrations may take, with the wait for another replica that runs them.
const MIGRATION: Duration = Duration::from_mins(5);

/// How long the server may take to answer what is asked about sessions.
const ANSWER: Duration = Duration::from_secs(10);

/// A setting that is set in one session and looked for in another.
const MARK: &str = "SELECT coalesce(current_setting('clientele.mark', true), '')";
const POOLED: &str = "a pooler gives each transaction another session, and settings and prepared statements are lost with it; with PgBouncer set pool_mode = session and ignore_startup_parameters = extra_float_digits, or name the PostgreSQL server itself in the database URL: each replica holds up to 16 connections";

/// Otherwise the server remarks on tables that exist already.
const QUIET: &str = "SET client_min_messages = warning;";

/// Opens the server that the source names.
pub async fn open(
    url: &Url,
    source: &UrlSource,
    metrics: Arc<StoreMetrics>,
) -> Result<Postgres, StoreError> {
    let mut db = connect(source).await.map_err(|refused| refused.error)?;
    let server = described(url);
    let keeps = timeout(ANSWER, keeps_sessions(&mut db, source)).await;
    let keeps = keeps.unwrap_or(Err(StoreError::Timeout));
    keeps.map_err(|error| locate(&server, error))?;
    let migrated = timeout(MIGRATION, bring_up_to_date(&mut db)).await;
    let migrated = migrated.unwrap_or(Err(StoreError::Timeout));
    migrated.map_err(|error| locate(&server, error))?;
    db.close().await?;
    Ok(Postgres::new(source.clone(), metrics))
}

async fn bring_up_to_date(db: &mut AnyConnection) -> Result<(), StoreError> {
    db.execute(QUIET).await?;
    migrate(db).await
}

/// Refuses a pooler that gives each transaction a session: what one client sets there, another sees, or the same does not.
async fn keeps_sessions(db: &mut AnyConnection, source: &UrlSource) -> Result<(), StoreError> {
    let mut mark = [0; 8];
    aws_lc_rs::rand::fill(&mut mark)
        .map_err(|_| StoreError::Database("the random source failed".to_owned()))?;
    let mark = format!("m{:016x}", u64::from_be_bytes(mark));
    let set = format!("SET clientele.mark = '{mark}'");
    db.execute(AssertSqlSafe(set)).await?;
    let mut other = connect(source).await.map_err(|refused| refused.error)?;
    // While this transaction is open, its session is in use.
    let mut transaction = other.begin().await?;
    let theirs = marked(&mut transaction).await?;
    let is_pooled = theirs == mark || marked(db).await? != mark;
    transaction.rollback().await?;
    other.close().await?;
    if is_pooled {
        return Err(StoreError::Database(POOLED.to_owned()));
    }
    Ok(())
}

async fn marked(db: &mut AnyConnection) -> sqlx::Result<String> {
    db.fetch_one(MARK).await?.try_get(0)
}
