//! The web world: from a connection to an answer of the core.
//!
//! This folder knows HTTP and TLS. It knows neither Kubernetes nor the environment, and it decides
//! nothing: who may have a token is [`clientele_oauth`]'s to say.

pub mod admin;
pub mod api;
mod behind;
pub mod browser;
mod error_response;
mod form;
mod head;
mod health;
pub mod metrics;
pub(crate) mod network;
pub mod pages;
mod response;
mod router;
pub mod server;
pub mod sums;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;

pub use api::introspect::IntrospectionThrottle;
pub use router::Endpoints;

use api::token_review_cache::TokenReviewCache;
use browser::password_login::PasswordAuthenticator;
use browser::refusals::RefusalCounts;
use browser::server_sign_out::ServerSignOutThrottle;
use clientele_oauth::Registry;
use clientele_store::Store;
use clientele_telemetry::audit::Audit;
use metrics::TokenMetrics;
use server::trusted_proxies::TrustedProxies;

/// What the public endpoints need. A test brings its own clock and randomness.
#[derive(Clone)]
pub struct App {
    /// What the server accepts, replaced whole.
    pub registry: Arc<ArcSwap<Registry>>,
    /// The time.
    pub clock: fn() -> Timestamp,
    /// Fresh random bytes; `None` when the source fails, and then no token is issued.
    pub random: fn(&mut [u8]) -> Option<()>,
    /// What outlives a restart.
    pub store: Store,
    /// How long the body of a request may take to arrive.
    pub body_timeout: Duration,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// Tries passwords, a few at a time and not too often.
    pub password_authenticator: Arc<PasswordAuthenticator>,
    /// Counts refusals of callers who are not signed in.
    pub refusal_counts: Arc<RefusalCounts>,
    /// Counts the calls by which servers of clients end sessions.
    pub server_sign_out_throttle: Arc<ServerSignOutThrottle>,
    /// Counts questions about tokens that are not good.
    pub introspection_throttle: Arc<IntrospectionThrottle>,
    /// How many used assertions of a client are remembered until they expire, so that no client fills the store.
    pub assertions_per_client: u32,
    /// Asks the cluster about tokens of its ServiceAccounts, about each once.
    pub token_reviews: Arc<TokenReviewCache>,
    /// Whether the other replicas may call a client Ready of which this one has not heard.
    pub is_behind: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Whether this replica serves, for the probes of load balancers on the public port.
    pub ready: admin::Readiness,
    /// What is counted.
    pub metrics: Arc<TokenMetrics>,
    /// What is written down.
    pub audit: Arc<Audit>,
}

impl App {
    /// The application with the random source of the cryptographic library.
    pub fn new(
        registry: Arc<ArcSwap<Registry>>,
        clock: fn() -> Timestamp,
        metrics: Arc<TokenMetrics>,
        store: Store,
    ) -> Self {
        Self {
            store,
            registry,
            clock,
            random: fresh_random,
            body_timeout: Duration::from_secs(10),
            trusted_proxies: TrustedProxies::default(),
            password_authenticator: Arc::new(PasswordAuthenticator::new(hashing_cores())),
            refusal_counts: Arc::default(),
            server_sign_out_throttle: Arc::default(),
            introspection_throttle: Arc::default(),
            assertions_per_client: 10_000,
            token_reviews: Arc::default(),
            is_behind: Arc::new(|| false),
            ready: Arc::new(|| Ok(())),
            metrics,
            audit: Arc::default(),
        }
    }
}

/// The public endpoints as a service: for [`server::serve`], for `oneshot` in a test, or as the fallback
/// of an [`axum::Router`] that adds pages.
///
/// It is no `Router` itself, because that would decode the path, and take a microsecond per token for it.
pub fn router(app: App) -> Endpoints {
    Endpoints::new(app)
}

fn fresh_random(bytes: &mut [u8]) -> Option<()> {
    aws_lc_rs::rand::fill(bytes).ok()
}

/// Half of them, so that sign-ins do not delay tokens.
fn hashing_cores() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.div_ceil(2)
}
