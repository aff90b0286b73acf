//! PostgreSQL: a pool, and for each operation that needs one a transaction.

use std::sync::Arc;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::task::JoinError;

use super::operation::Operation;
use crate::error::StoreError;
use crate::metrics::StoreMetrics;

/// How long an operation may take, the wait for a connection not counted.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often an operation is tried when others stand in its way.
const ATTEMPTS: usize = 5;

/// An open PostgreSQL database.
#[derive(Debug)]
pub struct Postgres {
    pool: AnyPool,
    metrics: Arc<StoreMetrics>,
}

impl Postgres {
    /// Takes over a pool.
    pub fn new(pool: AnyPool, metrics: Arc<StoreMetrics>) -> Self {
        Self { pool, metrics }
    }

    /// Runs an operation that writes. It has a task of its own, so that it completes even if the caller is cancelled.
    pub async fn write<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let (pool, metrics) = (self.pool.clone(), self.metrics.clone());
        let run = tokio::spawn(async move {
            let done = run(&pool, operation).await;
            if done.is_ok() {
                metrics.commits.inc();
            }
            done
        });
        run.await.map_err(|_: JoinError| StoreError::Closed)?
    }

    /// Runs an operation that only reads.
    pub async fn read<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        run(&self.pool, operation).await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn run<O: Operation>(pool: &AnyPool, operation: O) -> Result<O::Output, StoreError> {
    let mut db = pool.acquire().await?;
    let done = tokio::time::timeout(PATIENCE, attempts(&mut db, &operation)).await;
    if done.is_err() {
        // A late response could still arrive on this connection.
        drop(db.detach());
    }
    Ok(done.map_err(|_| StoreError::Timeout)??)
}

async fn attempts<O: Operation>(db: &mut AnyConnection, operation: &O) -> sqlx::Result<O::Output> {
    for _ in 1..ATTEMPTS {
        match attempt(db, operation).await {
            Err(error) if was_in_the_way(&error) => {}
            done => return done,
        }
    }
    attempt(db, operation).await
}

async fn attempt<O: Operation>(db: &mut AnyConnection, operation: &O) -> sqlx::Result<O::Output> {
    if O::SINGLE {
        return operation.run(db).await;
    }
    if let Some(output) = operation.at_once(db).await? {
        return Ok(output);
    }
    let mut transaction = db.begin().await?;
    let output = operation.run(&mut transaction).await?;
    transaction.commit().await?;
    Ok(output)
}

/// Whether PostgreSQL has undone it because of another transaction: `serialization_failure`, `deadlock_detected`.
fn was_in_the_way(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("40001" | "40P01"))
}
