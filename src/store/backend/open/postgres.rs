//! Opens PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, Connection, Executor};
use tokio::time::timeout;
use url::Url;

use super::url::server_name;
use super::{locate, options};
use crate::backend::postgres::Postgres;
use crate::backend::schema::migrate;
use crate::error::{StoreError, describe};
use crate::metrics::StoreMetrics;

/// How many connections a replica holds at most.
const CONNECTIONS: u32 = 16;
/// How long an operation may wait for a connection, and the start for the server.
const WAIT: Duration = Duration::from_secs(5);
/// How long the migrations may take, with the wait for another replica that runs them.
const MIGRATION: Duration = Duration::from_mins(5);
/// A connection that has been idle for longer is asked whether it still lives.
const FRESH: Duration = Duration::from_secs(1);

/// A commit is acknowledged only when it is on disk, and every wait has a limit.
const SETTINGS: &str = "SET synchronous_commit = on; SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '5s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s';";
/// Otherwise the server remarks on tables that exist already.
const QUIET: &str = "SET client_min_messages = warning;";

/// Connects once, to know at the start why it fails if it does, then keeps a pool.
pub async fn open(url: &Url, metrics: Arc<StoreMetrics>) -> Result<Postgres, StoreError> {
    let server = format!("the PostgreSQL server {}", server_name(url));
    let options = options(url).map_err(|error| locate(&server, error))?;
    let migrated = bring_up_to_date(&options, &server).await;
    migrated.map_err(|error| locate(&server, error))?;
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(WAIT)
        .test_before_acquire(false)
        .before_acquire(|db, meta| {
            Box::pin(async move {
                if meta.idle_for > FRESH {
                    db.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(|db, _| Box::pin(async { db.execute(SETTINGS).await.map(drop) }))
        .connect_lazy_with(options);
    Ok(Postgres::new(pool, metrics))
}

async fn bring_up_to_date(options: &AnyConnectOptions, server: &str) -> Result<(), StoreError> {
    let connected = timeout(WAIT, AnyConnection::connect_with(options)).await;
    let connected = connected.map_err(|_| StoreError::Timeout)?;
    let mut db = connected.map_err(|error| unreachable(server, error))?;
    let migrated = async {
        db.execute(QUIET).await?;
        migrate(&mut db).await
    };
    timeout(MIGRATION, migrated)
        .await
        .map_err(|_| StoreError::Timeout)??;
    db.close().await?;
    Ok(())
}

fn unreachable(server: &str, error: sqlx::Error) -> StoreError {
    let remedy = match error {
        sqlx::Error::Io(_) => "is it running, and are host and port of the database URL right?",
        sqlx::Error::Tls(_) => "check sslmode and sslrootcert in the database URL",
        error => return error.into(),
    };
    let said = describe(&error);
    StoreError::Open(format!("{server} cannot be reached: {said}; {remedy}"))
}
