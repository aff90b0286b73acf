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
mod source;
pub mod tables;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;

use backend::open::file_lock::FileLock;
use backend::open::url::{Location, parse};
use backend::operation::Operation;
use backend::postgres::Postgres;
use backend::sqlite::Sqlite;
use clientele_telemetry::trace;
pub use error::StoreError;
pub use metrics::StoreMetrics;
pub use redemption::Redemption;
pub use rotation::Rotation;
pub use source::UrlSource;
pub use tables::replicas::Heartbeat;
pub use tables::subjects::SubjectClaim;
pub use tables::upgraded_hashes::UpgradedHash;
use tables::used_assertions::Rooms;
pub use tables::used_assertions::{AssertionUse, UsedAssertion};
pub use tables::used_days::UsedDay;

/// A store. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Opening>,
    metrics: Arc<StoreMetrics>,
    assertion_rooms: Arc<Rooms>,
}

#[derive(Debug)]
struct Opening {
    source: UrlSource,
    location: Location,
    /// Nothing until the database was reached for the first time.
    backend: RwLock<Option<Arc<Backend>>>,
    /// Only of a process that does not share the file.
    lock: Mutex<Option<FileLock>>,
}

#[derive(Debug)]
enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// A store whose database is not open yet: until [`Store::connect`] succeeds, every operation fails.
    ///
    /// # Errors
    /// If the URL cannot be read, or names no database (`sqlite:PATH`, `sqlite::memory:`, `postgres://…`).
    pub async fn unopened(source: UrlSource) -> Result<Self, StoreError> {
        let location = parse(&source.read().await?)?;
        Ok(Self {
            shared: Arc::new(Opening {
                source,
                location,
                backend: RwLock::default(),
                lock: Mutex::default(),
            }),
            metrics: Arc::default(),
            assertion_rooms: Arc::default(),
        })
    }

    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// If it cannot be reached or migrated, or is newer than this program. It may be tried again.
    pub async fn connect(&self) -> Result<(), StoreError> {
        let Opening {
            source,
            location,
            backend,
            ..
        } = &*self.shared;
        if !self.is_open() {
            let opened = backend::open::open(location, source, &self.metrics).await?;
            let mut backend = backend.write().expect("no holder of this lock panics");
            backend.get_or_insert(Arc::new(opened));
        }
        Ok(())
    }

    /// The same as the only process that uses it, where it is a file.
    ///
    /// # Errors
    /// Also if another process uses the file.
    pub async fn connect_as(&self, holder: &str) -> Result<(), StoreError> {
        let Opening { location, lock, .. } = &*self.shared;
        if let Location::File(path) = location {
            let mut lock = lock.lock().expect("no holder of this lock panics");
            if lock.is_none() {
                *lock = Some(FileLock::take(path, holder)?);
            }
        }
        self.connect().await
    }

    /// Whether the database was opened.
    pub fn is_open(&self) -> bool {
        self.backend().is_some()
    }

    fn backend(&self) -> Option<Arc<Backend>> {
        let backend = self.shared.backend.read();
        backend.expect("no holder of this lock panics").clone()
    }

    /// The path of the file, where the database is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.shared.location {
            Location::File(path) => Some(path),
            Location::Memory | Location::Server(_) => None,
        }
    }

    /// Opens the database of a URL.
    ///
    /// # Errors
    /// As [`Store::unopened`] and [`Store::connect`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::unopened(UrlSource::Fixed(url.to_owned())).await?;
        store.connect().await?;
        Ok(store)
    }

    /// Whether several replicas can share the database: true for PostgreSQL.
    pub fn is_shared(&self) -> bool {
        matches!(self.shared.location, Location::Server(_))
    }

    /// The metrics of the store.
    pub fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// Runs an operation that writes.
    async fn write<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let started = Instant::now();
        let work = async {
            match self.backend().as_deref() {
                Some(Backend::Sqlite(sqlite)) => sqlite.write(operation).await,
                Some(Backend::Postgres(postgres)) => postgres.write(operation).await,
                None => Err(StoreError::Unopened),
            }
        };
        let outcome = trace::within(trace::store::<O>("write"), work).await;
        self.metrics.writes.count(&outcome, started.elapsed());
        outcome
    }

    /// Runs an operation that only reads. It sees every write that completed before it began.
    async fn read<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let started = Instant::now();
        let work = async {
            match self.backend().as_deref() {
                Some(Backend::Sqlite(sqlite)) => sqlite.read(operation).await,
                Some(Backend::Postgres(postgres)) => postgres.read(operation).await,
                None => Err(StoreError::Unopened),
            }
        };
        let outcome = trace::within(trace::store::<O>("read"), work).await;
        self.metrics.reads.count(&outcome, started.elapsed());
        outcome
    }

    /// Checks that the database answers and can begin a transaction.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.write(backend::operation::Check).await
    }

    /// Closes the database after the writes in flight have completed.
    pub async fn close(&self) {
        match self.backend().as_deref() {
            Some(Backend::Sqlite(sqlite)) => sqlite.close().await,
            Some(Backend::Postgres(postgres)) => postgres.close().await,
            None => {}
        }
    }
}
