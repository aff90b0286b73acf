//! The connection to the API server: the pod's ServiceAccount, or a kubeconfig.

mod nesting;

use std::time::Duration;

use anyhow::{Context, bail};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt, retry::RetryPolicy};
use tower::retry::RetryLayer;
use tower::util::MapResponseLayer;
use tower::{BoxError, ServiceBuilder};

/// The timeout of a request to the API server, until its response begins.
const ANSWER: Duration = Duration::from_mins(1);

/// Makes aws-lc-rs the TLS cryptography of the process.
pub fn install_crypto_provider() -> anyhow::Result<()> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    if provider.install_default().is_err() {
        bail!("another cryptographic provider is installed already");
    }
    Ok(())
}

/// Connects. Says whether this is a pod of the cluster.
pub async fn connect() -> anyhow::Result<(kube::Client, bool)> {
    let (config, in_cluster) = if let Ok(config) = kube::Config::incluster() {
        (config, true)
    } else {
        let config = kube::Config::infer().await.context(
            "no cluster is configured: found neither a kubeconfig (KUBECONFIG or ~/.kube/config) nor a ServiceAccount",
        )?;
        (config, false)
    };
    let server = config.cluster_url.to_string();
    let kube = client(config).with_context(|| format!("cannot reach {server}"))?;
    Ok((kube, in_cluster))
}

/// The stack of kube's own builder with three differences: small writes leave at once instead of waiting up to
/// 40 ms for an acknowledgement (`TCP_NODELAY`), a request that is never answered ends, and answers are kept shallow.
pub fn client(config: kube::Config) -> kube::Result<kube::Client> {
    if config.proxy_url.is_some() {
        let shallow = MapResponseLayer::new(nesting::shallow);
        return Ok(ClientBuilder::try_from(config)?
            .with_layer(&shallow)
            .build());
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(config.connect_timeout);
    let tls = config.rustls_https_connector_with_connector(tcp)?;
    let http: Client<_, Body> = Client::builder(TokioExecutor::new()).build(tls);
    let service = ServiceBuilder::new()
        .map_response(nesting::shallow)
        .layer(config.base_uri_layer())
        .layer(RetryLayer::new(RetryPolicy::server_retry()))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .timeout(ANSWER)
        .map_err(BoxError::from)
        .service(http);
    Ok(kube::Client::new(service, config.default_namespace))
}
