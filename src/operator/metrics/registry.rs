//! Numbers about the registry: what the server accepts.

use std::sync::atomic::{AtomicI64, AtomicU64};

use clientele_telemetry::histogram::AtomicHistogram;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The numbers of the registry.
#[derive(Debug, Default)]
pub struct RegistryMetrics {
    /// Its revision.
    pub revision: Gauge<i64, AtomicI64>,
    /// The clients in it.
    pub clients: Gauge<i64, AtomicI64>,
    /// OAuthClients that are refused.
    pub refused: Gauge<i64, AtomicI64>,
    /// The users in it.
    pub users: Gauge<i64, AtomicI64>,
    /// How often the registry was not what the objects say. Must stay 0.
    pub differences: Counter,
    /// How long the last rebuild took.
    pub rebuild_seconds: Gauge<f64, AtomicU64>,
    /// From when the watch brought a change of an OAuthClient to the registry that serves it.
    pub propagation: AtomicHistogram,
}

impl RegistryMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "clientele_registry_revision",
            "How often the registry was rebuilt",
            self.revision.clone(),
        );
        registry.register(
            "clientele_registry_clients",
            "Clients in the registry",
            self.clients.clone(),
        );
        registry.register(
            "clientele_registry_refused_clients",
            "OAuthClients that no registry accepts as they are",
            self.refused.clone(),
        );
        registry.register(
            "clientele_registry_users",
            "Users in the registry",
            self.users.clone(),
        );
        registry.register(
            "clientele_registry_rebuild_seconds",
            "Duration of the last rebuild of the registry",
            self.rebuild_seconds.clone(),
        );
        registry.register(
            "clientele_registry_differences",
            "Differences between the registry and what it is made of, each repaired; must stay 0",
            self.differences.clone(),
        );
        registry.register(
            "clientele_propagation_seconds",
            "Time from a change of an OAuthClient on the watch to the registry that serves it",
            self.propagation.clone(),
        );
    }
}
