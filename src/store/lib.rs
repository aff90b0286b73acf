//! What must outlive a restart: sessions, authorization codes, refresh families, consents, revoked tokens, used assertions.
//!
//! One SQL for both databases: SQLite, embedded, for one replica; PostgreSQL for more. This folder keeps values
//! and decides nothing beyond what must be atomic; the rules are [`clientele_oauth`]'s. It knows neither the web nor
//! Kubernetes. What is kept is digests: nobody can use what he reads here.

mod backend;
mod error;
mod metrics;
mod redemption;
mod rotation;
pub mod tables;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use backend::operation::Operation;
use backend::postgres::Postgres;
use backend::sqlite::Sqlite;
pub use error::StoreError;
pub use metrics::StoreMetrics;
pub use redemption::Redemption;
pub use rotation::Rotation;
pub use tables::replicas::Heartbeat;

/// A store that is open. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    backend: Arc<Backend>,
    metrics: Arc<StoreMetrics>,
}

#[derive(Debug)]
enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// Opens the database of a URL (`sqlite:PATH`, `sqlite::memory:`, `postgres://…`) and brings its schema up to date.
    ///
    /// # Errors
    /// If it cannot be reached or migrated, or is newer than this program.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let metrics = Arc::default();
        let backend = Arc::new(backend::open::open(url, &metrics).await?);
        Ok(Self { backend, metrics })
    }

    /// Whether other replicas can have it open as well.
    pub fn is_shared(&self) -> bool {
        matches!(&*self.backend, Backend::Postgres(_))
    }

    /// What the store counts.
    pub fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// Runs an operation that changes something.
    async fn write<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let started = Instant::now();
        let outcome = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(operation).await,
            Backend::Postgres(postgres) => postgres.write(operation).await,
        };
        self.metrics.writes.count(&outcome, started.elapsed());
        outcome
    }

    /// Runs an operation that only reads. It sees whatever was answered before it began.
    async fn read<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let started = Instant::now();
        let outcome = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(operation).await,
            Backend::Postgres(postgres) => postgres.read(operation).await,
        };
        self.metrics.reads.count(&outcome, started.elapsed());
        outcome
    }

    /// Whether the database answers, and can begin a transaction.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.write(backend::operation::Check).await
    }

    /// Closes the database, when what is being written is written.
    pub async fn close(&self) {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }
}
