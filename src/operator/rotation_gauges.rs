//! Numbers about rotation: what is overdue, which old secrets still work, and what holds them.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::context::Shared;
use clientele_api::OAuthClient;
use clientele_oauth::client::secret_rotation::{Cause, Observed};

/// How often the clients are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);

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
const HOLDERS: [&str; 3] = ["new_unused", "old_used", "unknown"];

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
            "Clients whose old secret still works, by what holds it",
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

    /// Counts a rotation that begins.
    pub fn begun(&self, cause: Cause) {
        let cause = cause.as_str();
        self.rotations.get_or_create(&CauseLabels { cause }).inc();
    }
}

/// Counts the clients again and again, for ever.
pub async fn count(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(COUNT_EVERY).await;
        count_once(&shared, Timestamp::now());
    }
}

fn count_once(shared: &Shared, now: Timestamp) {
    let (mut overdue, mut oldest, mut held) = (0, now, [0; HOLDERS.len()]);
    let usage = shared.usage.load();
    for object in shared.clients.state() {
        let status = object.status.as_ref();
        let next_at = status.and_then(|s| s.rotation.as_ref()?.next_at.as_ref());
        overdue += i64::from(next_at.is_some_and(|next| next.0 < now));
        let Some(generation) = status.and_then(|s| s.secret_generation.as_ref()) else {
            continue;
        };
        oldest = generation
            .published_at
            .iter()
            .fold(oldest, |at, time| at.min(time.0));
        if generation.overlap.is_some() {
            let uid = object.metadata.uid.as_deref().unwrap_or_default();
            let published = super::domain::client::validate::ledger(&object).published;
            let seen = usage
                .as_ref()
                .and_then(|usage| usage.observed(uid, published));
            held[holder(&object, seen)] += 1;
        }
    }
    for (held_by, count) in HOLDERS.into_iter().zip(held) {
        let labels = HeldLabels { held_by };
        shared
            .metrics
            .rotation
            .overlaps
            .get_or_create(&labels)
            .set(count);
    }
    shared.metrics.rotation.overdue.set(overdue);
    let age = now.duration_since(oldest).as_secs();
    shared.metrics.rotation.oldest_seconds.set(age);
}

/// What holds the old secret of a client, as an index of [`HOLDERS`].
fn holder(object: &OAuthClient, seen: Option<Observed>) -> usize {
    let seen = seen.filter(|_| !object.spec.suspended);
    seen.map_or(2, |seen| usize::from(seen.new.is_some()))
}
