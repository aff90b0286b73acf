//! Numbers about the watches and what they bring.

mod age;

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub use age::{WatchAge, WatchAges};

/// What is held although a list lacked it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HeldKind {
    /// The kind, or for Secrets what they hold.
    pub kind: &'static str,
}

/// The numbers of the watches.
#[derive(Debug, Default)]
pub struct WatchMetrics {
    /// Objects and Secrets that are served although the last list lacked them, by kind.
    pub relist_guard_held: Family<HeldKind, Gauge<i64, AtomicI64>>,
    /// How long ago each watch heard something.
    pub ages: WatchAges,
    /// Watches that failed and were started again.
    pub errors: Counter,
    /// Objects that could not be read.
    pub invalid_objects: Counter,
}

impl WatchMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "clientele_relist_guard_held_objects",
            "Objects and Secrets that are served although the last list lacked them",
            self.relist_guard_held.clone(),
        );
        registry.register_collector(Box::new(self.ages.clone()));
        registry.register(
            "clientele_watch_errors",
            "Watches that failed and were started again",
            self.errors.clone(),
        );
        registry.register(
            "clientele_invalid_objects",
            "Objects that could not be read, which count as absent",
            self.invalid_objects.clone(),
        );
    }

    /// The gauge of what is held of a kind although a list lacked it.
    pub fn held(&self, kind: &'static str) -> Gauge<i64, AtomicI64> {
        let held = self.relist_guard_held.get_or_create(&HeldKind { kind });
        held.clone()
    }
}
