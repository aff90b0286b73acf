//! Serves a listener: accepts, bounds and ends connections.

mod activity;
mod answer_body;
mod budget;
pub(crate) mod client_address;
mod connection;
pub mod overload;
mod room;
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
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::server::tls::Tls;
use connection::Connections;
use overload::Overload;
use room::{Place, Room};
use trusted_proxies::TrustedProxies;

/// What a stranger may occupy.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections; for more, those that have been idle longest make room. No address but a trusted proxy has more
    /// than an eighth of them.
    pub connections: u32,
    /// Requests in flight on all connections together. Once there are many, no address has more than an eighth of them.
    pub requests: usize,
    /// Bytes of answers that have not left, on all connections together.
    pub unread: usize,
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
    /// A connection whose peer takes nothing of an answer is closed after this, within half as long again.
    pub stall: Duration,
    /// Whether a connection ends with its first answer, and is HTTP/1.1.
    pub one_answer: bool,
    /// How long requests in flight may take to finish after a shutdown began.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            requests: 4_096,
            unread: 64 * 1024 * 1024,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            // Longer than the pools of common clients and proxies keep a connection, so that it is
            // they who close: a POST on a connection that we close at that moment would fail.
            idle: Duration::from_mins(2),
            headers: 64,
            header_bytes: 16 * 1024,
            streams: 32,
            stall: Duration::from_secs(10),
            one_answer: false,
            drain: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// Those of the admin listener: a probe always finds a place, because no connection stays there.
    pub fn of_admin() -> Self {
        Self {
            connections: 256,
            requests: 64,
            unread: 16 * 1024 * 1024,
            header: Duration::from_secs(5),
            one_answer: true,
            ..Self::default()
        }
    }
}

/// What a listener reports, and whom it trusts. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// How many connections are open.
    pub open: Gauge,
    /// What is refused for lack of room.
    pub overload: Arc<Overload>,
    /// Peers that stand for many others.
    pub trusted_proxies: TrustedProxies,
}

impl From<Gauge> for Traffic {
    fn from(open: Gauge) -> Self {
        Self {
            open,
            ..Self::default()
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
/// # Errors
/// If the listener is not a listening socket.
pub async fn serve<S: Answers>(
    listener: TcpListener,
    service: S,
    tls: Option<Tls>,
    limits: Limits,
    traffic: impl Into<Traffic>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let (address, traffic) = (listener.local_addr()?, traffic.into());
    tracing::info!(%address, tls = tls.is_some(), "listening");
    let room = Arc::new(Room::new(limits, traffic.clone()));
    let closing = CancellationToken::new();
    let connections = Connections::new(service, tls, limits, traffic, room.clone(), &closing);
    while let Some(next) = shutdown.run_until_cancelled(accept(&listener, &room)).await {
        if let Some((stream, peer, place)) = next {
            connections.open(stream, peer, place);
        }
    }
    // Closed before any connection is, so that a client that connects again goes to another replica and is not cut off here.
    drop(listener);
    closing.cancel();
    drain(&room, limits).await;
    connections.abort();
    Ok(())
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, room: &Arc<Room>) -> Option<(TcpStream, Peer, Place)> {
    match listener.accept().await {
        Ok((stream, address)) => {
            let place = room.enter(address.ip()).await?;
            Some((stream, Peer(address), place))
        }
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

async fn drain(room: &Room, limits: Limits) {
    if timeout(limits.drain, room.emptied()).await.is_err() {
        let open = room.open();
        tracing::warn!(open, "closing connections that did not finish in time");
    }
}
