//! Numbers about the Kubernetes side. Labels come from closed sets only.

pub mod rotation;

use std::sync::atomic::{AtomicI64, AtomicU64};

use clientele_telemetry::histogram::AtomicHistogram;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::metrics::rotation::RotationMetrics;

/// The reason in which a pass over an object ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    /// `OAuthClient`, `OAuthTenant` or `OAuthUser`.
    pub kind: &'static str,
    /// The reason of the condition, or `Error`.
    pub reason: &'static str,
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
    /// Passes over objects by outcome.
    pub reconciles: Family<OutcomeLabels, Counter>,
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
    /// Clients, tenants, people and Secrets that are served although the last list lacked them.
    pub brake_held: Gauge<i64, AtomicI64>,
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
        registry.register(
            "clientele_reconciles",
            "Passes over an object by outcome",
            self.reconciles.clone(),
        );
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
            "clientele_brake_held_clients",
            "Clients, tenants, people and Secrets served although the last list lacked them",
            self.brake_held.clone(),
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

    /// Counts a pass.
    pub fn reconciled(&self, kind: &'static str, reason: &'static str) {
        self.reconciles
            .get_or_create(&OutcomeLabels { kind, reason })
            .inc();
    }

    /// Counts a write.
    pub fn wrote(&self, write: &'static str) {
        self.writes.get_or_create(&WriteLabels { write }).inc();
    }
}
