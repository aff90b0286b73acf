//! Numbers about the Kubernetes side. Labels come from closed sets only.

pub mod reconcile;
pub mod registry;
pub mod rotation;
pub mod watch;

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::metrics::reconcile::ReconcileMetrics;
use crate::metrics::registry::RegistryMetrics;
use crate::metrics::rotation::RotationMetrics;
use crate::metrics::watch::WatchMetrics;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WriteLabels {
    /// `secret_create`, `secret_replace`, `secret_delete`, `status`.
    pub write: &'static str,
}

/// The numbers of the Kubernetes side.
#[derive(Debug, Default)]
pub struct OperatorMetrics {
    /// Reconciles and the queues before them.
    pub reconcile: ReconcileMetrics,
    /// Writes to the API server.
    pub writes: Family<WriteLabels, Counter>,
    /// Events that were not published because too many waited.
    pub events_dropped: Counter,
    /// The registry.
    pub registry: RegistryMetrics,
    /// The watches.
    pub watch: WatchMetrics,
    /// Rotations of client secrets.
    pub rotation: RotationMetrics,
    /// 1 while this replica writes.
    pub leader: Gauge<i64, AtomicI64>,
    /// 1 while the definitions in the cluster are older than this program.
    pub definitions_outdated: Gauge<i64, AtomicI64>,
    /// 1 while the root key is usable.
    pub root_key_usable: Gauge<i64, AtomicI64>,
}

impl OperatorMetrics {
    /// Publishes the numbers.
    pub fn register(&self, registry: &mut Registry) {
        self.reconcile.register(registry);
        registry.register(
            "clientele_writes",
            "Writes to the API server",
            self.writes.clone(),
        );
        registry.register(
            "clientele_events_dropped",
            "Events dropped because the queue was full",
            self.events_dropped.clone(),
        );
        self.registry.register(registry);
        self.watch.register(registry);
        self.rotation.register(registry);
        registry.register(
            "clientele_leader",
            "1 while this replica is the leader and writes, otherwise 0",
            self.leader.clone(),
        );
        registry.register(
            "clientele_crds_outdated",
            "1 while the CustomResourceDefinitions in the cluster lack fields of this version",
            self.definitions_outdated.clone(),
        );
        registry.register(
            "clientele_root_key_usable",
            "1 while the root key is usable, 0 while the operator refuses to derive client secrets",
            self.root_key_usable.clone(),
        );
    }

    /// Counts a reconcile.
    pub fn reconciled(&self, kind: &'static str, reason: &'static str) {
        self.reconcile.count(kind, reason);
    }

    /// Counts a write.
    pub fn wrote(&self, write: &'static str) {
        self.writes.get_or_create(&WriteLabels { write }).inc();
    }
}

/// A number of things as the value of a gauge.
pub fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
