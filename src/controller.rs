//! The Kubernetes world: read → plan → write, and the observer that turns watches into the registry.
//!
//! The controller writes Kubernetes and nothing else; the observer replaces the registry and nothing
//! else. They meet in [`register::register`], a pure function. This folder knows neither axum nor hyper.

pub mod brake;
pub mod claims;
pub mod credentials_secret;
pub mod events;
pub mod facts;
pub mod failure;
pub mod installation;
pub mod lifetimes;
pub mod listed;
pub mod metrics;
pub mod observe;
pub mod plan;
pub mod policy;
pub mod read;
pub mod reason;
pub mod reconcile;
pub mod reconcile_tenant;
pub mod register;
pub mod root_key;
pub mod secret_index;
pub mod secret_watch;
pub mod settings;
pub mod shared;
pub mod signing_secret;
pub mod status;
pub mod world;
pub mod write;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures::{Stream, StreamExt};
use kube::Resource;
use kube::runtime::controller::{Action, Config, applier};
use kube::runtime::reflector::{self, ObjectRef, Store};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::oauth::Registry;
use failure::Error;
use metrics::ControllerMetrics;
use settings::Settings;
use shared::Shared;

/// The Kubernetes side, ready to run.
pub struct Operator {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

impl Operator {
    /// Starts to observe and to reconcile. The registry is filled from then on.
    pub fn start(
        kube: kube::Client,
        settings: Settings,
        registry: Arc<ArcSwap<Registry>>,
        metrics: Arc<ControllerMetrics>,
        shutdown: &CancellationToken,
    ) -> Self {
        let (clients, client_writer) = reflector::store();
        let (tenants, tenant_writer) = reflector::store();
        let (client_queue, client_requests) = unbounded_channel();
        let (tenant_queue, tenant_requests) = unbounded_channel();
        let (events, publish_events) = events::channel(kube.clone(), metrics.clone());
        let shared = Arc::new(Shared {
            kube,
            settings,
            registry,
            root_keys: ArcSwap::default(),
            bootstrapped: false.into(),
            verdicts: std::sync::RwLock::default(),
            clients,
            tenants,
            secrets: secret_index::SecretIndex::default(),
            digests: facts::Digests::default(),
            client_queue,
            tenant_queue,
            changed: tokio::sync::Notify::new(),
            progress: tokio::sync::watch::Sender::default(),
            events,
            metrics,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(publish_events);
        tasks.spawn(observe::observe(
            shared.clone(),
            client_writer,
            tenant_writer,
        ));
        tasks.spawn(secret_watch::watch(shared.clone()));
        tasks.spawn(root_key::watch(shared.clone()));
        tasks.spawn(installation::bootstrap(shared.clone()));
        let workers = shared.settings.workers;
        let clients = queue(client_requests, shutdown);
        tasks.spawn(run(
            clients,
            shared.clients.clone(),
            shared.clone(),
            workers,
            |object, shared| Box::pin(reconcile::reconcile(object, shared)),
        ));
        let tenants = queue(tenant_requests, shutdown);
        tasks.spawn(run(
            tenants,
            shared.tenants.clone(),
            shared.clone(),
            4,
            |tenant, shared| Box::pin(reconcile_tenant::reconcile(tenant, shared)),
        ));
        Self { shared, tasks }
    }

    /// Whether the server may be asked, or what is still missing.
    pub fn readiness(&self) -> Arc<dyn Fn() -> Result<(), String> + Send + Sync> {
        let shared = self.shared.clone();
        Arc::new(move || shared.ready())
    }

    /// Ends every task. What a pass has not written yet, the next start will.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Requests until the shutdown begins.
fn queue<K: Resource + 'static>(
    mut requests: UnboundedReceiver<ObjectRef<K>>,
    shutdown: &CancellationToken,
) -> impl Stream<Item = Result<ObjectRef<K>, Infallible>> + use<K>
where
    K::DynamicType: Eq + Hash + Clone,
{
    futures::stream::poll_fn(move |context| requests.poll_recv(context))
        .map(Ok)
        .take_until(shutdown.clone().cancelled_owned())
}

type Pass = futures::future::BoxFuture<'static, Result<Action, Error>>;

/// Runs passes: one at a time for an object, `workers` at once, and again later after trouble.
async fn run<K>(
    queue: impl Stream<Item = Result<ObjectRef<K>, Infallible>> + Send + 'static,
    store: Store<K>,
    shared: Arc<Shared>,
    workers: u16,
    pass: impl Fn(Arc<K>, Arc<Shared>) -> Pass + Send + 'static,
) where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    let config = Config::default().concurrency(workers);
    let retries = failure::Retries::default();
    let policy = move |object: Arc<K>, error: &Error, _: Arc<Shared>| {
        let wait = retries.next(object.meta().uid.as_deref().unwrap_or_default(), error);
        Action::requeue(wait)
    };
    let passes = applier(pass, policy, shared.clone(), store, queue, config);
    futures::pin_mut!(passes);
    while let Some(passed) = passes.next().await {
        use kube::runtime::controller::Error::{ObjectNotFound, ReconcilerFailed};
        match passed {
            // Deleted before its turn came: the watch has said so already.
            Ok(_) | Err(ObjectNotFound(_)) => {}
            Err(ReconcilerFailed(error, object)) => {
                shared.metrics.reconciled(
                    "Error",
                    if error.is_conflict() {
                        "Conflict"
                    } else {
                        "ApiTrouble"
                    },
                );
                if !error.is_conflict() {
                    tracing::warn!(%object, error = &error as &dyn std::error::Error, "a pass failed and is tried again");
                }
            }
            Err(error) => tracing::error!(%error, "the queue of passes failed"),
        }
    }
}
