//! The way of a newcomer: the five commands of README.md, as they stand there, on a node that never saw Clientele.
//!
//! What the commands presuppose is here: the image in the registry that they name, a volume, and a name with a certificate in front of
//! the Service, as an Ingress has it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Service;
use kube::Api;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use xtask::shell;

use super::authority::Authority;
use super::installation::SYSTEM;
use super::machine::{Image, Node, output_of};
use super::release::Release;
use super::volume;
use crate::node::drill::Row;
use crate::support::machine;

/// What a reader replaces by names of their own; here they are real.
const REGISTRY: &str = "registry.example.com";
const ISSUER: &str = "login.example.com";

/// Why no other test runs the block that installs.
const REASON: &str = "sh no-run=on_node::newcomer-runs-it";

/// From `helm install` to a token.
pub async fn way(node: &Node) -> Vec<Row> {
    let drill = "README";
    let release = Release::present(node);
    node.pulled(&Image::present(), REGISTRY);
    let files = tempfile::tempdir().unwrap();
    volume::keep(node, "", &files);
    let folder = files.path().join("repository");
    unpack(&release, &folder);
    let authority = Authority::new();
    let address = ingress(node, &authority).await;
    let curl =
        format!("silent\nshow-error\nfail\nconnect-to = {ISSUER}:443:{address}\ncacert = ca.pem\n");
    std::fs::write(folder.join(".curlrc"), curl).unwrap();
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();

    let begin = Instant::now();
    let outcome = node.shell(&folder, &script());
    let took = begin.elapsed();
    let said = outcome.unwrap_or_else(|error| error);
    let has_token = said.contains(r#"{"access_token":""#) && said.contains(r#""expires_in":600"#);
    // The end says what went wrong.
    let end = said.char_indices().rev().nth(299).map_or(0, |(at, _)| at);
    let seen = if has_token { "a token" } else { &said[end..] };
    let goal = "its five commands, from `helm install` to a token";
    vec![
        Row::holds(drill, "a token at the end", seen, has_token),
        Row::within(drill, goal, Duration::from_mins(1), took),
    ]
}

/// The block that installs, and then those of the first manifest.
fn script() -> String {
    let blocks = shell::blocks();
    let of_readme = |info: &str| -> Vec<String> {
        let blocks = blocks.iter();
        let blocks = blocks.filter(|block| block.page == "README.md" && block.info == info);
        blocks.map(|block| block.code.clone()).collect()
    };
    let (install, first) = (of_readme(REASON), of_readme("sh"));
    assert_eq!((install.len(), first.len()), (1, 2), "blocks of README.md");
    let script = [install, first].concat().concat();
    let commands = [
        "helm install",
        "kubectl apply",
        "kubectl wait",
        "entry()",
        "curl",
    ];
    let begins = |line: &&str| commands.iter().any(|command| line.starts_with(command));
    assert_eq!(script.lines().filter(begins).count(), 5, "{script}");
    script
}

/// The packaged chart, where the repository has it.
fn unpack(release: &Release, folder: &Path) {
    let charts = folder.join("charts");
    std::fs::create_dir_all(&charts).unwrap();
    let mut tar = machine::program("tar");
    tar.args(["-xzf", release.chart(), "-C"]).arg(&charts);
    output_of(&mut tar).unwrap();
}

/// Listens with a certificate for the issuer, and hands every connection to the Service.
async fn ingress(node: &Node, authority: &Authority) -> SocketAddr {
    let (certificate, key) = authority.certificate(ISSUER);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let services: Api<Service> = Api::namespaced(node.kube().await, SYSTEM);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, services) = (acceptor.clone(), services.clone());
            tokio::spawn(async move {
                let mut outside = acceptor.accept(stream).await.ok()?;
                let service = services.get("clientele").await.ok()?.spec?;
                let address = service.cluster_ip?.parse().ok()?;
                let port = u16::try_from(service.ports?.first()?.port).ok()?;
                let mut inside = TcpStream::connect(SocketAddr::new(address, port))
                    .await
                    .ok()?;
                tokio::io::copy_bidirectional(&mut outside, &mut inside)
                    .await
                    .ok()
            });
        }
    });
    address
}
