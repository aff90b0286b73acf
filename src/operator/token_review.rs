//! Tokens of the cluster's ServiceAccounts: who issues them, with which keys, and whether the API server stands by one.
//!
//! The signature comes first, by keys that are kept: so a stranger's garbage costs the API server nothing.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures::future::BoxFuture;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use kube::Api;
use kube::api::{ListParams, PostParams, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::context::Shared;
use clientele_oauth::client_auth::assertion::service_account::{
    Answer, Finding, Review, Signature,
};
use clientele_oauth::client_auth::assertion::verification::Verification;
use clientele_oauth::jose::public_key::{Jwk, PublicKey};

/// Asks about one token.
pub type Ask = Arc<dyn Fn(Arc<Review>) -> BoxFuture<'static, Finding> + Send + Sync>;

/// Where the API server says who issues tokens (OIDC Discovery §4).
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Where it publishes the keys.
const JWKS: &str = "/openid/v1/jwks";
/// So often issuer and keys are read again.
const REFRESH: Duration = Duration::from_mins(5);
/// And so soon after it failed.
const RETRY: Duration = Duration::from_secs(10);
/// Unknown keys make nobody read them more often than this.
const AT_MOST_EVERY: Duration = Duration::from_secs(5);
/// The API server has so much time to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// So many tokens are reviewed by the API server at once; the others wait.
const AT_ONCE: usize = 16;
/// The most keys that are kept.
const MOST_KEYS: usize = 64;

/// What the cluster says about its tokens, as last read.
pub struct ClusterTokens {
    known: ArcSwap<Known>,
    /// When they were read, and what came of it. Whoever reads holds it, and those who want the same wait for that.
    last_read: Mutex<Option<(Instant, Result<(), String>)>>,
    reviews: Semaphore,
}

impl Default for ClusterTokens {
    fn default() -> Self {
        Self {
            known: ArcSwap::default(),
            last_read: Mutex::default(),
            reviews: Semaphore::new(AT_ONCE),
        }
    }
}

#[derive(Default, PartialEq, Eq)]
struct Known {
    issuer: Option<Arc<str>>,
    keys: Vec<PublicKey>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl ClusterTokens {
    /// Who issues them.
    pub fn issuer(&self) -> Option<Arc<str>> {
        self.known.load().issuer.clone()
    }
}

/// Reads issuer and keys now and every few minutes. What was read last stays in force while they cannot be read.
pub async fn keep(shared: Arc<Shared>) {
    let mut failed = false;
    loop {
        let read = refresh(&shared, Duration::ZERO).await;
        if let (Err(error), false) = (&read, failed) {
            tracing::warn!(%error, "issuer and keys of the cluster's ServiceAccounts cannot be read: their tokens are not accepted until they can");
        }
        failed = read.is_err();
        sleep(if failed { RETRY } else { REFRESH }).await;
    }
}

/// Reads issuer and keys. If somebody did so less than `unless_within` ago, that is the answer.
async fn refresh(shared: &Shared, unless_within: Duration) -> Result<(), String> {
    let mut last_read = shared.cluster.last_read.lock().await;
    if let Some((at, outcome)) = &*last_read
        && at.elapsed() < unless_within
    {
        return outcome.clone();
    }
    let outcome = read_both(shared).await;
    *last_read = Some((Instant::now(), outcome.clone()));
    outcome
}

async fn read_both(shared: &Shared) -> Result<(), String> {
    let discovery: Discovery = read(&shared.kube, DISCOVERY).await?;
    let set: KeySet = read(&shared.kube, JWKS).await?;
    let keys = set.keys.into_iter().take(MOST_KEYS);
    let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let known = Known {
        issuer: Some(discovery.issuer.into()),
        // Of a kind that we do not know, a key verifies nothing.
        keys: keys.filter_map(|jwk| PublicKey::new(jwk).ok()).collect(),
    };
    if known != **shared.cluster.known.load() {
        shared.cluster.known.store(Arc::new(known));
        shared.changed.notify_one();
    }
    Ok(())
}

/// Reads a document. It is no resource, but a list's request has the form that is needed: GET and the path.
async fn read<T: DeserializeOwned>(kube: &kube::Client, path: &str) -> Result<T, String> {
    let request = Request::new(path).list(&ListParams::default());
    let request = request.map_err(|error| format!("{path}: {error}"))?;
    match timeout(ANSWER, kube.request(request)).await {
        Ok(answer) => answer.map_err(|error| format!("{path}: {error}")),
        Err(_) => Err(format!("{path}: no answer within {ANSWER:?}")),
    }
}

/// Whether the cluster stands by a token.
pub async fn find(shared: Arc<Shared>, review: Arc<Review>) -> Finding {
    match (by_signature(&shared, &review).await, review.verification) {
        (Finding::False, _) => Finding::False,
        (found, Verification::Offline) => found,
        // Also when no key could be read: the API server has them.
        (_, Verification::TokenReview) => ask(&shared, &review).await,
    }
}

/// What the signature says. A key that is not known is looked for once; those who wait for that share it.
async fn by_signature(shared: &Shared, review: &Review) -> Finding {
    let keys = || shared.cluster.known.load_full();
    let mut signature = review.signature(&keys().keys);
    if signature == Signature::OfUnknownKey {
        if let Err(error) = refresh(shared, AT_MOST_EVERY).await {
            tracing::debug!(%error, "the cluster's keys cannot be read");
            return Finding::Unknown;
        }
        signature = review.signature(&keys().keys);
    }
    match signature {
        Signature::Good => Finding::Genuine,
        Signature::OfUnknownKey if keys().keys.is_empty() => Finding::Unknown,
        Signature::Bad | Signature::OfUnknownKey => Finding::False,
    }
}

/// Asks the API server, for our audience.
async fn ask(shared: &Shared, review: &Review) -> Finding {
    let _slot = shared.cluster.reviews.acquire().await;
    let question = TokenReview {
        spec: TokenReviewSpec {
            token: Some(review.token().to_owned()),
            audiences: Some(vec![review.audience.to_string()]),
        },
        ..TokenReview::default()
    };
    let reviews: Api<TokenReview> = Api::all(shared.kube.clone());
    let parameters = PostParams::default();
    match timeout(ANSWER, reviews.create(&parameters, &question)).await {
        Ok(Ok(reviewed)) => review.judge(&answer(reviewed.status.unwrap_or_default())),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the API server did not review the token of a ServiceAccount");
            Finding::Unknown
        }
        Err(_) => Finding::Unknown,
    }
}

fn answer(status: TokenReviewStatus) -> Answer {
    let user = status.user.unwrap_or_default();
    Answer {
        authenticated: status.authenticated == Some(true),
        audiences: status.audiences.unwrap_or_default(),
        username: user.username.unwrap_or_default(),
        uid: user.uid.unwrap_or_default(),
    }
}
