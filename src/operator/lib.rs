//! The Kubernetes world: read → plan → write, and the observer that turns watches into the registry.
//!
//! The controller writes Kubernetes and nothing else; the observer replaces the registry and nothing
//! else. They meet in [`domain::client::validate::validate_client`], a pure function. This folder knows neither axum nor hyper.

pub mod apply;
pub mod bootstrap;
pub mod cache;
pub mod context;
pub mod domain;
pub mod error;
pub mod etcd_restore;
pub mod events;
pub mod leader;
pub mod list;
pub mod metrics;
pub mod parts;
pub mod readiness;
pub mod reconcile;
pub mod registry;
pub mod root_key;
pub mod rotation_gauges;
pub mod settings;
pub mod token_review;
pub mod watch;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::Usage;
use clientele_telemetry::audit::Audit;
use clientele_telemetry::supervisor::Supervisor;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use bootstrap::Bootstrap;
use cache::last_use_turns::LastUseTurns;
use cache::password_requests::PasswordWork;
use cache::rollout::Rollout;
use context::Context;
use leader::election;
use metrics::OperatorMetrics;
use parts::{Parts, Requests, Stores};
use readiness::ReadinessCheck;
use reconcile::{Reconciler, last_use::LastUseSchedule, runner::run};
use registry::observer;
use root_key::RootKeyReader;
use root_key::retire::Retirement;
use settings::Settings;
use token_review::TokenReviewer;
use watch::catch_up::CatchUp;
use watch::secrets::SecretHandles;

/// The Kubernetes side, ready to run.
pub struct Operator {
    readiness: Arc<ReadinessCheck>,
    rollout: Arc<Rollout>,
    token_reviewer: Arc<TokenReviewer>,
    catch_up: Arc<CatchUp>,
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
        metrics: Arc<OperatorMetrics>,
        audit: Arc<Audit>,
        supervisor: &Supervisor,
    ) -> Self {
        let (context, publish) = Context::new(kube, settings, metrics, audit);
        let mut tasks = Tasks::new(supervisor);
        tasks.spawn(publish);
        let (parts, work) = Parts::new(Arc::new(context), registry, usage);
        let token_reviewer = parts.spawn_watches(&mut tasks, work.stores, work.passwords);
        let (ending, released) = (
            supervisor.shutdown().child_token(),
            CancellationToken::new(),
        );
        let release = released.clone().drop_guard();
        tasks.spawn(election::lead(
            parts.keys.context.clone(),
            parts.keys.cache.clone(),
            parts.keys.leader.clone(),
            parts.keys.queues.clone(),
            ending.clone(),
            release,
        ));
        parts.spawn_workers(&mut tasks, work.requests, &ending);
        Self {
            catch_up: Arc::new(CatchUp {
                kube: parts.keys.context.kube.clone(),
                verdicts: parts.verdicts.clone(),
            }),
            readiness: Arc::new(parts.readiness_check()),
            rollout: parts.rollout,
            token_reviewer,
            tasks: tasks.set,
            ending,
            released,
        }
    }

    /// Whether the server may be asked, or what is still missing.
    pub fn readiness(&self) -> Arc<dyn Fn() -> Result<(), String> + Send + Sync> {
        let readiness = self.readiness.clone();
        Arc::new(move || readiness.check())
    }

    /// What every replica serves: reported to the others, and read from their reports.
    pub fn agreement(&self) -> Arc<Rollout> {
        self.rollout.clone()
    }

    /// Tells when everything is served that existed at a given moment.
    pub fn catch_up(&self) -> Arc<CatchUp> {
        self.catch_up.clone()
    }

    /// Verifies the token of a ServiceAccount of the cluster.
    pub fn reviews(&self) -> token_review::Ask {
        let reviewer = self.token_reviewer.clone();
        Arc::new(move |review| {
            let reviewer = reviewer.clone();
            Box::pin(async move { reviewer.find(&review).await })
        })
    }

    /// Ends every task. What a reconcile has not written yet, the next start will.
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

impl Parts {
    fn readiness_check(&self) -> ReadinessCheck {
        ReadinessCheck {
            readiness: self.keys.readiness.clone(),
            cache: self.keys.cache.clone(),
            root_keys: self.keys.root_keys.clone(),
            registry: self.registry.clone(),
            leader: self.keys.leader.clone(),
            shares_store: self.keys.context.settings.shares_store,
        }
    }

    fn spawn_watches(
        &self,
        tasks: &mut Tasks,
        stores: Stores,
        passwords: PasswordWork,
    ) -> Arc<TokenReviewer> {
        self.spawn_observer(tasks, stores);
        self.spawn_secret_watches(tasks, passwords);
        self.spawn_root_key(tasks);
        let RootKeyReader {
            context,
            cache,
            rebuild,
            ..
        } = &*self.keys;
        let reviewer = TokenReviewer::new(context.kube.clone(), cache.clone(), rebuild.clone());
        let reviewer = Arc::new(reviewer);
        tasks.spawn(token_review::keep(reviewer.clone()));
        tasks.spawn(watch::definitions::compare(context.clone(), cache.clone()));
        let clients = cache.clients.clone();
        let supervisor = tasks.supervisor.clone();
        let restore = etcd_restore::watch(context.clone(), cache.clone(), supervisor);
        tasks.spawn(restore);
        tasks.spawn(rotation_gauges::count(
            context.metrics.clone(),
            clients,
            self.usage.clone(),
        ));
        reviewer
    }

    fn spawn_observer(&self, tasks: &mut Tasks, (clients, tenants, users): Stores) {
        let (inputs, outputs) = self.observed();
        let rebuild = self.keys.rebuild.clone();
        tasks.spawn(observer::run(
            inputs, outputs, rebuild, clients, tenants, users,
        ));
    }

    fn spawn_secret_watches(&self, tasks: &mut Tasks, work: PasswordWork) {
        let handles = Arc::new(SecretHandles {
            context: self.keys.context.clone(),
            cache: self.keys.cache.clone(),
            queues: self.keys.queues.clone(),
            rebuild: self.keys.rebuild.clone(),
            passwords: self.passwords.clone(),
        });
        let brought = &watch::client_secrets::CLIENT_SECRETS;
        tasks.spawn(watch::secrets::watch(handles.clone(), brought));
        let ready = self.keys.readiness.clone();
        tasks.spawn(watch::credentials::watch(handles.clone(), ready.clone()));
        tasks.spawn(watch::passwords::watch(handles.clone(), ready));
        tasks.spawn(watch::passwords::reread(handles.clone(), work.reads));
        tasks.spawn(watch::passwords::hash(handles, work.jobs));
    }

    fn spawn_root_key(&self, tasks: &mut Tasks) {
        tasks.spawn(root_key::watch(self.keys.clone()));
        tasks.spawn(root_key::retire::leave(Retirement {
            reader: self.keys.clone(),
            verdicts: self.verdicts.clone(),
            usage: self.usage.clone(),
        }));
        tasks.spawn(bootstrap::bootstrap(Bootstrap {
            context: self.keys.context.clone(),
            cache: self.keys.cache.clone(),
            leader: self.keys.leader.clone(),
            readiness: self.keys.readiness.clone(),
            queues: self.keys.queues.clone(),
            verdicts: self.verdicts.clone(),
            registry: self.registry.clone(),
        }));
    }

    /// The workers of each kind.
    fn spawn_workers(
        &self,
        tasks: &mut Tasks,
        (clients, tenants, users): Requests,
        shutdown: &CancellationToken,
    ) {
        let turns = Arc::<LastUseTurns>::default();
        tasks.spawn(reconcile::last_use::spread(LastUseSchedule {
            leader: self.keys.leader.clone(),
            verdicts: self.verdicts.clone(),
            queues: self.keys.queues.clone(),
            turns: turns.clone(),
        }));
        let reconciler = Arc::new(Reconciler::new(
            self.keys.clone(),
            self.registry.clone(),
            self.verdicts.clone(),
            self.rollout.clone(),
            self.usage.clone(),
            turns,
        ));
        let cache = &self.keys.cache;
        let workers = self.keys.context.settings.workers;
        tasks.spawn(run(
            (clients, shutdown.clone()),
            cache.clients.clone(),
            reconciler.clone(),
            workers,
            |object, reconciler| Box::pin(reconcile::client::reconcile(object, reconciler)),
        ));
        tasks.spawn(run(
            (tenants, shutdown.clone()),
            cache.tenants.clone(),
            reconciler.clone(),
            4,
            |tenant, reconciler| Box::pin(reconcile::tenant::reconcile(tenant, reconciler)),
        ));
        tasks.spawn(run(
            (users, shutdown.clone()),
            cache.users.clone(),
            reconciler,
            4,
            |user, reconciler| Box::pin(reconcile::user::reconcile(user, reconciler)),
        ));
    }
}
