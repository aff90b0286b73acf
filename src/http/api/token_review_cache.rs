//! Questions to the cluster about tokens of its ServiceAccounts: each is asked once at a time, and the answer is kept for
//! a moment. This file does not know the cluster.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tokio::time::timeout;

use clientele_oauth::client_auth::assertion::service_account::{Finding, Review};

/// Asks about one token.
pub type Ask = Arc<dyn Fn(Arc<Review>) -> BoxFuture<'static, Finding> + Send + Sync>;

/// How long an answer of the cluster is cached, from the moment of the query. An administrator who deletes a
/// pod or a ServiceAccount waits no longer.
const KEEP: Duration = Duration::from_secs(10);
/// How long a refusal of the cluster is cached.
const KEEP_FALSE: Duration = Duration::from_secs(2);
/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(6);
/// How many answers are kept.
const CAPACITY: usize = 4096;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Label {
    finding: &'static str,
}

/// The labels, in the order of the numbers of [`Finding`].
const FINDINGS: [&str; 3] = ["genuine", "false", "unknown"];

struct Entry {
    asked: Timestamp,
    answer: Shared<BoxFuture<'static, Finding>>,
}

impl Entry {
    /// Whether its answer, which may not be there yet, still counts. Not if the clock went back meanwhile.
    fn counts(&self, now: Timestamp) -> bool {
        let keep = match self.answer.peek() {
            None | Some(Finding::Genuine) => KEEP,
            Some(Finding::False) => KEEP_FALSE,
            Some(Finding::Unknown) => Duration::ZERO,
        };
        self.asked <= now && now < self.asked + keep
    }
}

/// The questions of this replica.
pub struct TokenReviewCache {
    ask: Ask,
    entries: Mutex<HashMap<String, Entry>>,
    findings: Family<Label, Counter>,
    counts: [Counter; FINDINGS.len()],
}

impl fmt::Debug for TokenReviewCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenReviewCache")
    }
}

/// Without a cluster no token can be reviewed.
impl Default for TokenReviewCache {
    fn default() -> Self {
        Self::new(Arc::new(|_| ready(Finding::Unknown).boxed()))
    }
}

impl TokenReviewCache {
    /// Asks by this function.
    pub fn new(ask: Ask) -> Self {
        let findings = Family::<Label, Counter>::default();
        let count = |finding| findings.get_or_create_owned(&Label { finding });
        Self {
            ask,
            entries: Mutex::default(),
            counts: FINDINGS.map(count),
            findings,
        }
    }

    /// Makes the counters visible.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "clientele_service_account_reviews",
            "TokenReviews of ServiceAccount tokens by finding: genuine, false, unknown; cached answers are not counted",
            self.findings.clone(),
        );
    }

    /// Whether the cluster stands by a token.
    pub async fn find(&self, review: Arc<Review>, now: Timestamp) -> Finding {
        self.answer(review, now).await
    }

    /// The answer to a question that is kept or under way, else to a new one. If there are too many, it is not kept: who
    /// sends garbage must not keep others from asking.
    fn answer(&self, review: Arc<Review>, now: Timestamp) -> Shared<BoxFuture<'static, Finding>> {
        let digest = review.digest();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(&digest).filter(|entry| entry.counts(now)) {
            return entry.answer.clone();
        }
        if entries.len() >= CAPACITY {
            entries.retain(|_, entry| entry.counts(now));
        }
        let answer = self.begin(review);
        if entries.len() < CAPACITY {
            let entry = Entry {
                asked: now,
                answer: answer.clone(),
            };
            entries.insert(digest, entry);
        }
        answer
    }

    /// Asks in a task of its own: it continues when the caller is cancelled.
    fn begin(&self, review: Arc<Review>) -> Shared<BoxFuture<'static, Finding>> {
        let (ask, counts) = (self.ask.clone(), self.counts.clone());
        let question = async move {
            let asked = timeout(PATIENCE, ask(review));
            let found = asked.await.unwrap_or(Finding::Unknown);
            counts[found as usize].inc();
            found
        };
        let task = tokio::spawn(question);
        async { task.await.unwrap_or(Finding::Unknown) }
            .boxed()
            .shared()
    }
}
