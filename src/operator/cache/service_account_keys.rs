//! Issuer and keys of the cluster's ServiceAccount tokens, as last read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use clientele_oauth::jose::public_key::PublicKey;
use clientele_telemetry::fair_queue::{Bounds, Member};
use clientele_telemetry::gate::Gate;
use tokio::sync::Mutex;

/// How many tokens the API server reviews at once; the others wait.
const AT_ONCE: usize = 16;
/// How many wait, of all namespaces, of one, and of one ServiceAccount: any author of an OAuthClient has as many tokens of
/// its ServiceAccounts as the API server issues, and each is a question of its own.
const MAX_WAITING: Bounds = Bounds {
    all: 1024,
    group: 256,
    member: 128,
};

/// What a question is expected to take.
pub const EXPECTED: Duration = Duration::from_millis(10);

/// What the cluster says about its tokens, as last read.
pub struct ServiceAccountKeys {
    /// Issuer and keys.
    pub known: ArcSwap<Known>,
    /// When they were read, and what came of it. The reader holds it, and later readers wait for it.
    pub last_read: Mutex<Option<(Instant, Result<(), String>)>>,
    /// Bounds the `TokenReview`s that are under way. Namespaces take turns, and in them their ServiceAccounts.
    pub reviews: Gate,
}

impl Default for ServiceAccountKeys {
    fn default() -> Self {
        Self {
            known: ArcSwap::default(),
            last_read: Mutex::default(),
            reviews: Gate::new(AT_ONCE, MAX_WAITING),
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

/// Whose turn the review of a token takes, by the name that the API server has for a ServiceAccount: the namespace is the part
/// before its own name.
pub fn turn(username: &str) -> Member {
    let namespace = username.rsplit_once(':').map_or("", |(before, _)| before);
    Member {
        group: namespace.to_owned(),
        member: username.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, poll};

    #[tokio::test]
    async fn q11_a_namespace_does_not_wait_for_the_tokens_of_another() {
        let keys = ServiceAccountKeys::default();
        let (hog, other) = (
            turn("system:serviceaccount:hog:pod"),
            turn("system:serviceaccount:another:pod"),
        );
        let mut under_way = Vec::new();
        for _ in 0..AT_ONCE {
            under_way.push(keys.reviews.enter(&hog, EXPECTED).await.ok().unwrap());
        }
        let mut waiting: Vec<_> = (0..1000)
            .map(|_| Box::pin(keys.reviews.enter(&hog, EXPECTED)))
            .collect();
        let mut refused = 0;
        for review in &mut waiting {
            refused += usize::from(poll!(review.as_mut()).is_ready());
        }
        assert_eq!(refused, 1000 - MAX_WAITING.member, "of one, this many wait");
        let mut theirs = Box::pin(keys.reviews.enter(&other, EXPECTED));
        assert!(poll!(theirs.as_mut()).is_pending());
        drop(under_way.pop());
        assert!(theirs.now_or_never().is_some_and(|entered| entered.is_ok()));
    }
}
