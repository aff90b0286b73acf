//! `clientele run`: builds both worlds, joins them by the registry, and runs until told to stop.

mod agreement;
pub mod connect;
pub mod root_key;
mod storage;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Run;
use agreement::Talk;
use clientele_api::crd;
use clientele_http::admin::{Admin, Readiness, admin_router};
use clientele_http::api::token_review_cache::Reviews;
use clientele_http::metrics::TokenMetrics;
use clientele_http::server::tls::Tls;
use clientele_http::server::{Limits, serve};
use clientele_http::{App, router};
use clientele_oauth::Registry;
use clientele_oauth::client::secret_usage::Usage;
use clientele_operator::Operator;
use clientele_operator::metrics::ControllerMetrics;
use clientele_operator::settings::{FIELD_MANAGER, Settings};
use clientele_store::Store;
use clientele_telemetry::audit::Audit;
use clientele_telemetry::supervisor::Lasting;
use connect::connect;
use storage::Health;
use usage::Reporter;

/// How often the files of the certificate are looked at.
const TLS_RELOAD: Duration = Duration::from_secs(10);

/// Runs on a runtime of its own until a signal comes.
pub fn run_to_completion(settings: Run) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime could not be started")?
        .block_on(run(settings))
}

async fn run(settings: Run) -> anyhow::Result<()> {
    install_cryptography()?;
    let shutdown = shutdown_on_signal()?;
    let listeners = Listeners::bind(&settings).await?;
    let (kube, in_cluster) = connect().await?;
    if settings.install_crds.unwrap_or(!in_cluster) {
        install(&kube, &settings.namespace).await?;
    }
    let store = storage::open(&settings).await?;

    let registry: Arc<ArcSwap<Registry>> = Arc::default();
    let token_metrics = Arc::new(TokenMetrics::default());
    let controller_metrics = Arc::new(ControllerMetrics::default());
    let mut metrics = prometheus_client::registry::Registry::default();
    let audit = Arc::new(Audit::new(settings.audit_tokens));
    audit.register(&mut metrics);
    token_metrics.register(&mut metrics);
    controller_metrics.register(&mut metrics);
    let lasting = Lasting::new(&shutdown);
    storage::tend(&store, &mut metrics, &lasting);

    let usage: Arc<ArcSwapOption<Usage>> = Arc::default();
    let (served, used) = (registry.clone(), usage.clone());
    let reporter = Reporter::begin(store.clone(), served, used, &settings).await?;
    let operator = Operator::start(
        kube,
        controller_settings(&settings, &store, &reporter),
        registry.clone(),
        usage,
        controller_metrics,
        audit.clone(),
        &lasting,
    );
    let reporting = report(&store, &reporter, &operator, &settings, &lasting);
    let reviews = Arc::new(Reviews::new(operator.reviews()));
    reviews.register(&mut metrics);
    let probes = admin_router(Admin {
        ready: readiness(
            &operator,
            Health::watch(store.clone(), &lasting),
            reporter.clone(),
        ),
        metrics: Arc::new(metrics),
    });
    let app = App {
        trusted_proxies: settings.trusted_proxies(),
        audit,
        reviews,
        ..App::new(registry, Timestamp::now, token_metrics, store.clone())
    };
    tracing::info!(issuer = settings.public_url, listen = %listeners.public.local_addr()?, admin = %listeners.admin.local_addr()?, "serving");
    let served = listeners.serve(app, probes, operator, &lasting).await;
    close(reporting, &reporter, &store).await?;
    if let Some(why) = lasting.failure() {
        bail!("{why}");
    }
    served
}

fn install_cryptography() -> anyhow::Result<()> {
    let installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    if installed.is_err() {
        bail!("another cryptographic provider is installed already");
    }
    Ok(())
}

/// Withdraws this replica and closes the store. The reports end first: a later one would announce the replica again.
async fn close(
    reporting: JoinHandle<()>,
    reporter: &Reporter,
    store: &Store,
) -> anyhow::Result<()> {
    reporting
        .await
        .context("the reports of this replica failed")?;
    reporter.end().await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Where other replicas can have the store open, one writes and all have to agree.
fn controller_settings(settings: &Run, store: &Store, reporter: &Reporter) -> Settings {
    Settings {
        lease: store.is_shared().then(|| reporter.replica().to_owned()),
        ..settings.settings()
    }
}

/// Tells other replicas until the shutdown which secrets are in use here, and what is served.
fn report(
    store: &Store,
    reporter: &Reporter,
    operator: &Operator,
    settings: &Run,
    lasting: &Lasting,
) -> JoinHandle<()> {
    let shutdown = lasting.shutdown();
    if store.is_shared() {
        let replica = reporter.replica().to_owned();
        let every = settings.usage_report_interval;
        let talk = Talk::new(store.clone(), replica, operator.agreement(), every);
        tokio::spawn(lasting.guard(talk.talk_until(shutdown.clone())));
    }
    let reports = reporter.clone();
    let reporting = reports.report_until(operator.readiness(), shutdown.clone());
    tokio::spawn(lasting.guard(reporting))
}

/// The Kubernetes side and the store are both needed, and other replicas have to know.
fn readiness(operator: &Operator, store: Health, reporter: Reporter) -> Readiness {
    let operator = operator.readiness();
    let known = move || {
        let unknown = || "other replicas do not know yet that this one serves".to_owned();
        reporter.serves().then_some(()).ok_or_else(unknown)
    };
    Arc::new(move || {
        operator()
            .and_then(|()| store.check())
            .and_then(|()| known())
    })
}

/// Where the server listens.
struct Listeners {
    public: TcpListener,
    admin: TcpListener,
    tls: Option<Tls>,
}

impl Listeners {
    async fn bind(settings: &Run) -> anyhow::Result<Self> {
        Ok(Self {
            public: bind(settings.listen, "--listen").await?,
            admin: bind(settings.admin_listen, "--admin-listen").await?,
            tls: load_tls(settings).await?,
        })
    }

    /// Serves until the shutdown. Probes answer until the very end, so that a draining server is seen to be alive.
    async fn serve(
        self,
        app: App,
        probes: axum::Router,
        operator: Operator,
        lasting: &Lasting,
    ) -> anyhow::Result<()> {
        let shutdown = lasting.shutdown().clone();
        let stopped = CancellationToken::new();
        let probes = tokio::spawn(serve(
            self.admin,
            probes,
            None,
            Limits::default(),
            Gauge::default(),
            stopped.clone(),
        ));
        if let Some(tls) = &self.tls {
            let watch = tls.clone().watch(TLS_RELOAD, shutdown.clone());
            tokio::spawn(lasting.guard(watch));
        }
        let connections = app.metrics.connections.clone();
        let served = serve(
            self.public,
            router(app),
            self.tls,
            Limits::default(),
            connections,
            shutdown,
        )
        .await;
        operator.stop().await;
        stopped.cancel();
        probes.await.context("the admin listener failed")??;
        served.context("the public listener failed")
    }
}

async fn bind(address: std::net::SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another address with {flag}"))
}

async fn load_tls(settings: &Run) -> anyhow::Result<Option<Tls>> {
    match (&settings.tls_cert, &settings.tls_key) {
        (Some(certificate), Some(key)) => Ok(Some(Tls::load(certificate, key).await?)),
        _ => Ok(None),
    }
}

/// What the chart does elsewhere: the definitions and the namespace, if they are missing.
async fn install(kube: &kube::Client, namespace: &str) -> anyhow::Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(kube.clone());
    let params = PatchParams::apply(FIELD_MANAGER).force();
    for definition in crd::definitions() {
        let name = definition.name_any();
        if definitions
            .get_opt(&name)
            .await
            .context("cannot read CustomResourceDefinitions: does `kubectl get customresourcedefinitions` answer, with the same kubeconfig?")?
            .is_some()
        {
            continue;
        }
        definitions
            .patch(&name, &params, &Patch::Apply(&definition))
            .await
            .with_context(|| format!("cannot install CustomResourceDefinition {name}; install the chart, or `clientele crds | kubectl apply --server-side -f -`"))?;
        tracing::info!(
            name,
            "the CustomResourceDefinition was missing and is installed"
        );
    }
    let namespaces: Api<Namespace> = Api::all(kube.clone());
    if namespaces
        .get_opt(namespace)
        .await
        .context("cannot read namespaces")?
        .is_none()
    {
        let object = serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        namespaces
            .patch(namespace, &params, &Patch::Apply(object))
            .await
            .context("cannot create the operator's namespace")?;
    }
    Ok(())
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
        tracing::info!("stopping: no new connections, requests in flight are finished");
        begin.cancel();
    });
    Ok(shutdown)
}
