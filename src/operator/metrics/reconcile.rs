//! Metrics of the work queues and of reconciling, by kind. Labels come from closed sets only.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use clientele_telemetry::histogram::AtomicHistogram;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A kind of objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// How a reconcile of an object ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    kind: &'static str,
    reason: &'static str,
}

/// The kinds that are reconciled.
pub const KINDS: [&str; 3] = ["OAuthClient", "OAuthTenant", "OAuthUser"];
/// Why a reconcile failed and is retried: another writer was first, or the API server did not do what was asked.
pub const ERRORS: [&str; 2] = ["Conflict", "ApiError"];

/// The metrics of one work queue.
#[derive(Clone, Debug)]
pub struct QueueMetrics {
    /// How many objects wait.
    pub depth: Gauge<i64, AtomicI64>,
    /// How long an object waited for its turn.
    pub latency: AtomicHistogram,
}

/// The metrics of reconciling.
#[derive(Debug, Default)]
pub struct ReconcileMetrics {
    outcomes: Family<OutcomeLabels, Counter>,
    errors: Family<OutcomeLabels, Counter>,
    durations: Family<KindLabels, AtomicHistogram>,
    depths: Family<KindLabels, Gauge<i64, AtomicI64>>,
    latencies: Family<KindLabels, AtomicHistogram>,
}

impl ReconcileMetrics {
    /// Publishes the metrics, each kind with its first value.
    pub fn register(&self, registry: &mut Registry) {
        for kind in KINDS {
            drop(self.durations.get_or_create(&KindLabels { kind }));
            self.queue(kind);
            for reason in ERRORS {
                drop(self.errors.get_or_create(&OutcomeLabels { kind, reason }));
            }
        }
        registry.register(
            "clientele_reconciles",
            "Reconciles of an object by kind and by the reason in which they ended",
            self.outcomes.clone(),
        );
        registry.register(
            "clientele_reconcile_errors",
            "Reconciles that failed and are retried, by kind and cause",
            self.errors.clone(),
        );
        registry.register(
            "clientele_reconcile_duration_seconds",
            "Duration of a reconcile",
            self.durations.clone(),
        );
        registry.register(
            "clientele_work_queue_depth",
            "Objects that wait to be reconciled",
            self.depths.clone(),
        );
        registry.register(
            "clientele_work_queue_latency_seconds",
            "Time that an object waits before it is reconciled",
            self.latencies.clone(),
        );
    }

    /// Counts a reconcile that ended in a reason.
    pub fn count(&self, kind: &'static str, reason: &'static str) {
        let labels = OutcomeLabels { kind, reason };
        self.outcomes.get_or_create(&labels).inc();
    }

    /// Counts a reconcile that failed.
    pub fn failed(&self, kind: &'static str, is_conflict: bool) {
        let reason = ERRORS[usize::from(!is_conflict)];
        let labels = OutcomeLabels { kind, reason };
        self.errors.get_or_create(&labels).inc();
    }

    /// Notes how long a reconcile took.
    pub fn took(&self, kind: &'static str, duration: Duration) {
        let durations = self.durations.get_or_create(&KindLabels { kind });
        durations.record(duration);
    }

    /// The metrics of the queue of a kind.
    pub fn queue(&self, kind: &'static str) -> QueueMetrics {
        QueueMetrics {
            depth: self.depths.get_or_create(&KindLabels { kind }).clone(),
            latency: self.latencies.get_or_create(&KindLabels { kind }).clone(),
        }
    }
}
