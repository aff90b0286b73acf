//! Numbers about rotation: what is overdue, which old secrets still work, and what holds them.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use clientele_api::OAuthClient;
use clientele_oauth::client::secret_rotation::Observed;
use clientele_oauth::client::secret_usage::Usage;
use jiff::Timestamp;
use kube::runtime::reflector::Store;

use crate::domain::client::identity::ClientObject;
use crate::metrics::OperatorMetrics;
use crate::metrics::rotation::{HOLDERS, RotationMetrics};

/// How often the clients are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// Counts the clients again and again, for ever.
pub async fn count(
    metrics: Arc<OperatorMetrics>,
    clients: Store<OAuthClient>,
    usage: Arc<ArcSwapOption<Usage>>,
) {
    loop {
        tokio::time::sleep(COUNT_EVERY).await;
        let usage = usage.load();
        count_once(
            &metrics.rotation,
            &clients,
            usage.as_deref(),
            Timestamp::now(),
        );
    }
}

fn count_once(
    metrics: &RotationMetrics,
    clients: &Store<OAuthClient>,
    usage: Option<&Usage>,
    now: Timestamp,
) {
    let (mut overdue, mut oldest, mut held) = (0, now, [0; HOLDERS.len()]);
    for object in clients.state() {
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
            let published = ClientObject::parse(&object).ledger.published;
            let seen = usage.and_then(|usage| usage.observed(uid, published));
            held[holder(&object, seen)] += 1;
        }
    }
    let age = now.duration_since(oldest).as_secs();
    metrics.set(held, overdue, age);
}

/// What holds the old secret of a client, as an index of [`HOLDERS`].
fn holder(object: &OAuthClient, seen: Option<Observed>) -> usize {
    let seen = seen.filter(|_| !object.spec.suspended);
    seen.map_or(2, |seen| usize::from(seen.new.is_some()))
}
