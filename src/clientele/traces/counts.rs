//! What became of the spans that were recorded.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    outcome: &'static str,
}

/// Counts spans by outcome. Clones share it.
#[derive(Clone, Debug)]
pub struct TraceCounts {
    spans: Family<Labels, Counter>,
    /// The collector accepted them.
    pub exported: Counter,
    /// The collector did not: it was away, too slow, or refused them.
    pub failed: Counter,
    /// There was no room for them while others waited.
    pub dropped: Counter,
}

impl Default for TraceCounts {
    fn default() -> Self {
        let spans = Family::<Labels, Counter>::default();
        let count = |outcome| spans.get_or_create_owned(&Labels { outcome });
        Self {
            exported: count("exported"),
            failed: count("failed"),
            dropped: count("dropped"),
            spans,
        }
    }
}

impl TraceCounts {
    /// Makes them visible.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "clientele_trace_spans",
            "Spans of traces by outcome: exported, failed (the collector did not accept them), dropped (too many waited for it)",
            self.spans.clone(),
        );
    }
}
