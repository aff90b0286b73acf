//! The Kubernetes world: read → plan → write, and the observer that turns watches into the registry.
//!
//! The controller writes Kubernetes and nothing else; the observer replaces the registry and nothing
//! else. They meet in [`domain::client::validate::register`], a pure function. This folder knows neither axum nor hyper.

pub mod bootstrap;
pub mod cache;
pub mod context;
pub mod domain;
pub mod error;
pub mod etcd_restore;
pub mod events;
pub mod leader;
pub mod metrics;
pub mod reconcile;
pub mod registry;
pub mod root_key;
pub mod rotation_gauges;
pub mod settings;
pub mod token_review;
pub mod watch;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use futures::{FutureExt, StreamExt};
use kube::Resource;
use kube::runtime::controller::{Action, Config, applier};
use kube::runtime::reflector::{self, ObjectRef, Store};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::Usage;
use clientele_telemetry::audit::Audit;
use clientele_telemetry::supervisor::Supervisor;
use context::Shared;
use domain::client::secret::digest::Digests;
use error::Error;
use leader::election;
use metrics::ControllerMetrics;
use reconcile::queue::{Place, Share, in_turn};
use reconcile::throttle::Spacing;
use registry::observer;
use settings::Settings;

/// The Kubernetes side, ready to run.
pub struct Operator {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    ending: CancellationToken,
    /// Another replica may write.
    released: CancellationToken,
}

impl Operator {
    /// Starts to observe and to reconcile. The registry is filled from then on.
    pub fn start(
        kube: kube::Client,
        settings: Settings,
        registry: Arc<ArcSwap<Registry>>,
        usage: Arc<ArcSwapOption<Usage>>,
        metrics: Arc<ControllerMetrics>,
        audit: Arc<Audit>,
        supervisor: &Supervisor,
    ) -> Self {
        let (clients, client_writer) = reflector::store();
        let (tenants, tenant_writer) = reflector::store();
        let (users, user_writer) = reflector::store();
        let (client_queue, client_requests) = unbounded_channel();
        let (tenant_queue, tenant_requests) = unbounded_channel();
        let (user_queue, user_requests) = unbounded_channel();
        let (password_jobs, jobs) = unbounded_channel();
        let (password_reads, reads) = unbounded_channel();
        let (events, publish) = events::channel(kube.clone(), metrics.clone(), audit.clone());
        let among_several = settings.lease.is_some();
        let agreement = registry::rollout::Agreement::new(among_several, client_queue.clone());
        let shared = Arc::new(Shared {
            kube,
            spacing: std::sync::Mutex::new(Spacing::new(settings.write_burst)),
            settings,
            lead: election::Lead::new(among_several),
            agreement: Arc::new(agreement),
            registry,
            root_keys: ArcSwap::default(),
            root_key_look: tokio::sync::Mutex::default(),
            bootstrapped: false.into(),
            verdicts: std::sync::RwLock::default(),
            user_verdicts: std::sync::RwLock::default(),
            usage,
            pace: std::sync::Mutex::default(),
            clients,
            tenants,
            users,
            secrets: cache::credentials::SecretIndex::default(),
            passwords: cache::passwords::PasswordIndex::default(),
            password_jobs,
            password_reads,
            brought: cache::client_secrets::BroughtIndex::default(),
            cluster: token_review::ClusterTokens::default(),
            digests: Digests::default(),
            client_queue,
            tenant_queue,
            user_queue,
            changed: tokio::sync::Notify::new(),
            progress: tokio::sync::watch::Sender::default(),
            events,
            metrics,
            audit,
        });
        let mut tasks = Tasks::new(supervisor);
        tasks.spawn(publish);
        let observer = observer::observe(shared.clone(), client_writer, tenant_writer, user_writer);
        tasks.spawn(observer);
        spawn_watches(&mut tasks, &shared, (jobs, reads));
        let requests = (client_requests, tenant_requests, user_requests);
        let (ending, released) = (
            supervisor.shutdown().child_token(),
            CancellationToken::new(),
        );
        let release = released.clone().drop_guard();
        tasks.spawn(election::lead(shared.clone(), ending.clone(), release));
        spawn_passes(&mut tasks, &shared, requests, &ending);
        Self {
            shared,
            tasks: tasks.set,
            ending,
            released,
        }
    }

    /// Whether the server may be asked, or what is still missing.
    pub fn readiness(&self) -> Arc<dyn Fn() -> Result<(), String> + Send + Sync> {
        let shared = self.shared.clone();
        Arc::new(move || shared.ready())
    }

    /// What every replica serves: to be told to the others, and heard from them.
    pub fn agreement(&self) -> Arc<registry::rollout::Agreement> {
        self.shared.agreement.clone()
    }

    /// Asks the cluster about a token of one of its ServiceAccounts.
    pub fn reviews(&self) -> token_review::Ask {
        let shared = self.shared.clone();
        Arc::new(move |review| Box::pin(token_review::find(shared.clone(), review)))
    }

    /// Ends every task. What a pass has not written yet, the next start will.
    pub async fn stop(mut self) {
        self.ending.cancel();
        self.released.cancelled().await;
        self.tasks.shutdown().await;
    }
}

/// What runs until the end.
struct Tasks {
    set: JoinSet<()>,
    supervisor: Supervisor,
}

impl Tasks {
    fn new(supervisor: &Supervisor) -> Self {
        Self {
            set: JoinSet::new(),
            supervisor: supervisor.clone(),
        }
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.set.spawn(self.supervisor.guard(task));
    }
}

/// What is watched beside the objects themselves, and what is looked at now and then.
fn spawn_watches(
    tasks: &mut Tasks,
    shared: &Arc<Shared>,
    (jobs, reads): (
        UnboundedReceiver<cache::passwords::Job>,
        UnboundedReceiver<(String, String)>,
    ),
) {
    for watched in [
        &watch::secrets::CREDENTIALS,
        &watch::client_secrets::BROUGHT,
    ] {
        tasks.spawn(watch::secrets::watch(shared.clone(), watched));
    }
    tasks.spawn(token_review::keep(shared.clone()));
    tasks.spawn(watch::passwords::watch(shared.clone()));
    tasks.spawn(watch::passwords::read_again(shared.clone(), reads));
    tasks.spawn(watch::passwords::hash(shared.clone(), jobs));
    tasks.spawn(root_key::watch(shared.clone()));
    tasks.spawn(root_key::retire::leave(shared.clone()));
    let supervisor = tasks.supervisor.clone();
    tasks.spawn(etcd_restore::watch(shared.clone(), supervisor));
    tasks.spawn(rotation_gauges::count(shared.clone()));
    tasks.spawn(bootstrap::bootstrap(shared.clone()));
}

type Requests<K> = UnboundedReceiver<ObjectRef<K>>;

/// One queue of passes for each kind.
fn spawn_passes(
    tasks: &mut Tasks,
    shared: &Arc<Shared>,
    (clients, tenants, users): (
        Requests<OAuthClient>,
        Requests<OAuthTenant>,
        Requests<OAuthUser>,
    ),
    shutdown: &CancellationToken,
) {
    tasks.spawn(run(
        (clients, shutdown.clone()),
        shared.clients.clone(),
        shared.clone(),
        shared.settings.workers,
        |object, shared| Box::pin(reconcile::client::reconcile(object, shared)),
    ));
    tasks.spawn(run(
        (tenants, shutdown.clone()),
        shared.tenants.clone(),
        shared.clone(),
        4,
        |tenant, shared| Box::pin(reconcile::tenant::reconcile(tenant, shared)),
    ));
    tasks.spawn(run(
        (users, shutdown.clone()),
        shared.users.clone(),
        shared.clone(),
        4,
        |user, shared| Box::pin(reconcile::user::reconcile(user, shared)),
    ));
}

type Pass = futures::future::BoxFuture<'static, Result<Action, Error>>;

/// A pass that panics has failed like another, and is tried again. Left alone it would take its queue with it, and with
/// that every pass of its kind.
fn guarded(pass: Pass) -> Pass {
    let caught = std::panic::AssertUnwindSafe(pass).catch_unwind();
    Box::pin(caught.map(|ended| ended.unwrap_or(Err(Error::Panicked))))
}

/// Runs passes until the shutdown begins: one at a time for an object, `workers` at once for a namespace, each namespace
/// in its turn, and again later after trouble.
async fn run<K>(
    (requests, shutdown): (Requests<K>, CancellationToken),
    store: Store<K>,
    shared: Arc<Shared>,
    workers: u16,
    pass: impl Fn(Arc<K>, Arc<Shared>) -> Pass + Send + 'static,
) where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    let share = Share::of(workers);
    let (end, ended) = unbounded_channel();
    let queue = in_turn(requests, ended, share).map(Ok::<_, Infallible>);
    let queue = queue.take_until(shutdown.cancelled_owned());
    let config = Config::default().concurrency(u16::try_from(share.all).unwrap_or(workers));
    let retries = error::Retries::default();
    let policy = move |object: Arc<K>, error: &Error, _: Arc<Shared>| {
        let wait = retries.next(object.meta().uid.as_deref().unwrap_or_default(), error);
        Action::requeue(wait)
    };
    let pass = move |object: Arc<K>, shared: Arc<Shared>| {
        let wait = shared.wait_to_write(object.meta().uid.as_deref().unwrap_or_default());
        let pass: Pass = match wait {
            Some(wait) => Box::pin(std::future::ready(Ok(Action::requeue(wait)))),
            None => guarded(pass(object, shared.clone())),
        };
        let passed = leader::election::while_ours(shared, pass);
        passed.map(|passed| passed.unwrap_or(Ok(Action::await_change())))
    };
    let passes = applier(pass, policy, shared.clone(), store, queue, config);
    futures::pin_mut!(passes);
    while let Some(passed) = passes.next().await {
        use kube::runtime::controller::Error::{ObjectNotFound, ReconcilerFailed};
        if let Some(place) = place_of(&passed) {
            // Fails only after the shutdown has begun, when nobody gets a turn any more.
            let _ = end.send(place);
        }
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

type Passed<K> =
    Result<(ObjectRef<K>, Action), kube::runtime::controller::Error<Error, Infallible>>;

/// Which object a pass was about.
fn place_of<K: Resource>(passed: &Passed<K>) -> Option<Place> {
    use kube::runtime::controller::Error::{ObjectNotFound, ReconcilerFailed};
    match passed {
        Ok((object, _)) => Some(Place::of(object)),
        Err(ObjectNotFound(object) | ReconcilerFailed(_, object)) => Some(Place::of(object)),
        Err(_) => None,
    }
}
