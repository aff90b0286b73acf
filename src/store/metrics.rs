//! What the store counts.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::error::StoreError;
use clientele_telemetry::histogram::AtomicHistogram;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    access: &'static str,
    outcome: &'static str,
}

const OUTCOMES: [&str; 3] = ["ok", "timeout", "error"];

/// Operations of one kind, reads or writes.
#[derive(Debug)]
pub(super) struct Access {
    outcomes: [Counter; OUTCOMES.len()],
    duration: AtomicHistogram,
}

impl Access {
    fn new(operations: &Family<Labels, Counter>, access: &'static str) -> Self {
        let counter = |outcome| operations.get_or_create_owned(&Labels { access, outcome });
        Self {
            outcomes: OUTCOMES.map(counter),
            duration: AtomicHistogram::default(),
        }
    }

    /// An operation ended.
    pub(super) fn count<T>(&self, outcome: &Result<T, StoreError>, took: Duration) {
        let index = match outcome {
            Ok(_) => 0,
            Err(StoreError::Timeout) => 1,
            Err(_) => 2,
        };
        self.outcomes[index].inc();
        self.duration.record(took);
    }
}

/// The metrics of the store.
#[derive(Debug)]
pub struct StoreMetrics {
    operations: Family<Labels, Counter>,
    pub(super) reads: Access,
    pub(super) writes: Access,
    /// Transactions that wrote; with SQLite one may hold many operations.
    pub(super) commits: Counter,
    /// Rows that were removed because they had ended.
    pub(super) purged: Counter,
    /// 1 while the last check of the database succeeded.
    pub(super) up: Gauge,
    /// Connections to PostgreSQL that wait for an operation.
    pub(super) idle: Gauge,
    /// Connections to PostgreSQL that were made.
    pub(super) connections: Counter,
    /// How often every connection was closed because one was lost.
    pub(super) renewals: Counter,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        let operations = Family::default();
        Self {
            reads: Access::new(&operations, "read"),
            writes: Access::new(&operations, "write"),
            operations,
            commits: Counter::default(),
            purged: Counter::default(),
            up: Gauge::default(),
            idle: Gauge::default(),
            connections: Counter::default(),
            renewals: Counter::default(),
        }
    }
}

impl StoreMetrics {
    /// Notes whether the database answers.
    pub fn set_up(&self, up: bool) {
        self.up.set(i64::from(up));
    }

    /// Makes the metrics visible under their names.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "clientele_store_operations",
            "Operations of the store by access (read, write) and outcome (ok, timeout, error)",
            self.operations.clone(),
        );
        registry.register(
            "clientele_store_read_duration_seconds",
            "Time of an operation that reads, with the wait for a connection",
            self.reads.duration.clone(),
        );
        registry.register(
            "clientele_store_write_duration_seconds",
            "Time of an operation that writes, until it is on the disk",
            self.writes.duration.clone(),
        );
        registry.register(
            "clientele_store_commits",
            "Transactions that wrote; with SQLite one may hold many operations",
            self.commits.clone(),
        );
        registry.register(
            "clientele_store_purged_rows",
            "Rows that were removed because they had ended",
            self.purged.clone(),
        );
        self.register_connections(registry);
    }

    fn register_connections(&self, registry: &mut Registry) {
        registry.register(
            "clientele_store_up",
            "1 while the database answers, checked every five seconds",
            self.up.clone(),
        );
        registry.register(
            "clientele_store_idle_connections",
            "Connections to PostgreSQL that wait for an operation",
            self.idle.clone(),
        );
        registry.register(
            "clientele_store_connections",
            "Connections to PostgreSQL that were made",
            self.connections.clone(),
        );
        registry.register(
            "clientele_store_connection_renewals",
            "How often every connection to PostgreSQL was closed because one of them was lost",
            self.renewals.clone(),
        );
    }
}
