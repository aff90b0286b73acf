//! The root keys as far as they are known.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use clientele_oauth::{Keyring, Registry};
use tokio::sync::{Mutex, MutexGuard};

/// The root keys as they were last read.
#[derive(Clone, Debug, Default)]
pub struct KnownRootKeys {
    /// They verify; kept in memory when the Secret is lost while we run.
    pub verifying: Option<Arc<Keyring>>,
    /// Why nothing may be derived now.
    pub problem: Option<String>,
    /// The IDs of those that were withdrawn and still lie in a Secret of ours.
    pub left: Vec<String>,
}

impl KnownRootKeys {
    /// Whether nothing is known of them yet.
    pub fn is_pending(&self) -> bool {
        self.verifying.is_none() && self.problem.is_none()
    }

    /// The keys that derive, or why there are none.
    pub fn deriving(&self) -> Result<&Keyring, &str> {
        match (&self.problem, &self.verifying) {
            (None, Some(keyring)) => Ok(keyring),
            (Some(problem), _) => Err(problem),
            (None, None) => Err("the root key has not been read yet"),
        }
    }

    /// Whether the registry verifies with these keys. Until it does nothing is published: a client that reads its
    /// credentials Secret the moment it appears is accepted. When it does, every OAuthClient is reconciled again.
    pub fn are_served(&self, registry: &Registry) -> bool {
        match (&registry.keyring, &self.verifying) {
            (Some(served), Some(known)) => Arc::ptr_eq(served, known),
            (None, None) => true,
            _ => false,
        }
    }
}

/// The root keys, replaced as a whole.
#[derive(Debug, Default)]
pub struct RootKeys {
    known: ArcSwap<KnownRootKeys>,
    reading: Mutex<()>,
}

impl RootKeys {
    /// The keys as they were last read.
    pub fn load(&self) -> Guard<Arc<KnownRootKeys>> {
        self.known.load()
    }

    /// The same, to be kept for longer.
    pub fn load_full(&self) -> Arc<KnownRootKeys> {
        self.known.load_full()
    }

    /// Replaces them.
    pub fn store(&self, keys: KnownRootKeys) {
        self.known.store(Arc::new(keys));
    }

    /// Held while the Secret is read and judged, so that what was read earlier never replaces what was read later.
    pub async fn begin_reading(&self) -> MutexGuard<'_, ()> {
        self.reading.lock().await
    }
}
