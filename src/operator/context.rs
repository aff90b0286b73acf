//! What nearly every task needs: the connection, the settings, and where to report.

use std::sync::Arc;

use clientele_telemetry::audit::Audit;

use crate::events::{self, EventSink};
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

impl Context {
    /// What is made of a connection and settings, and the task that publishes the Events.
    pub fn new(
        kube: kube::Client,
        settings: Settings,
        metrics: Arc<OperatorMetrics>,
        audit: Arc<Audit>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (events, publish) = events::channel(kube.clone(), metrics.clone(), audit.clone());
        let context = Self {
            kube,
            settings,
            metrics,
            retries: Arc::default(),
            events,
            audit,
        };
        (context, publish)
    }
}
