//! An open loop of requests, each over a TLS connection of its own: they come when they come, however slow the answers are.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval, timeout};
use tokio_rustls::TlsConnector;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::people::SignedInUsers;
use crate::node::tally::{Failure, Tally};

/// How long an application waits for an answer, connection included.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request that is sent again and again.
#[derive(Clone)]
pub struct Request {
    /// What it asks for.
    pub what: &'static str,
    /// How often in a second.
    pub per_second: u32,
    /// Its bytes.
    pub text: String,
}

/// Where requests go, and those of its clones.
#[derive(Clone)]
pub struct Destination {
    address: Arc<Mutex<SocketAddr>>,
    name: ServerName<'static>,
    connector: TlsConnector,
}

impl Destination {
    /// A server at this address that shows a certificate of this authority for this name.
    pub fn new(address: SocketAddr, name: &str, authority: &CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Each connection pays for a whole handshake.
        config.resumption = rustls::client::Resumption::disabled();
        Self {
            address: Arc::new(Mutex::new(address)),
            name: ServerName::try_from(name.to_owned()).unwrap(),
            connector: TlsConnector::from(Arc::new(config)),
        }
    }

    /// From now on the server is at this address.
    pub fn lead_to(&self, address: SocketAddr) {
        *self.address.lock().unwrap() = address;
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let address = *self.address.lock().unwrap();
        TcpStream::connect(address).await
    }

    /// The answer to a request.
    pub async fn ask(&self, text: &str) -> Result<Vec<u8>, Failure> {
        let answer = timeout(PATIENCE, self.exchange(text)).await;
        answer
            .map_err(|_| Failure::TimedOut)?
            .map_err(|error| Failure::of(&error))
    }

    /// The certificate that is shown to a new connection.
    pub async fn certificate(&self) -> Option<CertificateDer<'static>> {
        let stream = self.connect().await.ok()?;
        let stream = self
            .connector
            .connect(self.name.clone(), stream)
            .await
            .ok()?;
        let shown = stream.get_ref().1.peer_certificates()?.first()?;
        Some(shown.clone().into_owned())
    }

    async fn exchange(&self, text: &str) -> std::io::Result<Vec<u8>> {
        let stream = self.connect().await?;
        let mut stream = self.connector.connect(self.name.clone(), stream).await?;
        stream.write_all(text.as_bytes()).await?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer).await {
            // The connection was closed without a word, after the answer.
            Err(error) if error.kind() != ErrorKind::UnexpectedEof || answer.is_empty() => {
                Err(error)
            }
            _ => Ok(answer),
        }
    }
}

/// Requests that go on until they are stopped, or until the drill was broken off.
pub struct Load {
    stop: DropGuard,
    tally: Arc<Mutex<Tally>>,
    streams: Vec<JoinHandle<()>>,
}

impl Load {
    /// Begins to send all of these, and what these people do.
    pub fn start(
        destination: &Destination,
        requests: &[Request],
        people: Option<&SignedInUsers>,
    ) -> Self {
        let (stop, tally) = (CancellationToken::new(), Arc::<Mutex<Tally>>::default());
        let began = Instant::now();
        let mut streams = Vec::new();
        for request in requests {
            let (to, request) = (destination.clone(), request.clone());
            let stream = send(to, request, began, tally.clone(), stop.clone());
            streams.push(tokio::spawn(stream));
        }
        if let Some(people) = people {
            for family in 0..people.families() {
                let stream = people
                    .clone()
                    .refresh(family, began, tally.clone(), stop.clone());
                streams.push(tokio::spawn(stream));
            }
            let stream = people.clone().visit(began, tally.clone(), stop.clone());
            streams.push(tokio::spawn(stream));
        }
        Self {
            stop: stop.drop_guard(),
            tally,
            streams,
        }
    }

    /// Stops, waits for the answers that are outstanding, and returns what became of all.
    pub async fn stop(self) -> Tally {
        drop(self.stop);
        for stream in self.streams {
            stream.await.unwrap();
        }
        self.tally.lock().unwrap().clone()
    }
}

async fn send(
    destination: Destination,
    request: Request,
    began: Instant,
    tally: Arc<Mutex<Tally>>,
    stop: CancellationToken,
) {
    let mut outstanding = JoinSet::new();
    let mut pace = interval(Duration::from_secs(1) / request.per_second);
    while stop.run_until_cancelled(pace.tick()).await.is_some() {
        while outstanding.try_join_next().is_some() {}
        let (destination, request, tally) = (destination.clone(), request.clone(), tally.clone());
        outstanding.spawn(async move {
            let at = began.elapsed();
            let answer = destination.ask(&request.text).await;
            let outcome = answer.and_then(|answer| Failure::of_answer(&answer, 200));
            tally.lock().unwrap().record(request.what, at, outcome);
        });
    }
    outstanding.join_all().await;
}
