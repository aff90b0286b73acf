//! The real server with the real router, as `clientele run` starts it, without a cluster: people and clients are constants.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use clientele_http::admin::{Admin, admin_router};
use clientele_http::metrics::TokenMetrics;
use clientele_http::server::tls::Tls;
use clientele_http::server::{Limits, Traffic, serve as listen};
use clientele_http::sums::sum_up;
use clientele_http::{App, router};
use clientele_oauth::keys::root_keyring::Registration;
use clientele_oauth::user::PasswordHash;
use clientele_oauth::{Registry, Tenant, User};
use clientele_store::Store;
use clientele_store::tables::purge::purge_forever;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::sign_ins::{COSTLY, Place, VICTIMS, victim};
use crate::support::ask::ask;
use crate::support::keys;
use crate::support::people::{everybody, index, person};
use crate::support::test_server::{basic, client_uid, clients_of_default, default_tenant, tenants};
use crate::victims::TokenRequest;

/// Serves plain HTTP, TLS and the admin endpoints; their ports are the first line of output. A line of input makes it
/// build the registry again, as a change in the cluster does.
pub async fn serve(folder: &Path) {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let url = format!("sqlite:{}", folder.join("hold.db").display());
    let store = Store::open(&url).await.unwrap();
    let metrics = Arc::new(TokenMetrics::default());
    let mut exposed = prometheus_client::registry::Registry::default();
    metrics.register(&mut exposed);
    let registry = Arc::new(ArcSwap::from_pointee(self::registry()));
    let served = registry.clone();
    std::thread::spawn(move || {
        for _ in std::io::stdin().lines() {
            served.store(Arc::new(self::registry()));
        }
        // The benchmark has ended, maybe by a panic.
        std::process::exit(0);
    });
    let app = App::new(registry, Timestamp::now, metrics, store);
    tokio::spawn(purge_forever(
        app.store.clone(),
        Timestamp::now,
        CancellationToken::new(),
    ));
    let never = CancellationToken::new();
    tokio::spawn(sum_up(&app, never.clone()));
    let admin = admin_router(Admin {
        ready: Arc::new(|| Ok(())),
        metrics: Arc::new(exposed),
    });
    let traffic = || Traffic {
        overload: app.metrics.overload.clone(),
        ..Traffic::default()
    };
    let tls = certificate(folder).await;
    let [plain, secure, probes] = [bind().await, bind().await, bind().await];
    let ports = [&plain, &secure, &probes].map(|listener| listener.local_addr().unwrap().port());
    println!("{} {} {}", ports[0], ports[1], ports[2]);
    std::io::stdout().flush().unwrap();
    let limits = Limits::default();
    let (one, two) = (router(app.clone()), router(app.clone()));
    let served = tokio::try_join!(
        listen(plain, one, None, limits, traffic(), never.clone()),
        listen(secure, two, Some(tls), limits, traffic(), never.clone()),
        listen(
            probes,
            admin,
            None,
            Limits::of_admin(),
            Traffic::default(),
            never.clone()
        ),
    );
    served.unwrap();
}

async fn bind() -> TcpListener {
    TcpListener::bind("0.0.0.0:0").await.unwrap()
}

async fn certificate(folder: &Path) -> Tls {
    let made = rcgen::generate_simple_self_signed(["id.example".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    Tls::load(&certificate, &key).await.unwrap()
}

fn registry() -> Registry {
    let mut people = everybody();
    people.extend((0..VICTIMS).map(|number| person(&victim(number))));
    people.extend((0..COSTLY).map(costly));
    let tenant = Tenant {
        users: index(people),
        ..default_tenant(clients_of_default(), Vec::new())
    };
    let mut all = tenants();
    all[0] = Arc::new(tenant.rendered());
    Registry::new(1, Some(keys::keyring()), all)
}

/// Where its people sign in, and how one of its clients asks for tokens.
pub fn credentials(port: u16) -> (Place, Vec<TokenRequest>) {
    let registration = Registration {
        client_id: "team-a.web",
        client_uid: &client_uid("team-a.web"),
    };
    let secret = keys::keyring().derive(registration, 1);
    let place = Place {
        port,
        authorize: ask("team-a.app").url(),
    };
    let request = TokenRequest {
        authorization: Some(basic("team-a.web", secret.expose())),
        body: "grant_type=client_credentials".to_owned(),
    };
    (place, vec![request])
}

/// A person with a hash as costly as a manifest may bring: of every second the memory, of the others the time.
fn costly(number: usize) -> User {
    // The password of these is no person's.
    let of_memory = "$argon2id$v=19$m=65536,t=8,p=1$BwcHBwcHBwcHBwcHBwcHBw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    let of_time = || bcrypt::non_truncating_hash_with_salt("costly", 13, [7; 16]).unwrap();
    let hash = match number % 2 {
        0 => of_memory.to_owned(),
        _ => of_time().to_string(),
    };
    User {
        password: Some(PasswordHash(hash.into())),
        ..person(&format!("costly-{number}"))
    }
}
