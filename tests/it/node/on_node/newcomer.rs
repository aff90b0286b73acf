//! The way of a newcomer, on a node that never saw Clientele: the image goes to a registry and is installed by the commands of
//! docs/operations/install.md, and the five commands of README.md lead to a token, all as they stand there.
//!
//! What the commands presuppose is here: what `make image` leaves, the registry under the name that they have for it, a volume, and a name with a
//! certificate in front of the Service.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Service;
use kube::Api;
use xtask::shell;

use super::authority::Authority;
use super::front::front;
use super::installation::{PATIENCE, SYSTEM};
use super::machine::{Image, Node, output_of};
use super::registry::registry;
use super::volume;
use crate::node::drill::Row;
use crate::support::cluster::tool;
use crate::support::machine;

const ISSUER: &str = "login.example.com";

/// Why no other test runs these blocks.
const REASON: &str = "sh no-run=on_node::newcomer-runs-it";

/// From an image to a token, twice.
pub async fn way(node: &Node) -> Vec<Row> {
    let files = tempfile::tempdir().unwrap();
    volume::keep(node, "", &files);
    let desk = files.path().join("repository");
    let crane = tool("crane");
    node.desk(&desk, &[("crane", &crane)]);
    unpack(node, &desk);
    Image::present().leave_in(&desk.join("target/image"));
    let authority = Authority::new();
    std::fs::write(desk.join("ca.pem"), authority.pem()).unwrap();
    let _registry = registry(node, &authority, &crane, &desk).await;
    ingress(node, &authority, &desk).await;

    let (push, install) = documented();
    let (readme, token) = readme();
    let pushed = node.shell(&desk, &push);
    let seen = pushed.as_ref().err().map_or("pushed", |said| end(said));
    let mut rows = vec![Row::holds(
        "README",
        "the image goes to a registry",
        seen,
        pushed.is_ok(),
    )];
    let goal = "its five commands, from `helm install` to a token";
    rows.extend(to_a_token(node, &desk, &readme, goal));

    let uninstall = ["uninstall", "clientele", "--namespace", SYSTEM, "--wait"];
    node.helm(&[&uninstall[..], &[PATIENCE]].concat()).unwrap();
    let goal = "the commands of install.md, by digest, to a token";
    rows.extend(to_a_token(node, &desk, &(install + &token), goal));
    rows
}

fn to_a_token(node: &Node, desk: &Path, script: &str, goal: &str) -> [Row; 2] {
    let begin = Instant::now();
    let outcome = node.shell(desk, script);
    let took = begin.elapsed();
    let said = outcome.unwrap_or_else(|error| error);
    let has_token = said.contains(r#"{"access_token":""#) && said.contains(r#""expires_in":600"#);
    let seen = if has_token { "a token" } else { end(&said) };
    [
        Row::holds("README", goal, seen, has_token),
        Row::within("README", goal, Duration::from_mins(1), took),
    ]
}

/// The end says what went wrong.
fn end(said: &str) -> &str {
    let end = said.char_indices().rev().nth(299);
    &said[end.map_or(0, |(at, _)| at)..]
}

/// The blocks of a page.
fn blocks(page: &str, info: &str) -> Vec<String> {
    let blocks = shell::blocks().into_iter();
    let blocks = blocks.filter(|block| block.page == page && block.info == info);
    blocks.map(|block| block.code).collect()
}

/// The commands of README.md, and those of them that get a token.
fn readme() -> (String, String) {
    let (install, first) = (blocks("README.md", REASON), blocks("README.md", "sh"));
    assert_eq!((install.len(), first.len()), (1, 2), "blocks of README.md");
    let token = first[1].clone();
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
    (script, token)
}

/// What docs/operations/install.md does with the image that `make image` has built: the commands that push it, and the one that installs.
fn documented() -> (String, String) {
    let block = blocks("docs/operations/install.md", REASON).concat();
    let commands = block
        .strip_prefix("make image\n")
        .expect("it is built first");
    let at = commands.find("helm install").expect("it installs at last");
    (commands[..at].to_owned(), commands[at..].to_owned())
}

/// The packaged chart, where the repository has it.
fn unpack(node: &Node, desk: &Path) {
    let folder = desk.to_str().unwrap();
    let package = ["package", "charts/clientele", "--destination", folder];
    node.helm(&package).unwrap();
    let packaged = format!("clientele-{}.tgz", env!("CARGO_PKG_VERSION"));
    std::fs::create_dir_all(desk.join("charts")).unwrap();
    let mut tar = machine::program("tar");
    tar.args(["-xzf", &packaged, "-C", "charts"])
        .current_dir(desk);
    output_of(&mut tar).unwrap();
}

/// The issuer's name leads to the Service, and curl trusts its certificate.
async fn ingress(node: &Node, authority: &Authority, desk: &Path) {
    let services: Api<Service> = Api::namespaced(node.kube().await, SYSTEM);
    let service = move || {
        let services = services.clone();
        async move {
            let service = services.get("clientele").await.ok()?.spec?;
            let address = service.cluster_ip?.parse().ok()?;
            let port = u16::try_from(service.ports?.first()?.port).ok()?;
            Some(SocketAddr::new(address, port))
        }
    };
    let at = SocketAddr::from(([127, 0, 0, 1], 0));
    let address = front(ISSUER, authority, at, service).await;
    let curl =
        format!("silent\nshow-error\nfail\nconnect-to = {ISSUER}:443:{address}\ncacert = ca.pem\n");
    std::fs::write(desk.join(".curlrc"), curl).unwrap();
}
