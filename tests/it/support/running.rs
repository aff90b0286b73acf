//! A server on a loopback port, and raw connections to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clientele_http::server::overload::Overload;
use clientele_http::server::tls::Tls;
use clientele_http::server::{Answers, Limits, Traffic, serve};
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::DEADLINE;

/// A listener of this process, shut down when dropped.
pub struct Running {
    pub address: SocketAddr,
    pub connections: Gauge,
    pub overload: Arc<Overload>,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<std::io::Result<()>>,
    _guard: DropGuard,
}

impl Running {
    pub async fn start(service: impl Answers, tls: Option<Tls>, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (traffic, shutdown) = (Traffic::default(), CancellationToken::new());
        let task = tokio::spawn(serve(
            listener,
            service,
            tls,
            limits,
            traffic.clone(),
            shutdown.clone(),
        ));
        Self {
            address,
            connections: traffic.open,
            overload: traffic.overload,
            task,
            _guard: shutdown.clone().drop_guard(),
            shutdown,
        }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection from another loopback address, such as 127.0.0.2.
    pub async fn connect_from(&self, address: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        let from = format!("{address}:0").parse().unwrap();
        socket.bind(from).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Sends bytes on a new connection, and reads until the server closes.
    pub async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // A server that has refused may close before it has read everything.
        let _ = stream.write_all(bytes).await;
        String::from_utf8_lossy(&read_to_end(&mut stream).await).into_owned()
    }

    /// Waits until this many connections are open.
    pub async fn until_open(&self, count: i64) {
        let reached = async {
            while self.connections.get() != count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(DEADLINE, reached)
            .await
            .unwrap_or_else(|_| panic!("{} open, not {count}", self.connections.get()));
    }
}

/// Everything until the server closes; panics if it does not.
pub async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(DEADLINE, stream.read_to_end(&mut bytes)).await;
    // A reset is a close, too.
    let _ = read.expect("the server closes the connection");
    bytes
}

/// Reads until the text has come.
pub async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&seen).contains(text) {
            let read = stream.read_buf(&mut seen).await.unwrap();
            assert!(
                read > 0,
                "closed before {text:?}: {}",
                String::from_utf8_lossy(&seen)
            );
        }
    };
    timeout(DEADLINE, reading).await.expect("the text comes");
    String::from_utf8_lossy(&seen).into_owned()
}
