//! Issuer and keys of the cluster's ServiceAccount tokens, as last read.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use clientele_oauth::jose::public_key::PublicKey;
use tokio::sync::{Mutex, Semaphore};

/// How many tokens the API server reviews at once; the others wait.
const AT_ONCE: usize = 16;

/// What the cluster says about its tokens, as last read.
pub struct ServiceAccountKeys {
    /// Issuer and keys.
    pub known: ArcSwap<Known>,
    /// When they were read, and what came of it. The reader holds it, and later readers wait for it.
    pub last_read: Mutex<Option<(Instant, Result<(), String>)>>,
    /// Bounds the `TokenReview`s that are under way.
    pub reviews: Semaphore,
}

impl Default for ServiceAccountKeys {
    fn default() -> Self {
        Self {
            known: ArcSwap::default(),
            last_read: Mutex::default(),
            reviews: Semaphore::new(AT_ONCE),
        }
    }
}

/// What the cluster publishes about its tokens.
#[derive(Default, PartialEq, Eq)]
pub struct Known {
    /// Who issues them.
    pub issuer: Option<Arc<str>>,
    /// The keys that verify them.
    pub keys: Vec<PublicKey>,
}

impl ServiceAccountKeys {
    /// Who issues them.
    pub fn issuer(&self) -> Option<Arc<str>> {
        self.known.load().issuer.clone()
    }
}
