//! Reports which generations of client secrets are used and on which days clients are, and reads what all replicas have
//! reported. The server, the store and the operator do not depend on each other; this task passes values between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::Context;
use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::used_days::{UsedDaysExchange, uses_by_uid};
use crate::config::Run;
use clientele_http::admin::Readiness;
use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::{LastUse, Usage, Uses};
use clientele_store::{Heartbeat, Store, StoreError};

/// How many uses one transaction reports.
const BATCH: usize = 200;
/// After this many missed heartbeats a replica has expired.
const MISSED_HEARTBEATS: u32 = 5;
/// The shortest time after which a replica has expired.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the readiness of this replica is checked until it is ready.
const CHECK_EVERY: Duration = Duration::from_millis(50);
/// A request may record a use that is this much older than the report after it: it read the clock when it began.
const IN_FLIGHT: Duration = Duration::from_secs(1);

/// Reports for this replica.
#[derive(Clone)]
pub struct Reporter {
    store: Store,
    registry: Arc<ArcSwap<Registry>>,
    usage: Arc<ArcSwapOption<Usage>>,
    replica: String,
    /// The name, if there is one; no other replica has it at the same time.
    name: Option<String>,
    /// A heartbeat that announces this replica as serving was recorded.
    serving: Arc<AtomicBool>,
    used_days: UsedDaysExchange,
    every: Duration,
}

/// Rollouts do not wait for a replica without a heartbeat for this long. It is shorter than the time after which a replica
/// has expired, because the use of a secret must not be missed.
pub fn heartbeat_timeout(every: Duration) -> Duration {
    (every * 2).max(SHORTEST_TIMEOUT) + IN_FLIGHT
}

impl Reporter {
    /// Sends the first heartbeat, before anything is served, so that no use can be missed.
    pub async fn begin(
        store: Store,
        registry: Arc<ArcSwap<Registry>>,
        usage: Arc<ArcSwapOption<Usage>>,
        settings: &Run,
    ) -> anyhow::Result<Self> {
        let name = settings.replica_name.clone();
        let mut id = [0; 8];
        aws_lc_rs::rand::fill(&mut id)
            .map_err(|_| anyhow::anyhow!("the random source failed; the replica has no ID"))?;
        let id = format!("{:016x}", u64::from_be_bytes(id));
        let reporter = Self {
            store,
            registry,
            usage,
            replica: name
                .iter()
                .map(|name| format!("{name}_"))
                .chain([id])
                .collect(),
            name,
            serving: Arc::default(),
            used_days: UsedDaysExchange::default(),
            every: settings.usage_report_interval,
        };
        let heard = reporter.report(Timestamp::now(), false).await;
        heard.context("the use of client secrets cannot be recorded in the database")?;
        Ok(reporter)
    }

    /// The ID of this replica, unique to this process.
    pub fn replica(&self) -> &str {
        &self.replica
    }

    /// Whether the other replicas wait for this one. Before that it must not receive requests.
    pub fn serves(&self) -> bool {
        self.serving.load(Relaxed)
    }

    /// Reports until the shutdown, and at once when this replica becomes ready and when the shutdown begins.
    pub async fn report_until(self, ready: Readiness, shutdown: CancellationToken) {
        let reports = async {
            let mut due = Instant::now() + self.every;
            loop {
                let pause = if self.serves() {
                    self.every
                } else {
                    CHECK_EVERY
                };
                tokio::time::sleep(pause).await;
                let begins = !self.serves() && ready().is_ok();
                if begins || Instant::now() >= due {
                    let known = self.try_report(begins || self.serves()).await;
                    self.serving.fetch_or(begins && known, Relaxed);
                    due = Instant::now() + self.every;
                }
            }
        };
        shutdown.run_until_cancelled(reports).await;
        self.try_report(false).await;
    }

    async fn try_report(&self, serving: bool) -> bool {
        let reported = self.report(Timestamp::now(), serving).await;
        if let Err(error) = &reported {
            tracing::warn!(%error, "could not record the use of client secrets; old secrets stay valid until it is recorded");
        }
        reported.is_ok()
    }

    /// Reports for the last time, after the server has stopped.
    pub async fn end(&self) {
        let ended = async {
            self.report(Timestamp::now(), false).await?;
            self.store.remove_replica(&self.replica).await
        };
        if let Err(error) = ended.await {
            tracing::warn!(%error, "could not record the last use of client secrets; old secrets stay valid longer");
        }
    }

    async fn report(&self, now: Timestamp, serving: bool) -> Result<(), StoreError> {
        let before = |time: Duration| now.checked_sub(time).unwrap_or(Timestamp::MIN);
        let registry = self.registry.load_full();
        let unreported = unreported(&registry);
        for batch in unreported.chunks(BATCH) {
            let uses = batch.iter().map(|(_, last)| last.clone()).collect();
            self.store.report_uses(uses).await?;
            for (uses, last) in batch {
                uses.is_reported(last);
            }
        }
        let expired_before = before((self.every * MISSED_HEARTBEATS).max(SHORTEST_TIMEOUT));
        self.store
            .heartbeat(Heartbeat {
                replica: self.replica.clone(),
                name: self.name.clone(),
                serving,
                reported: before(IN_FLIGHT),
                expired_before,
                now,
            })
            .await?;
        let mut usage = self.store.usage(in_overlap(&registry)).await?;
        let keyring = registry.keyring.as_ref();
        // Only needed while a former root key waits to be removed.
        if let (Some(usage), true) = (&mut usage, keyring.is_some_and(|k| k.keys().len() > 1)) {
            usage.oldest_sign_in = Some(self.store.oldest_sign_in(now).await?);
        }
        self.usage.store(usage.map(Arc::new));
        let (store, uses) = (&self.store, uses_by_uid(&registry));
        self.used_days.exchange(store, &uses, serving, now).await
    }
}

fn unreported(registry: &Registry) -> Vec<(Arc<Uses>, LastUse)> {
    let clients = registry.tenants.values().flat_map(|t| t.clients.values());
    clients
        .flat_map(|client| {
            let last = client.uses.unreported(&client.uid);
            last.map(|last| (client.uses.clone(), last))
        })
        .collect()
}

/// The UIDs of the clients whose old secret is still accepted.
fn in_overlap(registry: &Registry) -> Vec<String> {
    let clients = registry.tenants.values().flat_map(|t| t.clients.values());
    clients
        .filter(|client| client.oldest_accepted < client.uses.published())
        .map(|client| client.uid.to_string())
        .collect()
}
