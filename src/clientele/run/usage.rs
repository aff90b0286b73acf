//! Reports which generations of client secrets are in use, and brings back what all replicas have seen: server, store
//! and controller do not know each other, and meet here by values.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::Context;
use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::config::Run;
use clientele_http::admin::Readiness;
use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::{LastUse, Usage, Uses};
use clientele_store::{Hear, Store, StoreError};

/// So many reports of one transaction.
const BATCH: usize = 200;
/// A replica that has not reported this many times in a row counts no longer.
const MISSED: u32 = 5;
/// The shortest time after which a replica counts no longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether this replica can serve.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A request takes its time before it authenticates; what it notes may be so much older than the report after it.
const IN_FLIGHT: Duration = Duration::from_secs(1);

/// Reports for this replica.
#[derive(Clone)]
pub struct Reporter {
    store: Store,
    registry: Arc<ArcSwap<Registry>>,
    usage: Arc<ArcSwapOption<Usage>>,
    replica: String,
    /// The name that no other replica has at the same time, if there is one.
    name: Option<String>,
    /// Others know that this replica serves.
    serving: Arc<AtomicBool>,
    every: Duration,
}

/// A replica that was silent for longer is not waited for when a client is to be ready. It is less than what its use of
/// secrets is waited for: that must not be missed.
pub fn silent(every: Duration) -> Duration {
    (every * 2).max(PATIENCE) + IN_FLIGHT
}

impl Reporter {
    /// Makes itself heard before anything is served, so that no use can be missed.
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
            every: settings.usage_report_interval,
        };
        let heard = reporter.report(Timestamp::now(), false).await;
        heard.context("the use of client secrets cannot be recorded in the database")?;
        Ok(reporter)
    }

    /// Which replica this is; nobody had this name before.
    pub fn replica(&self) -> &str {
        &self.replica
    }

    /// Whether others know that this replica serves, and wait for it. Before that nobody must be sent here.
    pub fn serves(&self) -> bool {
        self.serving.load(Relaxed)
    }

    /// Reports again and again until the shutdown, and at once when this replica can serve and when it begins to end.
    pub async fn report_until(self, ready: Readiness, shutdown: CancellationToken) {
        let reports = async {
            let mut due = Instant::now() + self.every;
            loop {
                let pause = if self.serves() {
                    self.every
                } else {
                    LOOK_EVERY
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
            tracing::warn!(%error, "the use of client secrets could not be recorded; old ones work on until it is");
        }
        reported.is_ok()
    }

    /// Reports for the last time: nothing is served any more.
    pub async fn end(&self) {
        let ended = async {
            self.report(Timestamp::now(), false).await?;
            self.store.leave(&self.replica).await
        };
        if let Err(error) = ended.await {
            tracing::warn!(%error, "the last use of client secrets could not be recorded; old ones work on for longer");
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
        let dead = before((self.every * MISSED).max(PATIENCE));
        self.store
            .hear(Hear {
                replica: self.replica.clone(),
                name: self.name.clone(),
                serving,
                reported: before(IN_FLIGHT),
                dead,
                now,
            })
            .await?;
        let mut usage = self.store.usage(in_overlap(&registry)).await?;
        let keyring = registry.keyring.as_ref();
        // Only a former root key that is to leave makes anybody ask.
        if let (Some(usage), true) = (&mut usage, keyring.is_some_and(|k| k.keys().len() > 1)) {
            usage.oldest_sign_in = Some(self.store.oldest_sign_in(now).await?);
        }
        self.usage.store(usage.map(Arc::new));
        Ok(())
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

/// The registrations of which an old generation still works; of others nobody wants to know.
fn in_overlap(registry: &Registry) -> Vec<String> {
    let clients = registry.tenants.values().flat_map(|t| t.clients.values());
    clients
        .filter(|client| client.oldest_accepted < client.uses.published())
        .map(|client| client.uid.to_string())
        .collect()
}
