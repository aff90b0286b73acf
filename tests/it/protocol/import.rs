//! `kubectl clientele import --prove` at a server in this process: with `--issuer` it asks no API server.

use std::sync::Arc;
use std::time::Instant;

use clientele_http::server::Limits;
use clientele_oauth::client::external_secret::{ExternalSecret, ExternalSecretKey};
use clientele_oauth::{Algorithm, Client, Registry};
use jiff::Timestamp;

use crate::support::running::Running;
use crate::support::test_server::{TestServer, client, tenant};
use crate::support::{keys, machine, maester};

const CLIENTS: usize = 1_000;
const NAMESPACE: &str = "apps";

/// The server knows another secret of these.
fn is_altered(number: usize) -> bool {
    number % 100 == 37
}

/// The client as its import registers it.
fn imported(number: usize, key: &Arc<ExternalSecretKey>) -> Client {
    let mut secret = maester::secret(NAMESPACE, number);
    if is_altered(number) {
        secret.push('x');
    }
    Client {
        external_secret: Some(Box::new(ExternalSecret {
            current: key.digest(&secret),
            previous: None,
            key: key.clone(),
        })),
        ..client(&maester::client_id(NAMESPACE, number))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_imports_exactly_the_altered_ones_fail() {
    let world = TestServer::of(Vec::new(), Timestamp::now).await;
    let server = Running::start(world.router.clone(), None, Limits::default()).await;
    let issuer = format!("http://{}", server.address);
    let key = Arc::new(ExternalSecretKey::new(&[3; 32]));
    let clients = (0..CLIENTS).map(|number| imported(number, &key)).collect();
    let signing = Some(keys::signing_keys(Algorithm::Es256));
    let tenants = vec![tenant("default", &issuer, signing, clients)];
    let registry = Registry::new(1, Some(world.keyring.clone()), tenants);
    world.app.registry.store(registry.into());

    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("clients.json");
    std::fs::write(&input, maester::clients(NAMESPACE, CLIENTS).to_string()).unwrap();
    let mut program = machine::program(env!("CARGO_BIN_EXE_kubectl-clientele"));
    program
        .args(["import", "maester", "--prove", "--issuer", &issuer, "-f"])
        .arg(&input)
        .arg("--out")
        .arg(folder.path().join("out"));
    let began = Instant::now();
    let output = tokio::task::spawn_blocking(move || program.output().unwrap());
    let output = output.await.unwrap();
    let took = began.elapsed().as_secs_f64();
    eprintln!("{CLIENTS} clients were imported and proved in {took:.1} s");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("990 machine clients got a token"), "{said}");
    let altered: Vec<usize> = (0..CLIENTS).filter(|&number| is_altered(number)).collect();
    assert_eq!(maester::failed(&said, CLIENTS), altered, "{said}");
    assert!(!said.contains("AbCdEfGh"), "a secret: {said}");
}
