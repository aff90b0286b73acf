//! The state that outlives a restart: sessions, authorization codes, refresh families, consents, revoked tokens, used
//! client assertions, the use of clients and of their secrets, and what each replica serves.
//!
//! One SQL for both databases: embedded SQLite for one replica, PostgreSQL for several. This crate stores values and decides
//! only what must be atomic; the rules are in [`clientele_oauth`]. It depends neither on HTTP nor on Kubernetes. Codes,
//! cookies and tokens are stored as digests, so that a copy of the database does not contain usable credentials.

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
pub use tables::subjects::SubjectClaim;
pub use tables::upgraded_hashes::UpgradedHash;
pub use tables::used_assertions::{AssertionUse, UsedAssertion};
pub use tables::used_days::UsedDay;

/// An open store. Clones share it.
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

    /// Whether several replicas can share the database: true for PostgreSQL.
    pub fn is_shared(&self) -> bool {
        matches!(&*self.backend, Backend::Postgres(_))
    }

    /// The metrics of the store.
    pub fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// Runs an operation that writes.
    async fn write<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let started = Instant::now();
        let outcome = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(operation).await,
            Backend::Postgres(postgres) => postgres.write(operation).await,
        };
        self.metrics.writes.count(&outcome, started.elapsed());
        outcome
    }

    /// Runs an operation that only reads. It sees every write that completed before it began.
    async fn read<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let started = Instant::now();
        let outcome = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(operation).await,
            Backend::Postgres(postgres) => postgres.read(operation).await,
        };
        self.metrics.reads.count(&outcome, started.elapsed());
        outcome
    }

    /// Checks that the database answers and can begin a transaction.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.write(backend::operation::Check).await
    }

    /// Closes the database after the writes in flight have completed.
    pub async fn close(&self) {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }
}
