//! Opens PostgreSQL.

use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, Connection, Executor};
use url::Url;

use super::options;
use crate::store::error::StoreError;
use crate::store::postgres::Postgres;
use crate::store::schema::migrate;

/// How many connections a replica holds at most.
const CONNECTIONS: u32 = 16;
/// How long an operation may wait for a connection, and the first connection for the server.
const WAIT: Duration = Duration::from_secs(5);
/// A connection that has been idle for longer is asked whether it still lives.
const FRESH: Duration = Duration::from_secs(1);

/// An answer is given only for what is on the disk, and nothing waits for ever.
const SETTINGS: &str = "SET synchronous_commit = on; SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '5s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s';";

/// Connects once, to know at the start why it fails if it does, then keeps a pool.
pub async fn open(url: &Url) -> Result<Postgres, StoreError> {
    let options = options(url)?;
    let first = tokio::time::timeout(WAIT, bring_up_to_date(&options));
    first.await.map_err(|_| StoreError::Timeout)??;
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
    Ok(Postgres::new(pool))
}

async fn bring_up_to_date(options: &AnyConnectOptions) -> Result<(), StoreError> {
    let mut db = AnyConnection::connect_with(options).await?;
    migrate(&mut db).await?;
    db.close().await?;
    Ok(())
}
