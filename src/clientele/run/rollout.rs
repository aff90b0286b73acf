//! Exchanges with the other replicas, through the store, which versions of clients are served. The store and the operator
//! do not depend on each other; this task passes values between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::heartbeat_state::HeartbeatState;
use super::presence::SILENT;
use super::usage::{Reporter, heartbeat_timeout};
use clientele_oauth::client::served_versions::{Versions, difference};
use clientele_operator::cache::rollout::Rollout;
use clientele_store::{Store, StoreError};

/// How long changes are gathered before they are reported.
const GATHER: Duration = Duration::from_millis(30);
/// The shortest time between two reports of this replica.
const REPORT_EVERY: Duration = Duration::from_millis(250);
/// How often the reports of the others are read while a reconcile waits for them.
const READ_EVERY: Duration = Duration::from_millis(100);
/// The pause before the next attempt when the store fails.
const RETRY: Duration = Duration::from_secs(1);
/// A rollout that takes longer is explained in the status and in the log.
const LATE: Duration = Duration::from_secs(10);
/// The explanation while the store fails.
const UNKNOWN: &str =
    "the operator's database does not answer, so it is not known which replicas serve this version";
/// How many versions one transaction reports.
const BATCH: usize = 200;

/// Reports what this replica serves, and reads what the other replicas serve.
pub struct RolloutExchange {
    store: Store,
    replica: String,
    rollout: Arc<Rollout>,
    heartbeat_state: Arc<HeartbeatState>,
    /// The longest time between two reports of a replica.
    every: Duration,
    reported: Versions,
    reported_at: Option<Instant>,
    /// As which of its lives in the store this replica has reported everything.
    times_known: u64,
    /// When a late rollout was last explained, and how.
    explained: Option<(Instant, String)>,
    /// The last error of the store, if it failed.
    problem: Option<StoreError>,
}

impl RolloutExchange {
    /// Nothing is reported yet.
    pub fn new(store: Store, reporter: &Reporter, rollout: Arc<Rollout>, every: Duration) -> Self {
        Self {
            store,
            replica: reporter.replica().to_owned(),
            rollout,
            heartbeat_state: reporter.heartbeat_state(),
            every,
            reported: Versions::new(),
            reported_at: None,
            times_known: 0,
            explained: None,
            problem: None,
        }
    }

    /// Reports and reads until the shutdown.
    pub async fn run_until(mut self, shutdown: CancellationToken) {
        let exchange = async {
            let mut changes = self.rollout.changes();
            loop {
                let began = Instant::now();
                let pause = match self.exchange().await {
                    // With ten thousand new versions the query takes long.
                    Ok(true) => READ_EVERY.max(began.elapsed() * 4),
                    Ok(false) => self.every,
                    Err(error) => {
                        self.failed(error);
                        RETRY
                    }
                };
                tokio::select! {
                    _ = changes.changed() => tokio::time::sleep(GATHER).await,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        };
        shutdown.run_until_cancelled(exchange).await;
    }

    /// The same error is said once.
    fn failed(&mut self, error: StoreError) {
        self.heartbeat_state.fail();
        self.rollout.explain(LATE, UNKNOWN);
        if self.problem.as_ref() != Some(&error) {
            tracing::warn!(%error, "cannot exchange served versions with other replicas; new versions do not become Ready until this works");
        }
        self.problem = Some(error);
    }

    /// Whether the next exchange is due soon.
    async fn exchange(&mut self) -> Result<bool, StoreError> {
        let is_reported = self.report().await?;
        self.problem = None;
        if !self.rollout.is_awaited() {
            return Ok(!is_reported);
        }
        // After the store failed: a replica that was not heard since may have ended, and another may serve in its place.
        if !self.heartbeat_state.knows_replicas() {
            return Ok(true);
        }
        let alive = Timestamp::now().checked_sub(heartbeat_timeout(self.every));
        let alive = alive.unwrap_or(Timestamp::MIN);
        self.rollout.reach(self.store.served_by_all(alive).await?);
        self.explain(alive).await?;
        Ok(!is_reported || self.rollout.is_awaited())
    }

    /// Explains a late rollout: in the statuses, and once in the log.
    async fn explain(&mut self, alive: Timestamp) -> Result<(), StoreError> {
        let Some((client_uid, generation)) = self.rollout.awaited_for(LATE) else {
            self.explained = None;
            return Ok(());
        };
        let since = self.explained.as_ref().map(|(at, _)| at.elapsed());
        if since.is_some_and(|since| since < LATE) {
            return Ok(());
        }
        let without = self.store.replicas_without(alive, client_uid, generation);
        let why = explanation(&without.await?);
        if self.explained.as_ref().is_none_or(|(_, last)| *last != why) {
            tracing::warn!("a new version of a client does not become Ready: {why}");
        }
        self.rollout.explain(LATE, &why);
        self.explained = Some((Instant::now(), why));
        Ok(())
    }

    /// Reports the versions that are new, and all of them when `every` has passed or when this replica became known again: what
    /// an unknown replica says is removed with the next one that leaves. Whether everything is reported.
    async fn report(&mut self) -> Result<bool, StoreError> {
        let times_known = self.heartbeat_state.times_known();
        if times_known == 0 {
            return Ok(false);
        }
        let served = self.rollout.served();
        let since = self.reported_at.map(|at| at.elapsed());
        let (mut new, removed) = difference(&self.reported, &served);
        let is_overdue = since.is_none_or(|since| since >= self.every);
        let all = is_overdue || times_known != self.times_known;
        if all {
            new = served.clone().into_iter().collect();
        }
        // A removal alone is not urgent: no replica waits for it.
        if new.is_empty() && (removed.is_empty() || !all) {
            self.times_known = times_known;
            return Ok(true);
        }
        if since.is_some_and(|since| since < REPORT_EVERY) {
            return Ok(false);
        }
        self.reported_at = Some(Instant::now());
        for new in new.chunks(BATCH) {
            let (replica, new) = (&self.replica, new.to_vec());
            self.store.report_served(replica, new, Vec::new()).await?;
        }
        for removed in removed.chunks(BATCH) {
            let (replica, removed) = (&self.replica, removed.to_vec());
            let reported = self.store.report_served(replica, Vec::new(), removed);
            reported.await?;
        }
        self.reported = served;
        self.times_known = times_known;
        Ok(true)
    }
}

/// Why some replicas do not serve a version, with the remedy.
fn explanation(without: &[String]) -> String {
    // The ID of a replica begins with its name, if it has one.
    let names = without
        .iter()
        .map(|id| id.split_once('_').map_or(&**id, |(name, _)| name));
    let names: Vec<&str> = names.collect();
    let silent = SILENT.as_secs();
    format!(
        "replica {} does not serve this version yet and would refuse it; check its log, or delete its pod: a replica that is silent for {silent} s is not waited for",
        names.join(", ")
    )
}
