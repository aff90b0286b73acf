//! The listeners: the public one, with TLS if there is a certificate, and the one of probes and metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::state::CertificateEnd;
use crate::config::Run;
use crate::traces::Traces;
#[cfg(feature = "otlp")]
use crate::traces::requests::TracedRequests;
use clientele_http::server::tls::Tls;
use clientele_http::server::{Limits, Traffic, serve};
use clientele_http::{App, router};
use clientele_operator::Operator;
use clientele_telemetry::supervisor::Supervisor;

/// How often the files of the certificate are checked for changes.
const TLS_RELOAD: Duration = Duration::from_secs(10);

/// The sockets of the public server and of the admin server.
pub struct Listeners {
    public: TcpListener,
    admin: TcpListener,
    tls: Option<Tls>,
}

impl Listeners {
    /// Opens both listeners and reads the certificate.
    pub async fn bind(settings: &Run) -> anyhow::Result<Self> {
        Ok(Self {
            public: bind(settings.listen, "--listen").await?,
            admin: bind(settings.admin_listen, "--admin-listen").await?,
            tls: load_tls(settings).await?,
        })
    }

    /// The addresses of the public and of the admin listener.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.public.local_addr()?, self.admin.local_addr()?))
    }

    /// When the certificate ends that is served.
    pub fn certificate_end(&self) -> CertificateEnd {
        let tls = self.tls.clone();
        Arc::new(move || tls.as_ref()?.certificate_ends())
    }

    /// Serves until the shutdown. Probes are answered until the end, so that a draining server is seen to be alive.
    pub async fn serve(
        self,
        app: App,
        probes: axum::Router,
        operator: Operator,
        traces: &Traces,
        supervisor: &Supervisor,
    ) -> anyhow::Result<()> {
        let shutdown = supervisor.shutdown().clone();
        let stopped = CancellationToken::new();
        let probes = tokio::spawn(serve(
            self.admin,
            probes,
            None,
            Limits::of_admin(),
            Traffic::default(),
            stopped.clone(),
        ));
        if let Some(tls) = &self.tls {
            let watch = tls.clone().watch(TLS_RELOAD, shutdown.clone());
            tokio::spawn(supervisor.guard(watch));
        }
        let traffic = Traffic {
            open: app.metrics.connections.clone(),
            overload: app.metrics.overload.clone(),
            trusted_proxies: app.trusted_proxies.clone(),
        };
        let served = serve_public(self.public, app, self.tls, traces, traffic, shutdown).await;
        operator.stop().await;
        stopped.cancel();
        probes.await.context("the admin listener failed")??;
        served.context("the public listener failed")
    }
}

/// Serves the public endpoints; without traces no request pays for them.
async fn serve_public(
    listener: TcpListener,
    app: App,
    tls: Option<Tls>,
    traces: &Traces,
    traffic: Traffic,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let limits = Limits::default();
    #[cfg(feature = "otlp")]
    if traces.are_on() {
        let registry = app.registry.clone();
        let service = TracedRequests::new(router(app), registry);
        return serve(listener, service, tls, limits, traffic, shutdown).await;
    }
    debug_assert!(!traces.are_on(), "without the feature there are none");
    serve(listener, router(app), tls, limits, traffic, shutdown).await
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
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
