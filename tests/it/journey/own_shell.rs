//! A developer's shell: a kubeconfig, `clientele run`, and nothing else. No chart, no rights prepared.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::join_all;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::authority::Authority;
use super::node::machine;
use super::program::Program;
use crate::support::DEADLINE;
use crate::support::cluster::Cluster;
use crate::support::test_namespace::{TestNamespace, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clientele_run_needs_nothing_but_a_kubeconfig() {
    let cluster = tokio::task::spawn_blocking(Cluster::start).await.unwrap();
    let mut program = Program::start(&cluster.kubeconfig, "http", &[]);
    let issuer = format!("http://{}", program.listen);
    let space = TestNamespace::within(&cluster, &issuer, "shell").await;
    space.ready("machine", json!({})).await;
    let before = space.entries("machine-oauth").await;
    assert_eq!(before["ISSUER"], issuer);
    assert_eq!(machine(&before).run().await["basic"]["alg"], "ES256");
    finishes_what_it_has_begun(&mut program, &before).await;

    let after = moves_to_https(&cluster, &space).await;
    assert_eq!(
        after["CLIENT_SECRET"], before["CLIENT_SECRET"],
        "a URL may change"
    );
}

/// F06: requests in flight at SIGTERM get their answers; new connections are refused; then it ends well.
async fn finishes_what_it_has_begun(program: &mut Program, credentials: &BTreeMap<String, String>) {
    let mut in_flight = join_all((0..50).map(|_| begin(&program.listen, credentials))).await;
    program.terminate();
    eventually("the listener is closed", || async {
        match TcpStream::connect(&program.listen).await {
            Ok(_) => Err("still open".to_owned()),
            Err(_) => Ok(()),
        }
    })
    .await;
    let answers = join_all(in_flight.iter_mut().map(finish)).await;
    let good =
        |answer: &String| answer.starts_with("HTTP/1.1 200") && answer.contains("access_token");
    assert!(answers.iter().all(good), "{answers:?}");
    assert!(program.wait().success(), "{}", program.log());
}

const BODY: &str = "grant_type=client_credentials";

/// A token request of which the last bytes are still to come.
async fn begin(address: &str, credentials: &BTreeMap<String, String>) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let basic = STANDARD.encode(format!(
        "{}:{}",
        credentials["CLIENT_ID"], credentials["CLIENT_SECRET"]
    ));
    let head = format!(
        "POST /token HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        BODY.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // "100 Continue": the server has read the head and waits for the body.
    let mut answer = [0; 25];
    timeout(DEADLINE, stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 100"));
    stream
}

async fn finish(stream: &mut TcpStream) -> String {
    stream.write_all(BODY.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    answer
}

/// The same cluster under another URL, with a certificate that is renewed while it serves.
async fn moves_to_https(cluster: &Cluster, space: &TestNamespace) -> BTreeMap<String, String> {
    let authority = Authority::new();
    let (certificate, key) = authority.server();
    let tls = [
        ("CLIENTELE_TLS_CERT", certificate.as_os_str()),
        ("CLIENTELE_TLS_KEY", key.as_os_str()),
    ];
    let program = Program::start(&cluster.kubeconfig, "https", &tls);
    let issuer = format!("https://{}", program.listen);
    eventually("the Secret names the new issuer", || async {
        let entries = space.entries("machine-oauth").await;
        if entries["ISSUER"] == issuer {
            Ok(())
        } else {
            Err(entries["ISSUER"].clone())
        }
    })
    .await;
    let entries = space.entries("machine-oauth").await;
    let machine = machine(&entries).with("NODE_EXTRA_CA_CERTS", authority.ca());
    assert_eq!(machine.run().await["post"]["claims"]["iss"], issuer);

    let renewed = authority.issue();
    eventually("a new handshake shows the renewed certificate", || async {
        let shown = shown_certificate(&program.listen, &authority).await;
        if shown == renewed {
            Ok(())
        } else {
            Err("still the former one".to_owned())
        }
    })
    .await;
    entries
}

async fn shown_certificate(address: &str, authority: &Authority) -> CertificateDer<'static> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}
