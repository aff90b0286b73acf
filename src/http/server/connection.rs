//! One connection, from handshake to close.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::activity::{Activity, Watched};
use super::{Answers, Limits, Peer};
use crate::server::tls::Tls;

/// A connection that is told to close gets this long to say good-bye.
const GOODBYE: Duration = Duration::from_secs(1);

/// What all connections of a listener share.
pub struct Connections<S>(Arc<ConnectionContext<S>>);

struct ConnectionContext<S> {
    service: S,
    tls: Option<TlsAcceptor>,
    http: Builder<TokioExecutor>,
    limits: Limits,
    open: Gauge,
    shutdown: CancellationToken,
    abort: CancellationToken,
}

impl<S: Answers> Connections<S> {
    pub fn new(
        service: S,
        tls: Option<Tls>,
        limits: Limits,
        open: Gauge,
        shutdown: &CancellationToken,
    ) -> Self {
        Self(Arc::new(ConnectionContext {
            service,
            tls: tls.map(|tls| tls.acceptor()),
            http: protocol(limits),
            limits,
            open,
            shutdown: shutdown.clone(),
            abort: CancellationToken::new(),
        }))
    }

    /// Serves a connection in a task of its own, so that a slow handshake delays no other.
    pub fn open(&self, stream: TcpStream, peer: Peer, permit: OwnedSemaphorePermit) {
        let shared = self.0.clone();
        tokio::spawn(async move {
            let _open = Counted::new(&shared.open);
            let abort = shared.abort.child_token();
            abort.run_until_cancelled(shared.greet(stream, peer)).await;
            drop(permit);
        });
    }

    /// Ends every connection at once.
    pub fn abort(&self) {
        self.0.abort.cancel();
    }
}

/// HTTP/1.1 and HTTP/2 with bounds on what a peer can make us keep.
fn protocol(limits: Limits) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        // Idle connections and slow heads are ended by `Activity`, which tells one from the other.
        .header_read_timeout(None)
        .max_headers(limits.headers)
        .max_buf_size(limits.header_bytes);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        // Rapid reset (CVE-2023-44487): more than these, and the connection ends.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.idle / 2)
        .keep_alive_timeout(limits.header);
    http
}

impl<S: Answers> ConnectionContext<S> {
    async fn greet(&self, stream: TcpStream, peer: Peer) {
        // A small answer leaves at once instead of waiting for an acknowledgment.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let Some(tls) = &self.tls else {
            return self.converse(stream, peer).await;
        };
        match timeout(self.limits.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.converse(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
    }

    async fn converse<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: T,
        peer: Peer,
    ) {
        let activity = Arc::new(Activity::default());
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let in_flight = activity.begin(request.version());
            let answer = self.service.clone().call(request);
            async move {
                let answer = answer.await;
                drop(in_flight);
                answer
            }
        });
        let io = TokioIo::new(Watched {
            stream,
            activity: activity.clone(),
        });
        let mut connection = pin!(self.http.serve_connection(io, service));
        let shutdown = self.shutdown.child_token();
        let patience = tokio::select! {
            biased;
            _ = &mut connection => return,
            () = activity.abandoned(self.limits) => GOODBYE,
            () = shutdown.cancelled() => self.limits.drain,
        };
        connection.as_mut().graceful_shutdown();
        let _ = timeout(patience, connection).await;
    }
}

/// Counts a connection as long as it lives.
struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    fn new(open: &'a Gauge) -> Self {
        open.inc();
        Self(open)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
