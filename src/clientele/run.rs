//! `clientele run`: builds the operator and the server, joins them by the registry, and runs until a signal.

pub mod build_info;
pub mod connect;
mod heartbeat_state;
mod install;
mod listeners;
mod metrics;
mod presence;
pub mod process;
mod rollout;
pub mod root_key;
pub mod state;
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
use crate::logging;
use crate::traces::Traces;
use clientele_http::App;
use clientele_http::admin::{Admin, Readiness, admin_router};
use clientele_http::api::token_review_cache::TokenReviewCache;
use clientele_http::sums::sum_up;
use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::Usage;
use clientele_operator::Operator;
use clientele_operator::settings::Settings;
use clientele_store::Store;
use clientele_telemetry::audit::{Audit, AuditWriter};
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
    connect::install_crypto_provider()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime could not be started")?;
    let traces = Traces::start(settings.traces().as_ref(), runtime.handle())?;
    logging::start(settings.log_format, &settings.log_level, traces.layer())?;
    runtime.block_on(run(settings, traces))
}

async fn run(settings: Run, traces: Traces) -> anyhow::Result<()> {
    let shutdown = shutdown_on_signal()?;
    let listeners = Listeners::bind(&settings).await?;
    let (kube, in_cluster) = connect(traces.of_writes()).await?;
    if settings.install_crds.unwrap_or(!in_cluster) {
        install(&kube, &settings.namespace).await?;
    }
    let store = storage::unopened(&settings).await?;
    let mut metrics = Metrics::new(audit(&settings, &traces)?, traces.counts());
    let audit = metrics.audit.clone();
    let supervisor = Supervisor::new(&shutdown);

    let registry: Arc<ArcSwap<Registry>> = Arc::default();
    let usage: Arc<ArcSwapOption<Usage>> = Arc::default();
    let (served, used) = (registry.clone(), usage.clone());
    let reporter = Reporter::new(store.clone(), served, used, &settings)?;
    let holder = storage::holder(&settings, &store, reporter.replica());
    let health = Health::begin(&store, &holder, &mut metrics.registry, &supervisor).await?;
    let operator = Operator::start(
        kube,
        operator_settings(&settings, &store, holder),
        registry.clone(),
        usage,
        metrics.operator,
        metrics.audit.clone(),
        &supervisor,
    );
    let reporting = report(&store, &reporter, &operator, &settings, &supervisor);
    let reviews = Arc::new(TokenReviewCache::new(operator.reviews()));
    reviews.register(&mut metrics.registry);
    let ready = readiness(&operator, health, reporter.clone(), &supervisor);
    state::register(&mut metrics.registry, &ready, listeners.certificate_end());
    let probes = admin_router(Admin {
        ready: ready.clone(),
        metrics: Arc::new(metrics.registry),
    });
    let app = App {
        trusted_proxies: settings.trusted_proxies(),
        audit: metrics.audit,
        ready,
        token_reviews: reviews,
        is_behind: is_behind(&reporter),
        ..App::new(registry, Timestamp::now, metrics.tokens, store.clone())
    };
    tokio::spawn(supervisor.guard(sum_up(&app, shutdown.clone())));
    let (listen, admin) = listeners.addresses()?;
    tracing::info!(issuer = settings.public_url, %listen, %admin, "serving");
    let served = listeners
        .serve(app, probes, operator, &traces, &supervisor)
        .await;
    // Only after the last heartbeat: another one would add the replica again.
    reporting
        .await
        .context("the reports of this replica failed")?;
    reporter.end().await;
    store.close().await;
    traces.end().await;
    end(&audit, &supervisor, served)
}

/// Writes the last lines of the audit log, and says why the process ended.
fn end(audit: &Audit, supervisor: &Supervisor, served: anyhow::Result<()>) -> anyhow::Result<()> {
    if let Some(lines) = audit.writer() {
        lines.close();
    }
    tracing::info!("stopped");
    match supervisor.failure() {
        Some(why) => bail!("{why}"),
        None => served,
    }
}

/// The audit log, with its destination if it has one of its own.
fn audit(settings: &Run, traces: &Traces) -> anyhow::Result<Audit> {
    let audit = Audit::new(settings.audit_tokens).with_traces(traces.current());
    let Some(destination) = &settings.audit_log else {
        return Ok(audit);
    };
    let destination = logging::open(destination)?;
    let writer = AuditWriter::start(destination, settings.audit_when_full.into())
        .context("the thread of the audit log could not be started")?;
    Ok(audit.with_writer(writer))
}

/// With a shared store the replicas elect the one that writes, and agree on what is ready. With a store of its own the Lease keeps a
/// second process from serving.
fn operator_settings(settings: &Run, store: &Store, holder: String) -> Settings {
    Settings {
        lease: Some(holder),
        shares_store: store.is_shared(),
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
        let every = settings.usage_report_interval;
        let exchange = RolloutExchange::new(store.clone(), reporter, operator.agreement(), every);
        tokio::spawn(supervisor.guard(exchange.run_until(shutdown.clone())));
    }
    let reports = reporter.clone();
    let reporting =
        reports.report_until(operator.readiness(), operator.catch_up(), shutdown.clone());
    tokio::spawn(supervisor.guard(reporting))
}

/// Ready is a replica that serves the registry, once the others know of it. The database is needed for that once; afterwards what
/// needs memory only is served without it, so readiness does not depend on it. A replica that stops is not ready: load balancers
/// that still reach it send requests elsewhere.
fn readiness(
    operator: &Operator,
    database: Health,
    reporter: Reporter,
    supervisor: &Supervisor,
) -> Readiness {
    let operator = operator.readiness();
    let shutdown = supervisor.shutdown().clone();
    let known = move || match (reporter.serves(), database.problem()) {
        (true, _) => Ok(()),
        (false, None) => Err("this replica has not announced itself to the others yet".to_owned()),
        (false, Some(problem)) => Err(format!(
            "this replica has not announced itself to the others yet: {problem}"
        )),
    };
    Arc::new(move || {
        if shutdown.is_cancelled() {
            return Err("this replica is stopping".to_owned());
        }
        operator().and_then(|()| known())
    })
}

/// Whether a client may be Ready of which this replica has not heard, because the others wait for it no longer.
fn is_behind(reporter: &Reporter) -> Arc<dyn Fn() -> bool + Send + Sync> {
    let heartbeat_state = reporter.heartbeat_state();
    Arc::new(move || heartbeat_state.is_behind())
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
