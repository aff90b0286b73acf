//! The metrics of the process, and what records them.

use std::sync::Arc;

use prometheus_client::registry::Registry;

use super::{build_info, process};
use crate::traces::counts::TraceCounts;
use clientele_http::metrics::TokenMetrics;
use clientele_operator::metrics::OperatorMetrics;
use clientele_telemetry::audit::Audit;

/// The registry that `/metrics` exposes. The store and the token reviews are registered once they exist.
pub struct Metrics {
    /// Everything that is registered.
    pub registry: Registry,
    /// Recorded by the token endpoint.
    pub tokens: Arc<TokenMetrics>,
    /// Recorded by the operator.
    pub operator: Arc<OperatorMetrics>,
    /// The audit log, which counts its events.
    pub audit: Arc<Audit>,
}

impl Metrics {
    /// Registers what does not depend on a connection.
    pub fn new(audit: Audit, traces: &TraceCounts) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            tokens: Arc::default(),
            operator: Arc::default(),
            audit: Arc::new(audit),
        };
        build_info::register(&mut metrics.registry);
        process::register(&mut metrics.registry);
        traces.register(&mut metrics.registry);
        metrics.audit.register(&mut metrics.registry);
        metrics.tokens.register(&mut metrics.registry);
        metrics.operator.register(&mut metrics.registry);
        metrics
    }
}
