//! Tells other replicas which versions of clients this one serves, and the controller which all of them do: store and
//! controller do not know each other, and meet here by values.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::usage::silent;
use clientele_oauth::client::served_versions::{Versions, difference};
use clientele_operator::registry::rollout::Agreement;
use clientele_store::{Store, StoreError};

/// For so long changes are gathered.
const GATHER: Duration = Duration::from_millis(30);
/// How often others are told at most.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// How often it is looked at what others serve while somebody waits for them.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How soon it is tried again when the store fails.
const RETRY: Duration = Duration::from_secs(1);
/// Who waits for longer is told of.
const LONG: Duration = Duration::from_secs(10);
/// What is said while the store fails.
const UNKNOWN: &str =
    "the operator's database does not answer, so it is not known which replicas serve this version";
/// So many versions of one transaction.
const BATCH: usize = 200;

/// This replica among the others.
pub struct Talk {
    store: Store,
    replica: String,
    agreement: Arc<Agreement>,
    /// How often every replica is heard at least.
    every: Duration,
    told: Versions,
    told_at: Option<Instant>,
    /// When it was looked last why somebody waits for long, and what was found.
    late: Option<(Instant, String)>,
}

impl Talk {
    /// Nothing was told yet.
    pub fn new(store: Store, replica: String, agreement: Arc<Agreement>, every: Duration) -> Self {
        Self {
            store,
            replica,
            agreement,
            every,
            told: Versions::new(),
            told_at: None,
            late: None,
        }
    }

    /// Tells and looks until the shutdown.
    pub async fn talk_until(mut self, shutdown: CancellationToken) {
        let talk = async {
            let mut changes = self.agreement.changes();
            loop {
                let began = Instant::now();
                let pause = match self.talk().await {
                    // With ten thousand new ones a look takes its time.
                    Ok(true) => LOOK_EVERY.max(began.elapsed() * 4),
                    Ok(false) => self.every,
                    Err(error) => {
                        tracing::warn!(%error, "replicas cannot tell each other what they serve; nothing new is said to be ready until they can");
                        self.agreement.explain(LONG, UNKNOWN);
                        RETRY
                    }
                };
                tokio::select! {
                    _ = changes.changed() => tokio::time::sleep(GATHER).await,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        };
        shutdown.run_until_cancelled(talk).await;
    }

    /// Whether there is something to be done soon.
    async fn talk(&mut self) -> Result<bool, StoreError> {
        let is_told = self.tell().await?;
        if !self.agreement.is_awaited() {
            return Ok(!is_told);
        }
        let alive = Timestamp::now().checked_sub(silent(self.every));
        let alive = alive.unwrap_or(Timestamp::MIN);
        self.agreement.reach(self.store.served_by_all(alive).await?);
        self.explain(alive).await?;
        Ok(!is_told || self.agreement.is_awaited())
    }

    /// Says why what is waited for long is not served by every replica: in statuses, and once in the log.
    async fn explain(&mut self, alive: Timestamp) -> Result<(), StoreError> {
        let Some((registration, generation)) = self.agreement.awaited_for(LONG) else {
            self.late = None;
            return Ok(());
        };
        let looked = self.late.as_ref().map(|(at, _)| at.elapsed());
        if looked.is_some_and(|since| since < LONG) {
            return Ok(());
        }
        let without = self.store.replicas_without(alive, registration, generation);
        let why = because_of(&without.await?, silent(self.every));
        if self.late.as_ref().is_none_or(|(_, said)| *said != why) {
            tracing::warn!("a new version of a client is not said to be ready: {why}");
        }
        self.agreement.explain(LONG, &why);
        self.late = Some((Instant::now(), why));
        Ok(())
    }

    /// Tells what is new, now and then everything again; whether that is done.
    async fn tell(&mut self) -> Result<bool, StoreError> {
        let served = self.agreement.served();
        let since = self.told_at.map(|at| at.elapsed());
        let (mut new, gone) = difference(&self.told, &served);
        let all = since.is_none_or(|since| since >= self.every);
        if all {
            new = served.clone().into_iter().collect();
        }
        // Nobody is in a hurry to hear that something need not be waited for.
        if new.is_empty() && (gone.is_empty() || !all) {
            return Ok(true);
        }
        if since.is_some_and(|since| since < TELL_EVERY) {
            return Ok(false);
        }
        self.told_at = Some(Instant::now());
        for new in new.chunks(BATCH) {
            let (replica, new) = (&self.replica, new.to_vec());
            self.store.report_served(replica, new, Vec::new()).await?;
        }
        for gone in gone.chunks(BATCH) {
            let (replica, gone) = (&self.replica, gone.to_vec());
            self.store.report_served(replica, Vec::new(), gone).await?;
        }
        self.told = served;
        Ok(true)
    }
}

/// Why a version is not served everywhere, with the remedy.
fn because_of(without: &[String], silent: Duration) -> String {
    // A replica's ID begins with its name, where it has one.
    let names = without
        .iter()
        .map(|id| id.split_once('_').map_or(&**id, |(name, _)| name));
    let names: Vec<&str> = names.collect();
    let silent = silent.as_secs();
    format!(
        "replica {} has not heard of this version and would refuse it; look at its log, or delete its pod: who is silent for {silent} s is not waited for",
        names.join(", ")
    )
}
