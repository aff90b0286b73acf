//! What the public port answers beside the endpoints: to load balancers, to a person at the root, and to `clientele probe`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use clientele_http::server::Limits;
use clientele_http::server::tls::Tls;
use clientele_kubectl::probe::{ProbeTarget, probe};
use rcgen::CertifiedKey;

use crate::support::reply::Reply;
use crate::support::running::Running;
use crate::support::test_server::TestServer;

async fn ask(world: &TestServer, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

/// A server whose readiness the test decides.
async fn server() -> (TestServer, Arc<AtomicBool>) {
    let ready = Arc::new(AtomicBool::new(true));
    let state = ready.clone();
    let mut app = TestServer::new().await.app;
    app.ready = Arc::new(move || {
        let ready = state.load(Ordering::Relaxed);
        ready.then_some(()).ok_or("the root key is lost".to_owned())
    });
    (TestServer::with(app), ready)
}

#[tokio::test]
async fn o14_a_load_balancer_finds_healthz_under_any_host() {
    let (world, ready) = server().await;
    for host in ["id.example", "10.1.2.3:8080", "[::1]", "x"] {
        let reply = ask(&world, "GET", "/healthz", &[("host", host)]).await;
        assert_eq!((reply.status, &*reply.body), (200, "ok"), "{host}");
    }
    let head = ask(&world, "HEAD", "/healthz", &[]).await;
    assert_eq!((head.status, &*head.body), (200, ""));
    assert_eq!(head.header("cache-control"), "no-store");
    let post = ask(&world, "POST", "/healthz", &[]).await;
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
    assert_eq!(ask(&world, "GET", "/healthz/", &[]).await.status, 404);
    // A stranger is not told what is missing.
    ready.store(false, Ordering::Relaxed);
    let reply = ask(&world, "GET", "/healthz", &[]).await;
    assert_eq!((reply.status, &*reply.body), (503, "not ready"));
}

#[tokio::test]
async fn o14_a_person_at_the_root_is_led_to_a_page() {
    let world = TestServer::new().await;
    let browser = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let issuers: Vec<String> = {
        let registry = world.app.registry.load();
        let tenants = registry.tenants.values();
        tenants.map(|tenant| tenant.issuer.to_string()).collect()
    };
    assert!(issuers.len() > 1, "{issuers:?}");
    for issuer in issuers {
        let path = clientele_oauth::registry::issuer_path(&issuer);
        for path in [path.to_owned(), format!("{path}/")] {
            if path.is_empty() {
                continue;
            }
            let reply = ask(&world, "GET", &path, &browser).await;
            let page = format!("{issuer}/account");
            assert_eq!(
                (reply.status, reply.header("location")),
                (303, &*page),
                "{path}"
            );
        }
    }
    for (method, path, headers) in [
        // Programs are told where the metadata is.
        ("GET", "/", &[("accept", "*/*")][..]),
        ("GET", "/", &[][..]),
        ("POST", "/", &browser[..]),
        ("GET", "/nothing", &browser[..]),
    ] {
        let reply = ask(&world, method, path, headers).await;
        assert_eq!(reply.status, 404, "{method} {path}");
        assert!(reply.body.contains("openid-configuration"));
    }
}

#[tokio::test]
async fn o16_a_probe_tells_a_server_from_none() {
    // As the process does at its start.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (world, ready) = server().await;
    let issuer = {
        let registry = world.app.registry.load();
        registry.tenants["default"].issuer.to_string()
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let names = ["id.example".to_owned()];
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
        let (certificate, key) = (folder.path().join(name), folder.path().join("key"));
        std::fs::write(&certificate, cert.pem()).unwrap();
        std::fs::write(&key, signing_key.serialize_pem()).unwrap();
        (certificate, key)
    };
    let (other, _) = write("other.crt");
    let (certificate, key) = write("tls.crt");
    let tls = Tls::load(&certificate, &key).await.unwrap();
    let (plain, secure) = (
        Running::start(world.router.clone(), None, Limits::default()).await,
        Running::start(world.router.clone(), Some(tls), Limits::default()).await,
    );
    let target = |issuer: &str, at: String| ProbeTarget {
        issuer: issuer.to_owned(),
        at: Some(at),
        certificate: None,
        patience: Duration::ZERO,
    };
    let at_plain = format!("http://{}", plain.address);
    let said = probe(&target(&issuer, at_plain.clone())).await.unwrap();
    assert!(said.contains(&issuer), "{said}");
    let with = |file: &std::path::Path| ProbeTarget {
        certificate: Some(file.to_owned()),
        ..target(&issuer, format!("https://{}", secure.address))
    };
    let said = probe(&with(&certificate)).await.unwrap();
    assert!(said.contains("ready"), "{said}");
    let fails = async |target: ProbeTarget, expected: &str| {
        let said = probe(&target).await.unwrap_err().to_string();
        assert!(said.contains(expected), "{expected}: {said}");
    };
    fails(with(&other), "another certificate").await;
    fails(with(&key), "no PEM file of certificates").await;
    let untrusted = target(&issuer, format!("https://{}", secure.address));
    fails(untrusted, "cannot be reached").await;
    let another = target("https://other.example", at_plain.clone());
    fails(another, "correct publicUrl").await;
    ready.store(false, Ordering::Relaxed);
    fails(target(&issuer, at_plain), "no replica is ready").await;
    fails(
        target(&issuer, "http://127.0.0.1:1".to_owned()),
        "cannot be reached",
    )
    .await;
}
