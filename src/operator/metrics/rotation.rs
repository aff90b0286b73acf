//! Metrics of the rotation of client secrets.

use std::sync::atomic::AtomicI64;

use clientele_oauth::client::secret_rotation::Cause;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Why a secret rotated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabels {
    cause: &'static str,
}

/// What keeps an old secret alive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HeldLabels {
    held_by: &'static str,
}

const CAUSES: [Cause; 4] = [
    Cause::Requested,
    Cause::Scheduled,
    Cause::RootKeyRotated,
    Cause::RootKeyWithdrawn,
];

/// What keeps an old secret accepted: the values of the label `held_by`.
pub const HOLDERS: [&str; 3] = ["new_unused", "old_used", "unknown"];

/// The numbers.
#[derive(Debug, Default)]
pub struct RotationMetrics {
    rotations: Family<CauseLabels, Counter>,
    overlaps: Family<HeldLabels, Gauge<i64, AtomicI64>>,
    overdue: Gauge<i64, AtomicI64>,
    oldest_seconds: Gauge<i64, AtomicI64>,
}

impl RotationMetrics {
    /// Publishes the numbers, each label with its first value.
    pub fn register(&self, registry: &mut Registry) {
        for cause in CAUSES {
            let cause = cause.as_str();
            drop(self.rotations.get_or_create(&CauseLabels { cause }));
        }
        for held_by in HOLDERS {
            drop(self.overlaps.get_or_create(&HeldLabels { held_by }));
        }
        registry.register(
            "clientele_rotations",
            "Rotations of client secrets that began, by cause",
            self.rotations.clone(),
        );
        registry.register(
            "clientele_rotation_overlaps",
            "Clients whose old secret still works, by the cause that keeps it valid",
            self.overlaps.clone(),
        );
        registry.register(
            "clientele_rotation_overdue_clients",
            "Clients whose scheduled rotation is due and has not begun",
            self.overdue.clone(),
        );
        registry.register(
            "clientele_oldest_client_secret_seconds",
            "Age of the oldest published client secret",
            self.oldest_seconds.clone(),
        );
    }

    /// Sets the gauges: clients in an overlap by [`HOLDERS`], clients whose rotation is overdue, and the age of the
    /// oldest published secret.
    pub fn set(&self, overlaps: [i64; HOLDERS.len()], overdue: i64, oldest_seconds: i64) {
        for (held_by, count) in HOLDERS.into_iter().zip(overlaps) {
            let labels = HeldLabels { held_by };
            self.overlaps.get_or_create(&labels).set(count);
        }
        self.overdue.set(overdue);
        self.oldest_seconds.set(oldest_seconds);
    }

    /// Counts a rotation that begins.
    pub fn begun(&self, cause: Cause) {
        let cause = cause.as_str();
        self.rotations.get_or_create(&CauseLabels { cause }).inc();
    }
}
