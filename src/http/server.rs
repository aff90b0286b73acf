//! Serves a listener: accepts, bounds and ends connections.

mod activity;
pub(crate) mod client_address;
mod connection;
pub mod tls;
pub mod trusted_proxies;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::server::tls::Tls;
use connection::Connections;

/// What a stranger may occupy.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections; more wait in the kernel's queue.
    pub connections: u32,
    /// A TLS handshake takes no longer.
    pub handshake: Duration,
    /// The head of a request takes no longer, within a factor of two.
    pub header: Duration,
    /// A connection without requests is closed after this, within one `header` timeout.
    pub idle: Duration,
    /// The most headers of a request.
    pub headers: usize,
    /// The largest head of a request in bytes.
    pub header_bytes: usize,
    /// Requests at once on one HTTP/2 connection.
    pub streams: u32,
    /// How long requests in flight may take to finish after a shutdown began.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            // Longer than the pools of common clients and proxies keep a connection, so that it is
            // they who close: a POST on a connection that we close at that moment would fail.
            idle: Duration::from_mins(2),
            headers: 64,
            header_bytes: 16 * 1024,
            streams: 128,
            drain: Duration::from_secs(20),
        }
    }
}

/// Who is at the other end of the connection: an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A service that answers requests: an [`axum::Router`] or [`super::Endpoints`].
pub trait Answers:
    Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Serves until `shutdown`, then lets requests in flight finish within `limits.drain`.
///
/// `connections` shows how many are open.
///
/// # Errors
/// If the listener is not a listening socket.
pub async fn serve<S: Answers>(
    listener: TcpListener,
    service: S,
    tls: Option<Tls>,
    limits: Limits,
    connections: Gauge,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, tls = tls.is_some(), "listening");
    let permits = Arc::new(Semaphore::new(limits.connections as usize));
    let closing = CancellationToken::new();
    let connections = Connections::new(service, tls, limits, connections, &closing);
    while let Some(next) = shutdown
        .run_until_cancelled(accept(&listener, &permits))
        .await
    {
        if let Some((stream, peer, permit)) = next {
            connections.open(stream, peer, permit);
        }
    }
    // Closed before any connection is, so that a client that connects again goes to another replica and is not cut off here.
    drop(listener);
    closing.cancel();
    drain(&permits, limits).await;
    connections.abort();
    Ok(())
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, Peer(address), permit)),
        Err(error) => {
            pause_after(&error).await;
            None
        }
    }
}

/// A peer that has gone is its own affair. Anything else (no file descriptors left) lasts a while,
/// and trying again at once would only burn the processor.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::warn!(%error, "cannot accept connections, will retry in 1s");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Every connection holds a permit, so all permits together mean that none is open.
async fn drain(permits: &Semaphore, limits: Limits) {
    if timeout(limits.drain, permits.acquire_many(limits.connections))
        .await
        .is_err()
    {
        let open = limits.connections as usize - permits.available_permits();
        tracing::warn!(open, "closing connections that did not finish in time");
    }
}
