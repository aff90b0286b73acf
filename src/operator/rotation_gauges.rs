//! Numbers about rotation: what is overdue, which old secrets still work, and what holds them.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use clientele_api::OAuthClient;
use clientele_oauth::client::secret_rotation::Observed;
use clientele_oauth::client::secret_usage::Usage;
use jiff::Timestamp;

use crate::cache::objects::Objects;
use crate::domain::kept::Kept;
use crate::metrics::OperatorMetrics;
use crate::metrics::rotation::HOLDERS;

/// How often the clients are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// How many are counted before others have their turn.
const AT_ONCE: usize = 1000;

/// Counts the clients again and again, for ever.
pub async fn count(
    metrics: Arc<OperatorMetrics>,
    clients: Objects<OAuthClient>,
    usage: Arc<ArcSwapOption<Usage>>,
) {
    loop {
        tokio::time::sleep(COUNT_EVERY).await;
        let (usage, now) = (usage.load_full(), Timestamp::now());
        let mut tally = Tally {
            overdue: 0,
            oldest: now,
            held: [0; HOLDERS.len()],
        };
        for objects in clients.all().chunks(AT_ONCE) {
            tally.count(objects, usage.as_deref(), now);
            tokio::task::yield_now().await;
        }
        let age = now.duration_since(tally.oldest).as_secs();
        metrics.rotation.set(tally.held, tally.overdue, age);
    }
}

/// What was counted so far.
struct Tally {
    overdue: i64,
    oldest: Timestamp,
    held: [i64; HOLDERS.len()],
}

impl Tally {
    fn count(&mut self, objects: &[Arc<Kept<OAuthClient>>], usage: Option<&Usage>, now: Timestamp) {
        for object in objects {
            self.count_one(object, usage, now);
        }
    }

    fn count_one(&mut self, object: &Kept<OAuthClient>, usage: Option<&Usage>, now: Timestamp) {
        let next_at = object.next_rotation_at();
        self.overdue += i64::from(next_at.is_some_and(|next| next < now));
        self.oldest = self.oldest.min(object.secret_published_at().unwrap_or(now));
        if let Some(published) = object.published_in_overlap() {
            let seen = usage.and_then(|usage| usage.observed(object.uid(), published));
            self.held[holder(object, seen)] += 1;
        }
    }
}

/// What holds the old secret of a client, as an index of [`HOLDERS`].
fn holder(object: &Kept<OAuthClient>, seen: Option<Observed>) -> usize {
    let seen = seen.filter(|_| !object.is_suspended());
    seen.map_or(2, |seen| usize::from(seen.new.is_some()))
}
