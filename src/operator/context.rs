//! What nearly every task needs: the connection, the settings, and where to report.

use std::sync::Arc;

use clientele_telemetry::audit::Audit;

use crate::events::EventSink;
use crate::list::retry::RetryLimit;
use crate::metrics::OperatorMetrics;
use crate::settings::Settings;

/// The connection, the settings, and where to report.
pub struct Context {
    /// The connection to the API server.
    pub kube: kube::Client,
    /// How the operator was configured.
    pub settings: Settings,
    /// The metrics of the operator.
    pub metrics: Arc<OperatorMetrics>,
    /// How often watches that failed begin again, all of them together.
    pub retries: Arc<RetryLimit>,
    /// Kubernetes Events about the objects.
    pub events: EventSink,
    /// The audit log.
    pub audit: Arc<Audit>,
}
