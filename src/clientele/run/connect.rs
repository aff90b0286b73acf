//! The connection to the API server: the pod's ServiceAccount, or a kubeconfig.

mod nesting;

use std::time::Duration;

use anyhow::{Context, bail};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt, retry::RetryPolicy};
use tower::retry::RetryLayer;
use tower::util::{MapResponseLayer, option_layer};
use tower::{BoxError, ServiceBuilder};

use crate::traces::writes::WriteSpans;

/// The timeout of a request to the API server, until its response begins.
const ANSWER: Duration = Duration::from_mins(1);
/// What an API server that is busy or starts has refused is tried again after pauses of these lengths, or when it says.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(2));
/// How often at most: then who asked decides.
const TRIES: u32 = 15;
/// A connection that leads nowhere ends after this: what was sent is not acknowledged, or no probe is answered.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// When an idle connection is probed, and how often then.
const PROBES: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(5));

/// Makes aws-lc-rs the TLS cryptography of the process.
pub fn install_crypto_provider() -> anyhow::Result<()> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    if provider.install_default().is_err() {
        bail!("another cryptographic provider is installed already");
    }
    Ok(())
}

/// Connects; writes are spans if they shall be. Says whether this is a pod of the cluster.
pub async fn connect(spans: Option<WriteSpans>) -> anyhow::Result<(kube::Client, bool)> {
    let (config, in_cluster) = if let Ok(config) = kube::Config::incluster() {
        (config, true)
    } else {
        let config = kube::Config::infer().await.context(
            "no cluster is configured: found neither a kubeconfig (KUBECONFIG or ~/.kube/config) nor a ServiceAccount",
        )?;
        (config, false)
    };
    let server = config.cluster_url.to_string();
    let kube = client(config, spans).with_context(|| format!("cannot reach {server}"))?;
    Ok((kube, in_cluster))
}

/// The stack of kube's own builder with these differences: small writes leave at once instead of waiting up to
/// 40 ms for an acknowledgement (`TCP_NODELAY`), a request that is never answered ends, a connection that leads nowhere
/// ends, pauses between tries are short (kube's grow to minutes), and answers are kept shallow.
pub fn client(config: kube::Config, spans: Option<WriteSpans>) -> kube::Result<kube::Client> {
    if config.proxy_url.is_some() {
        let shallow = MapResponseLayer::new(nesting::shallow);
        return Ok(ClientBuilder::try_from(config)?
            .with_layer(&option_layer(spans))
            .with_layer(&shallow)
            .build());
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(config.connect_timeout);
    tcp.set_keepalive(Some(PROBES.0));
    tcp.set_keepalive_interval(Some(PROBES.1));
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    let retry = RetryPolicy::new(PAUSES.0, PAUSES.1, TRIES, true);
    let retry = retry.map_err(|error| kube::Error::Service(error.into()))?;
    let tls = config.rustls_https_connector_with_connector(tcp)?;
    let http: Client<_, Body> = Client::builder(TokioExecutor::new()).build(tls);
    let service = ServiceBuilder::new()
        .map_response(nesting::shallow)
        .option_layer(spans)
        .layer(config.base_uri_layer())
        .layer(RetryLayer::new(retry))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .timeout(ANSWER)
        .map_err(BoxError::from)
        .service(http);
    Ok(kube::Client::new(service, config.default_namespace))
}
