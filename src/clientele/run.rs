//! `clientele run`: builds the operator and the server, joins them by the registry, and runs until a signal.

pub mod build_info;
pub mod connect;
mod install;
mod listeners;
mod metrics;
mod rollout;
pub mod root_key;
mod storage;
mod usage;
mod used_days;

use std::sync::Arc;

use anyhow::{Context, bail};
use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Run;
use clientele_http::App;
use clientele_http::admin::{Admin, Readiness, admin_router};
use clientele_http::api::token_review_cache::TokenReviewCache;
use clientele_http::browser::refusals::sum_up;
use clientele_http::server::overload;
use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::Usage;
use clientele_operator::Operator;
use clientele_operator::settings::Settings;
use clientele_store::Store;
use clientele_telemetry::supervisor::Supervisor;
use connect::connect;
use install::install;
use listeners::Listeners;
use metrics::Metrics;
use rollout::RolloutExchange;
use storage::Health;
use usage::Reporter;

/// Runs on a runtime of its own until a signal comes.
pub fn run_to_completion(settings: Run) -> anyhow::Result<()> {
    settings.check().map_err(anyhow::Error::msg)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime could not be started")?
        .block_on(run(settings))
}

async fn run(settings: Run) -> anyhow::Result<()> {
    connect::install_crypto_provider()?;
    let shutdown = shutdown_on_signal()?;
    let listeners = Listeners::bind(&settings).await?;
    let (kube, in_cluster) = connect().await?;
    if settings.install_crds.unwrap_or(!in_cluster) {
        install(&kube, &settings.namespace).await?;
    }
    let store = storage::open(&settings).await?;
    let mut metrics = Metrics::new(settings.audit_tokens);
    let supervisor = Supervisor::new(&shutdown);
    storage::maintain(&store, &mut metrics.registry, &supervisor);

    let registry: Arc<ArcSwap<Registry>> = Arc::default();
    let usage: Arc<ArcSwapOption<Usage>> = Arc::default();
    let (served, used) = (registry.clone(), usage.clone());
    let reporter = Reporter::begin(store.clone(), served, used, &settings).await?;
    let operator = Operator::start(
        kube,
        operator_settings(&settings, &store, &reporter),
        registry.clone(),
        usage,
        metrics.operator,
        metrics.audit.clone(),
        &supervisor,
    );
    let reporting = report(&store, &reporter, &operator, &settings, &supervisor);
    let reviews = Arc::new(TokenReviewCache::new(operator.reviews()));
    reviews.register(&mut metrics.registry);
    let health = Health::watch(store.clone(), &supervisor);
    let probes = admin_router(Admin {
        ready: readiness(&operator, health, reporter.clone()),
        metrics: Arc::new(metrics.registry),
    });
    let app = App {
        trusted_proxies: settings.trusted_proxies(),
        audit: metrics.audit,
        token_reviews: reviews,
        ..App::new(registry, Timestamp::now, metrics.tokens, store.clone())
    };
    sum_up_refusals(&app, &supervisor);
    let (listen, admin) = listeners.addresses()?;
    tracing::info!(issuer = settings.public_url, %listen, %admin, "serving");
    let served = listeners.serve(app, probes, operator, &supervisor).await;
    // Only after the last heartbeat: another one would add the replica again.
    reporting
        .await
        .context("the reports of this replica failed")?;
    reporter.end().await;
    store.close().await;
    tracing::info!("stopped");
    match supervisor.failure() {
        Some(why) => bail!("{why}"),
        None => served,
    }
}

/// Records once a minute how many refusals were not recorded singly, and what was refused for lack of room.
fn sum_up_refusals(app: &App, supervisor: &Supervisor) {
    let (counts, audit) = (app.metrics.overload.clone(), app.audit.clone());
    let sums = overload::sum_up(counts, audit, supervisor.shutdown().clone());
    tokio::spawn(supervisor.guard(sums));
    let (counts, audit) = (app.refusal_counts.clone(), app.audit.clone());
    let sums = sum_up(counts, audit, app.clock, supervisor.shutdown().clone());
    tokio::spawn(supervisor.guard(sums));
}

/// With a shared store the replicas elect the one that writes, and agree on what is ready.
fn operator_settings(settings: &Run, store: &Store, reporter: &Reporter) -> Settings {
    Settings {
        lease: store.is_shared().then(|| reporter.replica().to_owned()),
        ..settings.settings()
    }
}

/// Reports to the other replicas until the shutdown which secrets are used here, and which clients are served.
fn report(
    store: &Store,
    reporter: &Reporter,
    operator: &Operator,
    settings: &Run,
    supervisor: &Supervisor,
) -> JoinHandle<()> {
    let shutdown = supervisor.shutdown();
    if store.is_shared() {
        let replica = reporter.replica().to_owned();
        let every = settings.usage_report_interval;
        let exchange = RolloutExchange::new(store.clone(), replica, operator.agreement(), every);
        tokio::spawn(supervisor.guard(exchange.run_until(shutdown.clone())));
    }
    let reports = reporter.clone();
    let reporting = reports.report_until(operator.readiness(), shutdown.clone());
    tokio::spawn(supervisor.guard(reporting))
}

/// Ready are the operator and the store, and a heartbeat that announces this replica as serving was recorded.
fn readiness(operator: &Operator, store: Health, reporter: Reporter) -> Readiness {
    let operator = operator.readiness();
    let known = move || {
        let unknown = || "this replica has not announced itself to the others yet".to_owned();
        reporter.serves().then_some(()).ok_or_else(unknown)
    };
    Arc::new(move || {
        operator()
            .and_then(|()| store.check())
            .and_then(|()| known())
    })
}

/// SIGTERM and Ctrl-C begin the shutdown.
fn shutdown_on_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let shutdown = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let begin = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: refusing new connections, finishing requests in flight");
        begin.cancel();
    });
    Ok(shutdown)
}
