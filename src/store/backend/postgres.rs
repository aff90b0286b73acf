//! PostgreSQL: connections, and for each operation that needs one a transaction.

mod fault;
mod outage;
mod pool;
pub(crate) mod session;

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AnyConnection, Connection};
use tokio::task::JoinError;

use self::fault::{did_nothing, loses_connection, was_in_the_way};
use self::pool::Pool;
use super::operation::Operation;
use crate::error::StoreError;
use crate::metrics::StoreMetrics;
use crate::source::UrlSource;

/// How long an operation may take, the wait for a connection not counted.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often an operation is tried when others stand in its way.
const ATTEMPTS: usize = 5;

/// An open PostgreSQL database.
#[derive(Debug)]
pub struct Postgres {
    pool: Arc<Pool>,
    metrics: Arc<StoreMetrics>,
}

impl Postgres {
    /// Connects when the first operation comes.
    pub fn new(source: UrlSource, metrics: Arc<StoreMetrics>) -> Self {
        let pool = Pool::new(source, metrics.clone());
        Self { pool, metrics }
    }

    /// Runs an operation that writes.
    pub async fn write<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let done = self.spawn(operation, Access::Writes).await;
        if done.is_ok() {
            self.metrics.commits.inc();
        }
        done
    }

    /// Runs an operation that only reads.
    pub async fn read<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        self.spawn(operation, Access::Reads).await
    }

    /// It has a task of its own, so that it completes even if the caller is cancelled: what was written is whole, and the connection
    /// can be used again.
    async fn spawn<O: Operation>(
        &self,
        operation: O,
        access: Access,
    ) -> Result<O::Output, StoreError> {
        let pool = self.pool.clone();
        let run = tokio::spawn(async move { run(&pool, &operation, access).await });
        run.await.map_err(|_: JoinError| StoreError::Closed)?
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Whether an operation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Reads,
    Writes,
}

/// Runs it, and once more if the connection was lost before anything can have been committed.
async fn run<O: Operation>(
    pool: &Arc<Pool>,
    operation: &O,
    access: Access,
) -> Result<O::Output, StoreError> {
    match run_once(pool, operation, access).await {
        Err(Ended::Lost {
            happened: false, ..
        }) => {
            let again = run_once(pool, operation, access).await;
            again.map_err(Ended::into_error)
        }
        done => done.map_err(Ended::into_error),
    }
}

/// How an operation ended that failed.
enum Ended {
    /// The database said no, or there was no connection.
    Refused(StoreError),
    /// The connection was lost. Whether what was to be written may have happened.
    Lost { error: StoreError, happened: bool },
}

impl Ended {
    fn into_error(self) -> StoreError {
        let (Self::Refused(error) | Self::Lost { error, .. }) = self;
        error
    }
}

async fn run_once<O: Operation>(
    pool: &Arc<Pool>,
    operation: &O,
    access: Access,
) -> Result<O::Output, Ended> {
    let mut borrowed = pool.acquire().await.map_err(Ended::Refused)?;
    let done = tokio::time::timeout(PATIENCE, attempts(borrowed.db(), operation)).await;
    let Ok(done) = done else {
        // A late response could still arrive on this connection, and the network may drop what the others send.
        borrowed.lose();
        let error = StoreError::Timeout;
        let happened = true;
        return Err(Ended::Lost { error, happened });
    };
    match done {
        Ok(output) => {
            borrowed.give_back();
            Ok(output)
        }
        Err(failed) if loses_connection(&failed.error) => {
            borrowed.lose();
            let happened = access == Access::Writes && failed.happened();
            let error = failed.error.into();
            Err(Ended::Lost { error, happened })
        }
        Err(failed) => {
            borrowed.give_back();
            Err(Ended::Refused(failed.error.into()))
        }
    }
}

/// An error, and whether the database had been asked to commit by then.
struct Failed {
    error: sqlx::Error,
    commits: bool,
}

impl Failed {
    /// In a statement that is committed by itself, or in `COMMIT`.
    fn committing(error: sqlx::Error) -> Self {
        let commits = true;
        Self { error, commits }
    }

    /// Inside a transaction, whose end was not requested.
    fn before_commit(error: sqlx::Error) -> Self {
        let commits = false;
        Self { error, commits }
    }

    /// Whether what was to be written may have happened.
    fn happened(&self) -> bool {
        self.commits && !did_nothing(&self.error)
    }
}

async fn attempts<O: Operation>(
    db: &mut AnyConnection,
    operation: &O,
) -> Result<O::Output, Failed> {
    for _ in 1..ATTEMPTS {
        match attempt(db, operation).await {
            Err(failed) if was_in_the_way(&failed.error) => {}
            done => return done,
        }
    }
    attempt(db, operation).await
}

async fn attempt<O: Operation>(db: &mut AnyConnection, operation: &O) -> Result<O::Output, Failed> {
    if O::SINGLE {
        return operation.run(db).await.map_err(Failed::committing);
    }
    let at_once = operation.at_once(db).await.map_err(Failed::committing)?;
    if let Some(output) = at_once {
        return Ok(output);
    }
    let mut transaction = db.begin().await.map_err(Failed::before_commit)?;
    match operation.run(&mut transaction).await {
        Ok(output) => {
            let committed = transaction.commit().await;
            committed.map_err(Failed::committing)?;
            Ok(output)
        }
        Err(error) if loses_connection(&error) => Err(Failed::before_commit(error)),
        Err(error) => {
            let undone = transaction.rollback().await;
            Err(Failed::before_commit(undone.err().unwrap_or(error)))
        }
    }
}
