//! Reports which generations of client secrets are used and on which days clients are, and reads what all replicas have
//! reported. The server, the store and the operator do not depend on each other; this task passes values between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::heartbeat_state::HeartbeatState;
use super::presence::{BEAT, SILENT};
use super::used_days::{UsedDaysExchange, uses_by_uid};
use crate::config::Run;
use clientele_http::admin::Readiness;
use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::{LastUse, Usage, Uses};
use clientele_operator::watch::catch_up::CatchUp;
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

/// The pause before the next try when the store fails.
const RETRY: Duration = Duration::from_secs(1);

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
    /// How it stands with the other replicas, where the store is shared.
    heartbeat_state: Arc<HeartbeatState>,
    used_days: UsedDaysExchange,
    every: Duration,
}

/// Rollouts do not wait for a replica of an earlier version, which does not beat, without a heartbeat for this long. It is shorter than
/// the time after which a replica has expired, because the use of a secret must not be missed.
pub fn heartbeat_timeout(every: Duration) -> Duration {
    (every * 2).max(SHORTEST_TIMEOUT) + IN_FLIGHT
}

impl Reporter {
    /// Nothing is reported yet.
    pub fn new(
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
        Ok(Self {
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
            heartbeat_state: Arc::default(),
            used_days: UsedDaysExchange::default(),
            every: settings.usage_report_interval,
        })
    }

    /// The ID of this replica, unique to this process.
    pub fn replica(&self) -> &str {
        &self.replica
    }

    /// Whether the other replicas wait for this one. Before that it must not receive requests.
    pub fn serves(&self) -> bool {
        self.serving.load(Relaxed)
    }

    /// How this replica stands with the others.
    pub fn heartbeat_state(&self) -> Arc<HeartbeatState> {
        self.heartbeat_state.clone()
    }

    /// Reports until the shutdown, at once when this replica becomes ready and when the shutdown begins, and says every few
    /// seconds that it lives. `catch_up` ends when the registry knows what existed when it was called.
    pub async fn report_until(
        self,
        ready: Readiness,
        catch_up: Arc<CatchUp>,
        shutdown: CancellationToken,
    ) {
        shutdown
            .run_until_cancelled(self.report_forever(ready, catch_up))
            .await;
        if self.store.is_open() {
            self.try_report(false, &mut None).await;
        }
    }

    async fn report_forever(&self, ready: Readiness, catch_up: Arc<CatchUp>) {
        // The first heartbeat comes as early as the store can take it, so that no use is missed.
        let mut due = Instant::now();
        let mut problem = None;
        let mut is_known = false;
        loop {
            let begins = !self.serves() && ready().is_ok();
            let mut heard = true;
            let began = Instant::now();
            if self.store.is_open() && (begins || began >= due) {
                heard = self.try_report(begins || self.serves(), &mut problem).await;
                self.serving.fetch_or(begins && heard, Relaxed);
                if heard && !is_known {
                    self.heartbeat_state.becomes_known();
                }
                is_known = heard;
                due = Instant::now() + if heard { self.every } else { RETRY };
            }
            if heard && self.serves() && self.store.is_shared() {
                heard = self.beat(&catch_up).await;
                // A report makes it known again.
                is_known &= heard;
                due = if heard { due } else { began + RETRY };
            }
            let pause = match (heard, self.serves()) {
                (false, _) => RETRY,
                (true, true) => BEAT.min(self.every),
                (true, false) => CHECK_EVERY,
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Says that this replica lives, and lets those leave that do not. Whether it was heard.
    async fn beat(&self, catch_up: &Arc<CatchUp>) -> bool {
        let began = Instant::now();
        // Without: it was taken for gone, or the store failed, and the next report says why.
        let Ok(Some(beats)) = self.store.beat(&self.replica).await else {
            self.heartbeat_state.fail();
            return false;
        };
        if self.heartbeat_state.is_heard(began) {
            let (heartbeat_state, catch_up) = (self.heartbeat_state.clone(), catch_up.clone());
            tokio::spawn(async move {
                catch_up.run().await;
                heartbeat_state.caught_up(began);
            });
        }
        for (replica, beat) in self.heartbeat_state.hear(&self.replica, beats) {
            let silent = SILENT.as_secs();
            tracing::warn!(
                replica,
                "a replica is silent for {silent} s and is waited for no longer"
            );
            if self.store.leave(&replica, beat).await.is_err() {
                self.heartbeat_state.fail();
            }
        }
        true
    }

    /// The same problem is said once.
    async fn try_report(&self, serving: bool, problem: &mut Option<StoreError>) -> bool {
        let reported = self.report(Timestamp::now(), serving).await.err();
        if let Some(error) = reported
            .as_ref()
            .filter(|error| problem.as_ref() != Some(error))
        {
            tracing::warn!(%error, "could not record the use of client secrets; old secrets stay valid until it is recorded");
        }
        *problem = reported;
        problem.is_none()
    }

    /// Reports for the last time, after the server has stopped.
    pub async fn end(&self) {
        if !self.store.is_open() {
            return;
        }
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
                beats: self.store.is_shared(),
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
