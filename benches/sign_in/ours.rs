//! The real server with the real router on a store; told by a line on its input, it makes codes to be exchanged.

use std::io;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use clientele_http::metrics::TokenMetrics;
use clientele_http::server::Limits;
use clientele_http::{App, router};
use clientele_oauth::Registry;
use clientele_oauth::tokens::refresh_token::{Place, mint};
use clientele_store::Store;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::support::ask::VERIFIER;
use crate::support::issued::{self, Seed};
use crate::support::keys;
use crate::support::people::APP;
use crate::support::test_server::{TestServer, basic, client_uid, tenants};

/// A confidential client whose answers have an access token, an ID token and a refresh token.
const CLIENT: &str = "team-a.app";
const TENANT: &str = "uid-of-tenant-default";

/// The `Authorization` header of a client, for the load generator.
pub fn header(client_id: &str) -> String {
    let registration = clientele_oauth::keys::root_keyring::Registration {
        client_id,
        client_uid: &client_uid(client_id),
    };
    let secret = keys::keyring().derive(registration, 1);
    basic(client_id, secret.expose())
}

/// The one of those who exchange and refresh.
pub fn application() -> String {
    header(CLIENT)
}

pub async fn serve(listener: TcpListener, url: &str) -> io::Result<()> {
    let store = Store::open(url).await.map_err(io::Error::other)?;
    let registry = Registry::new(1, Some(keys::keyring()), tenants());
    let registry = Arc::new(ArcSwap::from_pointee(registry));
    let metrics = Arc::new(TokenMetrics::default());
    let app = App::new(registry, Timestamp::now, metrics, store);
    let connections = app.metrics.connections.clone();
    let world = TestServer::with(app);
    let router = router(world.app.clone());
    let handle = Handle::current();
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            handle.block_on(obey(&world, &line));
        }
    });
    let never = CancellationToken::new();
    clientele_http::server::serve(
        listener,
        router,
        None,
        Limits::default(),
        connections,
        never,
    )
    .await
}

/// `<count> <path>`: puts codes into the store, and the forms that exchange and refresh into `<path>.code`, `<path>.refresh`.
async fn obey(world: &TestServer, line: &str) {
    let (count, path) = line.split_once(' ').unwrap();
    let seeds: Vec<Seed> = (0..count.parse().unwrap())
        .map(|_| issued::seed(world, CLIENT))
        .collect();
    let kept = stream::iter(&seeds).map(|seed| world.app.store.insert_code(&seed.kept));
    let kept: Vec<_> = kept.buffer_unordered(128).collect().await;
    assert!(kept.into_iter().all(|kept| kept == Ok(true)));
    write(path, "code", seeds.iter().map(exchange));
    write(path, "refresh", seeds.iter().map(refresh));
    println!("done");
}

fn write(path: &str, extension: &str, forms: impl Iterator<Item = String>) {
    let forms: Vec<String> = forms.collect();
    std::fs::write(Path::new(path).with_extension(extension), forms.join("\n")).unwrap();
}

fn exchange(seed: &Seed) -> String {
    format!(
        "grant_type=authorization_code&code={}&redirect_uri={APP}&code_verifier={VERIFIER}",
        seed.value
    )
}

/// The token of the family that begins with the code, which only the holder of the root key can predict.
fn refresh(seed: &Seed) -> String {
    let place = Place {
        family: seed.kept.family.clone(),
        sequence: 1,
    };
    let token = mint(&keys::keyring(), TENANT, &place).unwrap();
    format!("grant_type=refresh_token&refresh_token={token}")
}
