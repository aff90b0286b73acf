//! The rows of the list in memory: listed once, then kept by a watch, so that a search does not ask the API server.

mod discover;
mod follow;
mod kept;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::cluster::Cluster;
use crate::problem::Problem;
pub use discover::Scope;
use discover::discover;
use follow::follow;
pub use kept::{Kept, Key};

/// The most choices of typed namespaces that are followed at the same time.
const MOST_CHOICES: usize = 4;
/// The most streams of changes of one person: browsers allow six connections to one server, and pages need the others.
const MOST_STREAMS: usize = 4;

/// The rows of one person, or none yet.
pub struct Rows {
    /// One list, or one for each choice of typed namespaces: two tabs may show different ones. The last is the youngest.
    kept: Mutex<Vec<Arc<Kept>>>,
    loading: tokio::sync::Mutex<()>,
    changes: watch::Sender<u64>,
    ended: AtomicBool,
    /// A permit for each stream of changes that may be open.
    streams: Arc<Semaphore>,
}

impl Rows {
    /// Nothing is read before the first request.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            kept: Mutex::new(Vec::new()),
            loading: tokio::sync::Mutex::new(()),
            changes: watch::Sender::new(0),
            ended: AtomicBool::new(false),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        })
    }

    /// A place for one more stream of changes until it is dropped; `None` if as many are open as a person may have.
    pub fn stream(&self) -> Option<OwnedSemaphorePermit> {
        self.streams.clone().try_acquire_owned().ok()
    }

    /// The rows. `typed` are namespaces to list where the person may list neither everywhere nor namespaces.
    pub async fn read(
        self: &Arc<Self>,
        cluster: &Cluster,
        typed: &[String],
    ) -> Result<Arc<Kept>, Problem> {
        let _one_at_a_time = self.loading.lock().await;
        if let Some(kept) = self.usable(typed) {
            return Ok(kept);
        }
        let (kept, versions) = Kept::new(discover(cluster, typed).await?);
        let kept = Arc::new(kept);
        let followed = tokio::spawn(follow(
            self.changes.clone(),
            cluster.clone(),
            kept.clone(),
            versions,
        ));
        kept.followed_by(followed.abort_handle());
        self.keep(&kept);
        Ok(kept)
    }

    /// In the place of those that cover the same.
    fn keep(&self, young: &Arc<Kept>) {
        let mut all = self.kept();
        let (same, mut others): (Vec<_>, Vec<_>) = all.drain(..).partition(|old| {
            let typed = matches!(
                (&old.scope, &young.scope),
                (Scope::Typed(_), Scope::Typed(_))
            );
            !typed || old.scope == young.scope
        });
        let surplus = others.len().saturating_sub(MOST_CHOICES - 1);
        for old in same.into_iter().chain(others.drain(..surplus)) {
            old.end();
        }
        others.push(young.clone());
        *all = others;
        drop(all);
        // The credentials may have ended while the list was on its way.
        if self.ended() {
            young.end();
        }
    }

    /// The next request lists again, so that a person sees what this person wrote.
    pub fn forget(&self) {
        for kept in self.kept().iter() {
            kept.outdate();
        }
        self.changed();
    }

    /// Ends the watches, because the credentials that opened them have ended, and every stream of changes.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        for kept in self.kept().drain(..) {
            kept.end();
        }
        self.changed();
    }

    /// Whether [`Rows::end`] was called.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Counts changes of the rows, for live pages.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn usable(&self, typed: &[String]) -> Option<Arc<Kept>> {
        let all = self.kept();
        let usable = |kept: &&Arc<Kept>| kept.serves(typed);
        all.iter().find(usable).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arc<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
