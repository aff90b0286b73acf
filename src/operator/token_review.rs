//! Tokens of the cluster's ServiceAccounts: who issues them, with which keys, and whether the API server stands by one.
//!
//! The signature comes first, by keys that are kept: so a stranger's garbage costs the API server nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_oauth::client_auth::assertion::service_account::{
    Answer, Finding, Review, Signature,
};
use clientele_oauth::client_auth::assertion::verification::Verification;
use clientele_oauth::jose::public_key::{Jwk, PublicKey};
use futures::future::BoxFuture;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use kube::Api;
use kube::api::{ListParams, PostParams, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use crate::cache::Cache;
use crate::cache::rebuild::RebuildRequest;
use crate::cache::service_account_keys::{EXPECTED, Known, turn};

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
/// Unknown keys do not cause reads more often than this.
const AT_MOST_EVERY: Duration = Duration::from_secs(5);
/// The API server has so much time to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// The most keys that are kept.
const MOST_KEYS: usize = 64;

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// Reads issuer and keys now and every few minutes. What was read last stays in force while they cannot be read.
pub async fn keep(reader: Arc<TokenReviewer>) {
    let mut failed = false;
    loop {
        let read = reader.refresh(Duration::ZERO).await;
        if let (Err(error), false) = (&read, failed) {
            tracing::warn!(%error, "cannot read issuer and keys of the cluster's ServiceAccounts; refusing their tokens until this works");
        }
        failed = read.is_err();
        sleep(if failed { RETRY } else { REFRESH }).await;
    }
}

/// Verifies tokens of ServiceAccounts.
pub struct TokenReviewer {
    kube: kube::Client,
    cache: Arc<Cache>,
    rebuild: Arc<RebuildRequest>,
}

impl TokenReviewer {
    /// Issuer and keys are kept in the cache; when they change the registry is rebuilt.
    pub fn new(kube: kube::Client, cache: Arc<Cache>, rebuild: Arc<RebuildRequest>) -> Self {
        Self {
            kube,
            cache,
            rebuild,
        }
    }

    /// Whether the cluster stands by a token.
    pub async fn find(&self, review: &Review) -> Finding {
        match (self.by_signature(review).await, review.verification) {
            (Finding::False, _) => Finding::False,
            (found, Verification::Offline) => found,
            // Also when no key could be read: the API server has them.
            (_, Verification::TokenReview) => self.ask(review).await,
        }
    }

    /// What the signature says. A key that is not known is looked for once; those who wait for that share it.
    async fn by_signature(&self, review: &Review) -> Finding {
        let keys = || self.cache.service_accounts.known.load_full();
        let mut signature = review.signature(&keys().keys);
        if signature == Signature::OfUnknownKey {
            if let Err(error) = self.refresh(AT_MOST_EVERY).await {
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
    async fn ask(&self, review: &Review) -> Finding {
        let turn = turn(review.username());
        let reviews = &self.cache.service_accounts.reviews;
        let Ok(_permit) = reviews.enter(&turn, EXPECTED).await else {
            return Finding::Unknown;
        };
        let question = TokenReview {
            spec: TokenReviewSpec {
                token: Some(review.token().to_owned()),
                audiences: Some(vec![review.audience.to_string()]),
            },
            ..TokenReview::default()
        };
        let reviews: Api<TokenReview> = Api::all(self.kube.clone());
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

    /// Reads issuer and keys. If another task did so less than `unless_within` ago, that is the answer.
    async fn refresh(&self, unless_within: Duration) -> Result<(), String> {
        let mut last_read = self.cache.service_accounts.last_read.lock().await;
        if let Some((at, outcome)) = &*last_read
            && at.elapsed() < unless_within
        {
            return outcome.clone();
        }
        let outcome = self.read_both().await;
        *last_read = Some((Instant::now(), outcome.clone()));
        outcome
    }

    async fn read_both(&self) -> Result<(), String> {
        let discovery: Discovery = read(&self.kube, DISCOVERY).await?;
        let set: KeySet = read(&self.kube, JWKS).await?;
        let keys = set.keys.into_iter().take(MOST_KEYS);
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let known = Known {
            issuer: Some(discovery.issuer.into()),
            // Of a kind that we do not know, a key verifies nothing.
            keys: keys.filter_map(|jwk| PublicKey::new(jwk).ok()).collect(),
        };
        if known != **self.cache.service_accounts.known.load() {
            self.cache.service_accounts.known.store(Arc::new(known));
            self.rebuild.request();
        }
        Ok(())
    }
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

fn answer(status: TokenReviewStatus) -> Answer {
    let user = status.user.unwrap_or_default();
    Answer {
        authenticated: status.authenticated == Some(true),
        audiences: status.audiences.unwrap_or_default(),
        username: user.username.unwrap_or_default(),
        uid: user.uid.unwrap_or_default(),
    }
}
