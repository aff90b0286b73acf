//! One connection, from handshake to close.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::HttpBody;
use axum::http::HeaderMap;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::activity::{Ending, InFlight, Watched};
use super::answer_body::AnswerBody;
use super::budget::{Admitted, Budget};
use super::overload::Reason;
use super::room::{Place, Room};
use super::{Answers, Limits, Peer, Traffic};
use crate::error_response::Refusal;
use crate::server::tls::Tls;

/// A connection that is told to close gets this long to say good-bye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Bytes of one answer that the HTTP/2 library keeps.
const SEND_BUFFER: usize = 16 * 1024;
/// Bytes of one body that a peer may send before it is read: as long as the largest body.
const STREAM_WINDOW: u32 = 64 * 1024;
/// Bytes of all bodies of a connection.
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// What all connections of a listener share.
pub struct Connections<S>(Arc<ConnectionContext<S>>);

struct ConnectionContext<S> {
    service: S,
    tls: Option<TlsAcceptor>,
    http: Builder<TokioExecutor>,
    limits: Limits,
    traffic: Traffic,
    room: Arc<Room>,
    budget: Arc<Budget>,
    shutdown: CancellationToken,
    abort: CancellationToken,
}

impl<S: Answers> Connections<S> {
    pub fn new(
        service: S,
        tls: Option<Tls>,
        limits: Limits,
        traffic: Traffic,
        room: Arc<Room>,
        shutdown: &CancellationToken,
    ) -> Self {
        Self(Arc::new(ConnectionContext {
            service,
            tls: tls.map(|tls| tls.acceptor()),
            http: protocol(limits),
            limits,
            traffic,
            budget: Arc::new(Budget::new(limits, room.clone())),
            room,
            shutdown: shutdown.clone(),
            abort: CancellationToken::new(),
        }))
    }

    /// Serves a connection in a task of its own, so that a slow handshake delays no other.
    pub fn open(&self, stream: TcpStream, peer: Peer, place: Place) {
        let shared = self.0.clone();
        tokio::spawn(async move {
            let _open = Counted::new(&shared.traffic.open);
            let conversation = shared.greet(stream, peer, &place);
            tokio::select! {
                biased;
                () = shared.abort.cancelled() => (),
                () = place.leave.cancelled() => (),
                () = conversation => (),
            }
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
    if limits.one_answer {
        http = http.http1_only();
    }
    http.http1()
        .keep_alive(!limits.one_answer)
        .timer(TokioTimer::new())
        // Idle connections and slow heads are ended by `Activity`, which tells one from the other.
        .header_read_timeout(None)
        .max_headers(limits.headers)
        .max_buf_size(limits.header_bytes);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_send_buf_size(SEND_BUFFER)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        // Rapid reset (CVE-2023-44487): more than these, and the connection ends.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.idle / 2)
        .keep_alive_timeout(limits.header);
    http
}

impl<S: Answers> ConnectionContext<S> {
    async fn greet(&self, stream: TcpStream, peer: Peer, place: &Place) {
        // A small answer leaves at once instead of waiting for an acknowledgment.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let Some(tls) = &self.tls else {
            return self.converse(stream, peer, place).await;
        };
        match timeout(self.limits.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.converse(stream, peer, place).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
    }

    async fn converse<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: T,
        peer: Peer,
        place: &Place,
    ) {
        let activity = &place.activity;
        let service = service_fn(|mut request: Request<Incoming>| {
            let in_flight = activity.begin(request.version());
            let admitted = self.budget.admit(|| self.client(peer, request.headers()));
            request.extensions_mut().insert(peer);
            let asked = admitted.map(|admitted| (self.service.clone().call(request), admitted));
            async move {
                match asked {
                    Ok((answer, admitted)) => Ok(leaving(answer.await?, in_flight, admitted)),
                    Err(reason) => Ok::<_, Infallible>(refuse(reason, in_flight)),
                }
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
            ending = activity.ended(self.limits) => match ending {
                Ending::Abandoned => GOODBYE,
                // It would not read a good-bye either.
                Ending::Stalled => return self.room.count(Reason::UnreadAnswer),
            },
            () = shutdown.cancelled() => self.limits.drain,
        };
        connection.as_mut().graceful_shutdown();
        let _ = timeout(patience, connection).await;
    }

    fn client(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        self.traffic.trusted_proxies.client(peer.0.ip(), headers)
    }
}

/// The answer, which counts until its body has left.
fn leaving(
    response: Response,
    in_flight: InFlight,
    mut admitted: Admitted,
) -> Response<AnswerBody> {
    let bytes = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
    admitted.answered(bytes);
    let unsent = in_flight.answered(bytes);
    response.map(|body| AnswerBody::new(body, Some(unsent), Some(admitted)))
}

fn refuse(reason: Reason, in_flight: InFlight) -> Response<AnswerBody> {
    let refusal = match reason {
        Reason::RequestsOfAddress => Refusal::TOO_MANY_OF_ADDRESS,
        _ => Refusal::TOO_MANY,
    };
    let unsent = in_flight.answered(0);
    let response = refusal.into_response();
    response.map(|body| AnswerBody::new(body, Some(unsent), None))
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
