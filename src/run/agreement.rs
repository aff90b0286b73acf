//! Tells other replicas which versions of clients this one serves, and the controller which all of them do: store and
//! controller do not know each other, and meet here by values.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::usage::silent;
use crate::controller::agreement::Agreement;
use crate::oauth::versions::{Versions, difference};
use crate::store::{Store, StoreError};

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
    /// Since when somebody waits without a pause, and whether that was said.
    waiting: Option<(Instant, bool)>,
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
            waiting: None,
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
        if self.agreement.is_awaited() {
            let alive = Timestamp::now().checked_sub(silent(self.every));
            let alive = alive.unwrap_or(Timestamp::MIN);
            self.agreement.reach(self.store.served_by_all(alive).await?);
        }
        let waits = self.agreement.is_awaited();
        self.note_waiting(waits);
        Ok(!is_told || waits)
    }

    fn note_waiting(&mut self, waits: bool) {
        let now = Instant::now();
        self.waiting = waits.then(|| self.waiting.unwrap_or((now, false)));
        if let Some((since, said @ false)) = &mut self.waiting
            && since.elapsed() > LONG
        {
            *said = true;
            let silent = silent(self.every);
            tracing::warn!(
                "a new version of a client is not served by every replica yet, so it is not said to be ready; a replica that is silent for {silent:?} is not waited for"
            );
        }
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
            self.store.tell_served(replica, new, Vec::new()).await?;
        }
        for gone in gone.chunks(BATCH) {
            let (replica, gone) = (&self.replica, gone.to_vec());
            self.store.tell_served(replica, Vec::new(), gone).await?;
        }
        self.told = served;
        Ok(true)
    }
}
