//! D01–D03, D18, M05, M08: the request itself, before anybody is authenticated.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use futures::stream;

use crate::support::test_server::{FORM, TestServer, basic};

const GRANT: &str = "grant_type=client_credentials";

fn post(path: &str) -> axum::http::request::Builder {
    Request::post(path)
}

#[tokio::test]
async fn d01_get_and_other_methods_are_refused_with_allow() {
    let world = TestServer::new().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let request = Request::builder().method(method).uri("/token");
        let reply = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), "POST");
        assert_eq!(reply.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn d01_parameters_in_the_query_are_refused() {
    let world = TestServer::new().await;
    let web = basic("team-a.web", &world.secret("team-a.web"));
    for query in ["grant_type=client_credentials", "x=1", ""] {
        let path = format!("/token?{query}");
        let reply = world.token_at(&path, Some(&web), GRANT).await;
        reply.refuses(400, "invalid_request");
    }
}

#[tokio::test]
async fn d02_only_a_form_is_read() {
    let world = TestServer::new().await;
    let web = basic("team-a.web", &world.secret("team-a.web"));
    let send = async |types: &[&str]| {
        let mut request = post("/token").header(AUTHORIZATION, &web);
        for value in types {
            request = request.header(CONTENT_TYPE, *value);
        }
        world.send(request.body(GRANT.into()).unwrap()).await
    };
    for types in [
        &["application/json"][..],
        &[],
        &["multipart/form-data; boundary=x"],
        &["text/plain"],
        &["application/x-www-form-urlencodedx"],
        &[FORM, FORM],
    ] {
        send(types).await.refuses(400, "invalid_request");
    }
    for accepted in [
        FORM,
        "application/x-www-form-urlencoded; charset=utf-8",
        "Application/X-WWW-Form-Urlencoded;charset=UTF-8",
    ] {
        assert_eq!(send(&[accepted]).await.status, 200, "{accepted}");
    }
}

#[tokio::test]
async fn d03_a_body_over_64_kib_is_refused_announced_or_not() {
    let world = TestServer::new().await;
    let form = |size: usize| {
        let mut form = format!("{GRANT}&x=");
        form.push_str(&"a".repeat(size - form.len()));
        form
    };
    let web = basic("team-a.web", &world.secret("team-a.web"));
    assert_eq!(world.token(Some(&web), &form(65_536)).await.status, 200);
    let reply = world.token(Some(&web), &form(65_537)).await;
    reply.refuses(413, "invalid_request");

    let endless = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'a'; 1000])));
    let request = post("/token").header(CONTENT_TYPE, FORM);
    let reply = world
        .send(request.body(Body::from_stream(endless)).unwrap())
        .await;
    reply.refuses(413, "invalid_request");
}

#[tokio::test]
async fn d03_a_body_that_does_not_come_times_out() {
    let mut app = TestServer::new().await.app;
    app.body_timeout = Duration::from_millis(20);
    let silent = stream::pending::<Result<Bytes, Infallible>>();
    let request = post("/token").header(CONTENT_TYPE, FORM);
    let reply = TestServer::with(app)
        .send(request.body(Body::from_stream(silent)).unwrap())
        .await;
    reply.refuses(408, "invalid_request");
}

#[tokio::test]
async fn d03_a_body_that_breaks_off_is_refused() {
    let broken = stream::iter([
        Ok(Bytes::from_static(b"grant_type=client")),
        Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)),
    ]);
    let request = post("/token").header(CONTENT_TYPE, FORM);
    let reply = TestServer::new()
        .await
        .send(request.body(Body::from_stream(broken)).unwrap())
        .await;
    reply.refuses(400, "invalid_request");
}

#[tokio::test]
async fn d03_a_body_in_pieces_is_put_together() {
    let world = TestServer::new().await;
    let pieces = GRANT.as_bytes().chunks(3).map(Bytes::from_static);
    let pieces = stream::iter(pieces.map(Ok::<_, Infallible>));
    let request = post("/token").header(CONTENT_TYPE, FORM).header(
        AUTHORIZATION,
        basic("team-a.web", &world.secret("team-a.web")),
    );
    let reply = world
        .send(request.body(Body::from_stream(pieces)).unwrap())
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test]
async fn d18_an_enormous_secret_is_refused_without_work() {
    let world = TestServer::new().await;
    let huge = "s".repeat(10 * 1024 * 1024);
    let form = format!("{GRANT}&client_id=team-a.web&client_secret={huge}");
    world
        .token(None, &form)
        .await
        .refuses(413, "invalid_request");
    let header = basic("team-a.web", &huge[..100_000]);
    world
        .token(Some(&header), GRANT)
        .await
        .refuses(401, "invalid_client");
    let form = format!(
        "{GRANT}&client_id=team-a.web&client_secret={}",
        &huge[..60_000]
    );
    world
        .token(None, &form)
        .await
        .refuses(401, "invalid_client");
}

#[tokio::test]
async fn m05_errors_repeat_nothing_that_was_sent() {
    let world = TestServer::new().await;
    let marker = "XmarkerX%22%5C%3Cscript%3E";
    for form in [
        format!("grant_type={marker}&client_id={marker}"),
        format!("{GRANT}&client_id={marker}&client_secret={marker}"),
        format!(
            "{GRANT}&client_id=team-a.web&client_secret={}&scope={marker}",
            world.secret("team-a.web")
        ),
        format!(
            "{GRANT}&client_id=team-a.web&client_secret={}&resource={marker}",
            world.secret("team-a.web")
        ),
        format!("{marker}=1&{marker}=2"),
    ] {
        let reply = world.token(None, &form).await;
        assert!(
            reply.status >= 400 && !reply.body.contains("marker"),
            "{}",
            reply.body
        );
        reply.is_a_refusal();
    }
    let reply = world.get(&format!("/{marker}?{marker}")).await;
    assert_eq!((reply.status, reply.body.contains("marker")), (404, false));
}

#[tokio::test]
async fn m08_without_randomness_no_token_is_issued() {
    let mut app = TestServer::new().await.app;
    app.random = |_| None;
    TestServer::with(app)
        .web("")
        .await
        .refuses(500, "server_error");
}

#[tokio::test]
async fn m13_no_origin_may_read_a_token_answer() {
    let world = TestServer::new().await;
    for origin in ["https://app.example", "null", "https://app.example.evil"] {
        let request = post("/token")
            .header(CONTENT_TYPE, FORM)
            .header("origin", origin)
            .header(
                AUTHORIZATION,
                basic("team-a.web", &world.secret("team-a.web")),
            );
        let reply = world.send(request.body(GRANT.into()).unwrap()).await;
        assert_eq!(reply.status, 200);
        let cors = reply
            .headers
            .keys()
            .filter(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors.count(), 0);
    }
}

#[tokio::test]
async fn without_root_key_the_server_says_try_later() {
    let world = TestServer::new().await;
    world.lose_root_key();
    let reply = world.web("").await;
    reply.refuses(503, "temporarily_unavailable");
    assert_eq!(reply.header("retry-after"), "5");
}

#[tokio::test]
async fn without_signing_keys_the_server_says_try_later() {
    let world = TestServer::new().await;
    let id = "keyless.api";
    let header = basic(id, &world.secret(id));
    let reply = world
        .token_at("/t/keyless/token", Some(&header), GRANT)
        .await;
    reply.refuses(503, "temporarily_unavailable");
    let reply = world.get("/t/keyless/jwks").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"));
}

#[tokio::test]
async fn a_client_that_goes_while_its_body_is_under_way_gets_no_token() {
    let world = TestServer::new().await;
    let registry = world.app.registry.clone();
    let leaving = stream::once(async move {
        registry.store(clientele_oauth::Registry::default().into());
        Ok::<_, Infallible>(Bytes::from_static(GRANT.as_bytes()))
    });
    let request = post("/token").header(CONTENT_TYPE, FORM).header(
        AUTHORIZATION,
        basic("team-a.web", &world.secret("team-a.web")),
    );
    let reply = world
        .send(request.body(Body::from_stream(leaving)).unwrap())
        .await;
    assert_eq!(reply.status, 404);
}
