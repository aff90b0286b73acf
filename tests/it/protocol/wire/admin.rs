//! M11: the admin port shows probes and metrics, and the public one does not.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use clientele_http::admin::{Admin, admin_router};
use prometheus_client::registry::Registry;
use tower::ServiceExt;

use crate::support::ask::ask;
use crate::support::browser::Browser;
use crate::support::reply::Reply;
use crate::support::test_server::{TestServer, basic};

async fn get(router: &Router, path: &str) -> Reply {
    let request = Request::get(path).body(Body::empty()).unwrap();
    Reply::read(router.clone().oneshot(request).await.unwrap()).await
}

fn admin_of(world: &TestServer) -> Router {
    let mut registry = Registry::default();
    world.app.metrics.register(&mut registry);
    admin_router(Admin {
        ready: Arc::new(|| Ok(())),
        metrics: Arc::new(registry),
    })
}

#[tokio::test]
async fn m11_public_and_admin_endpoints_are_on_their_own_ports() {
    let world = TestServer::new().await;
    let admin = admin_of(&world);
    for path in ["/metrics", "/livez", "/readyz"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
        assert_eq!(get(&admin, path).await.status, 200, "{path}");
    }
    for path in ["/token", "/jwks", "/.well-known/openid-configuration", "/"] {
        assert_eq!(get(&admin, path).await.status, 404, "{path}");
    }
}

const COUNTED: [&str; 8] = [
    r#"clientele_token_requests_total{grant="client_credentials",outcome="issued"} 2"#,
    r#"clientele_token_requests_total{grant="client_credentials",outcome="invalid_client"} 1"#,
    r#"clientele_token_requests_total{grant="none",outcome="unsupported_grant_type"} 1"#,
    r#"clientele_http_requests_total{endpoint="jwks",status="2xx"} 1"#,
    r#"clientele_http_requests_total{endpoint="none",status="4xx"} 1"#,
    r#"clientele_http_requests_total{endpoint="token",status="4xx"} 2"#,
    "clientele_token_request_duration_seconds_count 4",
    "clientele_http_connections 0",
];

#[tokio::test]
async fn m11_metrics_count_outcomes_and_name_no_client() {
    let world = TestServer::new().await;
    let token = world.web("").await.access_token();
    world.web("").await;
    let wrong = basic("team-a.web", "wrong");
    world
        .token(Some(&wrong), "grant_type=client_credentials")
        .await;
    let stranger = basic("stranger", "wrong");
    world.token(Some(&stranger), "grant_type=x").await;
    world.get("/jwks").await;
    world.get("/nothing").await;
    let reply = get(&admin_of(&world), "/metrics").await;
    for line in COUNTED {
        let found = reply.body.lines().any(|l| l == line);
        assert!(found, "{line} is not in\n{}", reply.body);
    }
    for absent in ["team-a", "stranger", token.as_str()] {
        assert!(!reply.body.contains(absent), "{absent}");
    }
}

#[tokio::test]
async fn o17_metrics_speak_the_format_that_is_asked_for() {
    let world = TestServer::new().await;
    let admin = admin_of(&world);
    let counter = "# TYPE clientele_http_requests";
    for (accept, media_type, described, end) in [
        (None, "text/plain; version=0.0.4", "_total counter\n", false),
        (
            Some("*/*"),
            "text/plain; version=0.0.4",
            "_total counter\n",
            false,
        ),
        (
            Some("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3"),
            "application/openmetrics-text; version=1.0.0",
            " counter\n",
            true,
        ),
    ] {
        let mut request = Request::get("/metrics");
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let request = request.body(Body::empty()).unwrap();
        let reply = Reply::read(admin.clone().oneshot(request).await.unwrap()).await;
        let said = reply.header("content-type");
        assert!(said.starts_with(media_type), "{accept:?}: {said}");
        let described = format!("{counter}{described}");
        assert!(reply.body.contains(&described), "{}", reply.body);
        assert_eq!(reply.body.ends_with("# EOF\n"), end);
    }
}

#[tokio::test]
async fn codes_without_a_challenge_are_counted_by_client() {
    let world = TestServer::at_rest().await;
    let with = ask("team-a.app");
    let without = with
        .clone()
        .with("nonce", "0123456789abcdef")
        .without("code_challenge")
        .without("code_challenge_method");
    for request in [with, without.clone(), without] {
        let told = Browser::new(&world).allow(&request.url(), "alice").await;
        assert!(told.contains_key("code"), "{told:?}");
    }
    let reply = get(&admin_of(&world), "/metrics").await;
    let line = r#"clientele_codes_without_challenge_total{client_id="team-a.app"} 2"#;
    assert!(reply.body.lines().any(|l| l == line), "{}", reply.body);
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let missing = Arc::new(Mutex::new(Some("the root key is not loaded".to_owned())));
    let state = missing.clone();
    let admin = admin_router(Admin {
        ready: Arc::new(move || state.lock().unwrap().clone().map_or(Ok(()), Err)),
        metrics: Arc::new(Registry::default()),
    });
    let reply = get(&admin, "/readyz").await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (503, "the root key is not loaded")
    );
    assert_eq!(get(&admin, "/livez").await.status, 200);
    *missing.lock().unwrap() = None;
    assert_eq!(get(&admin, "/readyz").await.body, "ok");
}
