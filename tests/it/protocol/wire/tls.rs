//! M01 and certificates that change.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clientele_http::server::Limits;
use clientele_http::server::tls::Tls;
use rcgen::CertifiedKey;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::support::DEADLINE;
use crate::support::logs::Logs;
use crate::support::running::{Running, read_to_end};
use crate::support::test_server::TestServer;

/// A mounted Secret of type `kubernetes.io/tls`.
struct Mounted {
    folder: TempDir,
}

impl Mounted {
    fn new() -> (Self, CertificateDer<'static>) {
        let mounted = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let certificate = mounted.replace();
        (mounted, certificate)
    }

    /// Changes the content as a kubelet does: a new folder, and a link that is swapped.
    fn replace(&self) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["id.example".to_owned()]).unwrap();
        self.write(&cert.pem(), &signing_key.serialize_pem());
        cert.der().clone()
    }

    fn write(&self, certificate: &str, key: &str) {
        let version = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        std::fs::write(version.join("tls.crt"), certificate).unwrap();
        std::fs::write(version.join("tls.key"), key).unwrap();
        let next = self.folder.path().join("..data_tmp");
        std::os::unix::fs::symlink(&version, &next).unwrap();
        std::fs::rename(&next, self.data()).unwrap();
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("..data")
    }

    async fn load(&self) -> Tls {
        let (certificate, key) = (self.data().join("tls.crt"), self.data().join("tls.key"));
        Tls::load(&certificate, &key).await.unwrap()
    }
}

async fn connect(
    server: &Running,
    root: &CertificateDer<'static>,
    alpn: &[&str],
) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("id.example").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, server.connect().await)
        .await
}

/// A `ClientHello` (RFC 5246 §7.4.1.2) of a version and cipher suites, without extensions.
fn client_hello(version: [u8; 2], suites: &[u16]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    let length = u16::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1];
    record.extend((length + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend(length.to_be_bytes());
    record.extend(body);
    record
}

async fn alert(server: &Running, hello: &[u8]) -> Vec<u8> {
    let mut stream = server.connect().await;
    stream.write_all(hello).await.unwrap();
    read_to_end(&mut stream).await
}

#[tokio::test]
async fn m01_tls_1_0_and_1_1_and_weak_ciphers_are_refused() {
    let (mounted, _) = Mounted::new();
    let server = Running::start(
        TestServer::new().await.router,
        Some(mounted.load().await),
        Limits::default(),
    )
    .await;
    // ECDHE-ECDSA-AES128-SHA, RSA-AES128-SHA, RSA-3DES-SHA, RSA-RC4-SHA
    let old = [0xc009, 0x002f, 0x000a, 0x0005];
    for version in [[3, 0], [3, 1], [3, 2], [3, 3]] {
        let answer = alert(&server, &client_hello(version, &old)).await;
        // A fatal alert (RFC 5246 §7.2), and nothing else.
        assert_eq!(
            (answer.first(), answer.get(5), answer.len()),
            (Some(&21), Some(&2), 7),
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn m01_tls_1_3_with_http_1_and_http_2_is_served() {
    let (mounted, root) = Mounted::new();
    let server = Running::start(
        TestServer::new().await.router,
        Some(mounted.load().await),
        Limits::default(),
    )
    .await;
    for protocol in ["h2", "http/1.1"] {
        let stream = connect(&server, &root, &[protocol]).await.unwrap();
        let session = stream.get_ref().1;
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(session.alpn_protocol(), Some(protocol.as_bytes()));
    }
    let mut stream = connect(&server, &root, &["http/1.1"]).await.unwrap();
    stream
        .write_all(b"GET /jwks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    let _ = timeout(DEADLINE, stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn m04_a_handshake_that_never_comes_is_ended_and_delays_nobody() {
    let (mounted, root) = Mounted::new();
    let start = async |limits| {
        let tls = Some(mounted.load().await);
        Running::start(TestServer::new().await.router, tls, limits).await
    };
    let patient = start(Limits::default()).await;
    let _silent = patient.connect().await;
    connect(&patient, &root, &["h2"]).await.unwrap();
    let hasty = Limits {
        handshake: Duration::from_millis(50),
        ..Limits::default()
    };
    let hasty = start(hasty).await;
    let mut silent = hasty.connect().await;
    assert_eq!(read_to_end(&mut silent).await, b"");
}

/// Tries until the server shows this certificate.
async fn until_served(server: &Running, root: &CertificateDer<'static>) {
    let handshake = async {
        while connect(server, root, &["h2"]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, handshake)
        .await
        .expect("the certificate is served");
}

#[tokio::test]
async fn a_new_certificate_is_taken_and_a_broken_one_is_not() {
    let (logs, _guard) = Logs::capture();
    let (mounted, first) = Mounted::new();
    let tls = mounted.load().await;
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(tls.clone().watch(Duration::from_millis(5), stop));
    let server = Running::start(TestServer::new().await.router, Some(tls), Limits::default()).await;
    until_served(&server, &first).await;

    let second = mounted.replace();
    until_served(&server, &second).await;
    assert!(connect(&server, &first, &["h2"]).await.is_err());

    mounted.write(
        "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n",
        "no key",
    );
    let warned = async {
        while !logs.text().contains("keeping the old one") {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(DEADLINE, warned)
        .await
        .expect("a warning is logged");
    connect(&server, &second, &["h2"])
        .await
        .expect("the old certificate stays");

    let third = mounted.replace();
    until_served(&server, &third).await;
}

#[tokio::test]
async fn certificates_that_cannot_be_served_are_named_with_their_file() {
    let (mounted, _) = Mounted::new();
    let (certificate, key) = (
        mounted.data().join("tls.crt"),
        mounted.data().join("tls.key"),
    );
    let sentence = async |certificate: &Path, key: &Path| {
        Tls::load(certificate, key)
            .await
            .err()
            .expect("refused")
            .to_string()
    };
    let absent = mounted.data().join("absent");
    assert!(sentence(&absent, &key).await.contains("cannot read"));
    assert!(
        sentence(&key, &key)
            .await
            .contains("holds no certificate chain")
    );
    assert!(
        sentence(&certificate, &certificate)
            .await
            .contains("holds no private key")
    );
    let (other, _) = Mounted::new();
    let mismatch = sentence(&certificate, &other.data().join("tls.key")).await;
    assert!(mismatch.contains("cannot be used together"), "{mismatch}");
}

#[tokio::test]
async fn o17_the_end_of_the_certificate_is_a_metric() {
    use clientele::run::state;
    use prometheus_client::encoding::text::encode;
    let (mounted, _) = Mounted::new();
    for year in [2031, 2051] {
        let mut parameters = rcgen::CertificateParams::new(["id.example".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 2, 3);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        mounted.write(&certificate.pem(), &key.serialize_pem());
        let tls = mounted.load().await;
        let mut registry = prometheus_client::registry::Registry::default();
        let end = Arc::new(move || tls.certificate_ends());
        let unready: clientele_http::admin::Readiness = Arc::new(|| Err("starting".to_owned()));
        state::register(&mut registry, &unready, end);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let date = format!("{year}-02-03T00:00:00Z").parse::<jiff::Timestamp>();
        let line = format!(
            "clientele_tls_certificate_expiry_timestamp_seconds {}",
            date.unwrap().as_second()
        );
        assert!(text.lines().any(|l| l == line), "{text}");
        assert!(text.contains("\nclientele_ready 0\n"), "{text}");
    }
}
