//! Numbers about the Kubernetes side. Labels come from closed sets only.

pub mod reconcile;
pub mod rotation;

use std::sync::atomic::{AtomicI64, AtomicU64};

use clientele_telemetry::histogram::AtomicHistogram;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::metrics::reconcile::ReconcileMetrics;
use crate::metrics::rotation::RotationMetrics;

/// What is held although a list lacked it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HeldKind {
    /// The kind, or for Secrets what they hold.
    pub kind: &'static str,
}

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
    /// The revision of the registry.
    pub registry_revision: Gauge<i64, AtomicI64>,
    /// The clients in the registry.
    pub registry_clients: Gauge<i64, AtomicI64>,
    /// OAuthClients that are not accepted as they are.
    pub registry_refused: Gauge<i64, AtomicI64>,
    /// The people in the registry.
    pub registry_people: Gauge<i64, AtomicI64>,
    /// How long the last rebuild took.
    pub registry_rebuild_seconds: Gauge<f64, AtomicU64>,
    /// From when the watch brought a change of an OAuthClient to the registry that serves it.
    pub propagation: AtomicHistogram,
    /// Objects and Secrets that are served although the last list lacked them, by kind.
    pub relist_guard_held: Family<HeldKind, Gauge<i64, AtomicI64>>,
    /// Watches that failed and were started again.
    pub watch_errors: Counter,
    /// Objects that could not be read.
    pub invalid_objects: Counter,
    /// Rotations of client secrets.
    pub rotation: RotationMetrics,
    /// 1 while this replica writes.
    pub leader: Gauge<i64, AtomicI64>,
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
            "Events not published because too many waited",
            self.events_dropped.clone(),
        );
        self.register_registry(registry);
        registry.register(
            "clientele_relist_guard_held_objects",
            "Objects and Secrets that are served although the last list lacked them",
            self.relist_guard_held.clone(),
        );
        registry.register(
            "clientele_watch_errors",
            "Watches that failed and were started again",
            self.watch_errors.clone(),
        );
        registry.register(
            "clientele_invalid_objects",
            "Objects that could not be read",
            self.invalid_objects.clone(),
        );
        self.rotation.register(registry);
        registry.register(
            "clientele_leader",
            "1 while this replica writes, 0 while another one does",
            self.leader.clone(),
        );
        registry.register(
            "clientele_root_key_usable",
            "1 while the root key is usable, 0 while the operator refuses to derive",
            self.root_key_usable.clone(),
        );
    }

    /// Those about what is served.
    fn register_registry(&self, registry: &mut Registry) {
        registry.register(
            "clientele_registry_revision",
            "How often the registry was rebuilt",
            self.registry_revision.clone(),
        );
        registry.register(
            "clientele_registry_clients",
            "Clients in the registry",
            self.registry_clients.clone(),
        );
        registry.register(
            "clientele_registry_refused_clients",
            "OAuthClients that are not accepted as they are",
            self.registry_refused.clone(),
        );
        registry.register(
            "clientele_registry_people",
            "Users in the registry",
            self.registry_people.clone(),
        );
        registry.register(
            "clientele_registry_rebuild_seconds",
            "Duration of the last rebuild of the registry",
            self.registry_rebuild_seconds.clone(),
        );
        registry.register(
            "clientele_propagation_seconds",
            "Time from a change of an OAuthClient on the watch to the registry that serves it",
            self.propagation.clone(),
        );
    }

    /// Counts a reconcile.
    pub fn reconciled(&self, kind: &'static str, reason: &'static str) {
        self.reconcile.count(kind, reason);
    }

    /// The gauge of what is held of a kind although a list lacked it.
    pub fn held(&self, kind: &'static str) -> Gauge<i64, AtomicI64> {
        let held = self.relist_guard_held.get_or_create(&HeldKind { kind });
        held.clone()
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
