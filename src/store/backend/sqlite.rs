//! SQLite: one writer, which gathers what waits into one transaction, and a few readers.
//!
//! A durable commit costs one flush of the disk however much is in it. So while one is on its way, operations queue,
//! and the next commit takes them all. An operation is answered when its commit is on the disk.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{AnyConnection, AnyPool, Connection, Executor};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::operation::Operation;
use crate::error::{StoreError, describe};
use crate::metrics::StoreMetrics;

/// How many operations may wait.
const QUEUE: usize = 1024;
/// How many operations one commit may hold: readers of an answer wait for all of them.
const BATCH: usize = 128;
/// How long an operation may wait before its caller is told that the store is too slow.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open SQLite database.
#[derive(Debug)]
pub struct Sqlite {
    jobs: mpsc::Sender<Box<dyn Job>>,
    /// None in memory: there is only the one connection.
    readers: Option<AnyPool>,
    closing: CancellationToken,
    closed: CancellationToken,
}

impl Sqlite {
    /// Takes over the connection that writes.
    pub fn new(db: AnyConnection, readers: Option<AnyPool>, metrics: Arc<StoreMetrics>) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let closing = CancellationToken::new();
        let closed = CancellationToken::new();
        let ended = closed.clone().drop_guard();
        let until = closing.clone();
        tokio::spawn(async move {
            Writer { db, metrics }.write_until(waiting, until).await;
            drop(ended);
        });
        Self {
            jobs,
            readers,
            closing,
            closed,
        }
    }

    /// Runs an operation that writes.
    pub async fn write<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Pending {
            operation,
            outcome: None,
            reply,
        };
        let done = async {
            let sent = self.jobs.send(Box::new(job)).await;
            sent.map_err(|_| StoreError::Closed)?;
            answer.await.map_err(|_| StoreError::Closed)?
        };
        let done = tokio::time::timeout(PATIENCE, done).await;
        done.map_err(|_| StoreError::Timeout)?
    }

    /// Runs an operation that only reads.
    pub async fn read<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let Some(readers) = &self.readers else {
            return self.write(operation).await;
        };
        let mut db = readers.acquire().await?;
        Ok(operation.run(&mut db).await?)
    }

    /// Finishes what waits, then closes the file.
    pub async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        self.closing.cancel();
        self.closed.cancelled().await;
    }
}

/// An operation whose caller waits.
trait Job: Send {
    /// Whether the caller has gone away: then it need not happen.
    fn is_abandoned(&self) -> bool;
    /// Runs it and keeps what it answers.
    fn run<'a>(&'a mut self, db: &'a mut AnyConnection) -> BoxFuture<'a, sqlx::Result<()>>;
    /// Tells the caller, after the commit.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Pending<O: Operation> {
    operation: O,
    outcome: Option<O::Output>,
    reply: oneshot::Sender<Result<O::Output, StoreError>>,
}

impl<O: Operation> Job for Pending<O> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run<'a>(&'a mut self, db: &'a mut AnyConnection) -> BoxFuture<'a, sqlx::Result<()>> {
        async {
            self.outcome = Some(self.operation.run(db).await?);
            Ok(())
        }
        .boxed()
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { outcome, reply, .. } = *self;
        // A caller who has gone away does not mind.
        let _ = reply.send(committed.and_then(|()| outcome.ok_or(StoreError::Closed)));
    }
}

/// The only one who writes.
struct Writer {
    db: AnyConnection,
    metrics: Arc<StoreMetrics>,
}

impl Writer {
    /// Writes until `closing` is cancelled or every sender is dropped.
    async fn write_until(
        mut self,
        mut waiting: mpsc::Receiver<Box<dyn Job>>,
        closing: CancellationToken,
    ) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                _ = waiting.recv_many(&mut batch, BATCH) => {}
                () = closing.cancelled(), if !waiting.is_closed() => {
                    waiting.close();
                    continue;
                }
            }
            if batch.is_empty() {
                break;
            }
            batch.retain(|job| !job.is_abandoned());
            if !batch.is_empty() {
                self.write(&mut batch).await;
            }
        }
        if let Err(error) = self.db.close().await {
            let error = describe(&error);
            tracing::warn!(
                error,
                "the database was not closed cleanly; nothing is lost"
            );
        }
    }

    /// Writes a batch in one transaction. If one of it fails, each is written alone, so that it takes no other with it.
    async fn write(&mut self, batch: &mut Vec<Box<dyn Job>>) {
        match self.commit(batch).await {
            Ok(()) => answer(batch, &Ok(())),
            Err(Failed::Operation(_)) if batch.len() > 1 => {
                for job in batch.drain(..) {
                    let mut alone = vec![job];
                    let done = self.commit(&mut alone).await;
                    answer(&mut alone, &done.map_err(Failed::into_error));
                }
            }
            Err(failed) => answer(batch, &Err(failed.into_error())),
        }
    }

    /// The statements are sent plainly: SQLite ends a transaction by itself when the disk is full, and then sqlx's own
    /// count of open transactions would stay wrong.
    async fn commit(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), Failed> {
        let begun = self.db.execute("BEGIN IMMEDIATE").await;
        begun.map_err(Failed::Transaction)?;
        let mut done = Ok(());
        for job in batch {
            done = job.run(&mut self.db).await.map_err(Failed::Operation);
            if done.is_err() {
                break;
            }
        }
        if done.is_ok() {
            let committed = self.db.execute("COMMIT").await;
            done = committed.map(drop).map_err(Failed::Transaction);
        }
        if done.is_ok() {
            self.metrics.commits.inc();
        } else {
            // Fails if SQLite has rolled back already.
            let _ = self.db.execute("ROLLBACK").await;
        }
        done
    }
}

fn answer(batch: &mut Vec<Box<dyn Job>>, done: &Result<(), StoreError>) {
    for job in batch.drain(..) {
        job.answer(done.clone());
    }
}

/// Where a transaction failed.
enum Failed {
    /// In one of its operations: without it, it might succeed.
    Operation(sqlx::Error),
    /// At its beginning or its end.
    Transaction(sqlx::Error),
}

impl Failed {
    fn into_error(self) -> StoreError {
        let (Self::Operation(error) | Self::Transaction(error)) = self;
        error.into()
    }
}
