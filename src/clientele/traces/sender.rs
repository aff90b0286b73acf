//! Sends to the collector. The thread that exports has no reactor, so each exchange is a task of the runtime; and since a collector
//! may be away, slow or hostile, an exchange has a bound in time and in bytes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::redirect::Policy;
use tokio::runtime::Handle;

/// An exchange takes no longer, with its connection and its answer.
pub const EXCHANGE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read. One says how many spans were refused.
const MAX_ANSWER: usize = 64 * 1024;

/// A client of the collector.
#[derive(Clone, Debug)]
pub struct Sender {
    runtime: Handle,
    http: reqwest::Client,
    /// Whether the last exchange failed, which the log says once.
    failing: Arc<AtomicBool>,
}

impl Sender {
    /// Sends on this runtime, directly and to nowhere else. For https it trusts the authorities of the machine.
    ///
    /// # Errors
    ///
    /// https, and the machine has no authorities.
    pub fn new(runtime: Handle, endpoint: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(EXCHANGE)
            .pool_max_idle_per_host(1);
        // The image has no authorities.
        let http = if endpoint.starts_with("https:") {
            http
        } else {
            http.tls_certs_only([])
        };
        let http = http.build().context(
            "no certificate authority is known for the collector; name a file of them (PEM) by SSL_CERT_FILE",
        )?;
        Ok(Self {
            runtime,
            http,
            failing: Arc::default(),
        })
    }

    async fn exchange(self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answered = send(&self.http, request).await;
        let problem = match &answered {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answered {}", answer.status())),
            // Without its URL, which is in the settings.
            Err(error) => Some(chain(error)),
        };
        let failed_before = self.failing.swap(problem.is_some(), Relaxed);
        match problem {
            Some(error) if !failed_before => {
                tracing::warn!(
                    error,
                    "the collector does not accept traces; dropping them until it does"
                );
            }
            None if failed_before => tracing::info!("the collector accepts traces again"),
            _ => {}
        }
        Ok(answered?)
    }
}

async fn send(
    http: &reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, reqwest::Error> {
    let answer = http.execute(request.try_into()?).await;
    let mut answer = answer.map_err(reqwest::Error::without_url)?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = answer.status();
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + part.len() > MAX_ANSWER {
            break;
        }
        body.extend_from_slice(&part);
    }
    *response.body_mut() = body.into();
    Ok(response)
}

/// An error and its causes: the outermost of reqwest says only that it failed.
fn chain(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| {
        error.source()
    });
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

impl HttpClient for Sender {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let exchange = self.runtime.spawn(self.clone().exchange(request));
        Box::pin(async { exchange.await? })
    }
}
