//! M13, B38: which pages may call from other origins.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};

use crate::support::issued::{seed, tokens};
use crate::support::people::SPA_ORIGIN;
use crate::support::reply::Reply;
use crate::support::test_server::{FORM, TestServer, basic};

const EVERY: [&str; 3] = ["/token", "/userinfo", "/revoke"];

async fn preflight(world: &TestServer, path: &str, origin: &str) -> Reply {
    let request = Request::builder()
        .method("OPTIONS")
        .uri(path)
        .header(ORIGIN, origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    world.send(request.body(Body::empty()).unwrap()).await
}

async fn post(
    world: &TestServer,
    path: &str,
    origin: &str,
    header: Option<&str>,
    form: &str,
) -> Reply {
    let mut request = Request::post(path)
        .header(CONTENT_TYPE, FORM)
        .header(ORIGIN, origin);
    if let Some(header) = header {
        request = request.header(AUTHORIZATION, header);
    }
    world
        .send(request.body(form.to_owned().into()).unwrap())
        .await
}

#[track_caller]
fn is_closed(reply: &Reply) {
    let mut names = reply.headers.keys();
    let open = names.find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(open, None, "{}", reply.status);
}

#[track_caller]
fn is_open(reply: &Reply) {
    assert_eq!(reply.header("access-control-allow-origin"), SPA_ORIGIN);
    assert_eq!(reply.header("access-control-allow-credentials"), "");
    assert_eq!(reply.header("vary"), "Origin");
}

#[tokio::test]
async fn m13_only_the_preflight_of_a_registered_origin_is_answered() {
    let world = TestServer::at_rest().await;
    for path in EVERY {
        let reply = preflight(&world, path, SPA_ORIGIN).await;
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
        is_open(&reply);
        assert!(
            reply
                .header("access-control-allow-methods")
                .contains("POST")
        );
        assert_eq!(
            reply.header("access-control-allow-headers"),
            "Authorization, Content-Type"
        );
        for wrong in [
            "null",
            "*",
            "https://evil.example",
            "https://spa.example.evil.example",
            "https://spa.example:443",
            "https://spa.example/",
            "https://SPA.example",
            "http://spa.example",
            "https://app.example",
            "https://spa.example, https://evil.example",
        ] {
            let reply = preflight(&world, path, wrong).await;
            is_closed(&reply);
            assert_eq!(
                (reply.status, reply.header("vary")),
                (405, "Origin"),
                "{wrong}"
            );
        }
        // Another tenant's clients list other origins.
        is_closed(&preflight(&world, &format!("/t/b{path}"), SPA_ORIGIN).await);
    }
}

#[tokio::test]
async fn m13_a_document_is_for_every_origin_and_header() {
    let world = TestServer::at_rest().await;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/t/b",
        "/t/b/.well-known/openid-configuration",
        "/jwks",
        "/t/b/jwks",
    ] {
        for origin in ["https://inspector.example", "null", SPA_ORIGIN] {
            let request = Request::builder()
                .method("OPTIONS")
                .uri(path)
                .header(ORIGIN, origin)
                .header("access-control-request-method", "GET")
                .header(
                    "access-control-request-headers",
                    "mcp-protocol-version, authorization, x-other",
                );
            let reply = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!((reply.status, reply.body.as_str()), (204, ""), "{path}");
            for (name, value) in [
                ("access-control-allow-origin", "*"),
                ("access-control-allow-methods", "GET, HEAD"),
                ("access-control-allow-headers", "*, Authorization"),
                ("access-control-allow-credentials", ""),
            ] {
                assert_eq!(reply.header(name), value, "{path}");
            }
            let request = Request::get(path).header(ORIGIN, origin);
            let reply = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status, 200, "{path}");
            assert_eq!(reply.header("access-control-allow-origin"), "*");
        }
        // Without the headers of a preflight it is a method that the document does not have.
        for method in ["OPTIONS", "POST"] {
            let request = Request::builder().method(method).uri(path);
            let reply = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD"));
        }
    }
}

#[tokio::test]
async fn m13_an_answer_is_for_the_origin_of_its_client() {
    let world = TestServer::at_rest().await;
    let of_spa = seed(&world, "team-a.spa").insert(&world).await;
    let form = |client: &str| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(of_spa.form())
            .append_pair("client_id", client)
            .finish()
    };
    // Another client's request from the same page; and a stranger's page.
    is_closed(&post(&world, "/token", SPA_ORIGIN, None, &form("team-a.native")).await);
    for origin in [
        "null",
        "https://evil.example",
        "https://spa.example.evil.example",
    ] {
        let reply = post(
            &world,
            "/token",
            origin,
            None,
            "grant_type=x&client_id=team-a.spa",
        )
        .await;
        is_closed(&reply);
        assert_eq!(reply.header("vary"), "Origin");
    }
    let reply = post(&world, "/token", SPA_ORIGIN, None, &form("team-a.spa")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    is_open(&reply);
    // A refusal can be read as well.
    let reply = post(&world, "/token", SPA_ORIGIN, None, &form("team-a.spa")).await;
    assert_eq!(reply.status, 400);
    is_open(&reply);
    let basic = basic("team-a.web", &world.secret("team-a.web"));
    let grant = "grant_type=client_credentials";
    is_closed(&post(&world, "/token", SPA_ORIGIN, Some(&basic), grant).await);
}

#[tokio::test]
async fn m13_userinfo_and_revocation_look_at_the_tokens_client() {
    let world = TestServer::at_rest().await;
    let spa = tokens(&world, "team-a.spa").await;
    let app = tokens(&world, "team-a.app").await;
    let bearer = |token: &str| format!("Bearer {token}");
    let ask =
        async |origin, token| post(&world, "/userinfo", origin, Some(&bearer(token)), "").await;
    is_open(&ask(SPA_ORIGIN, &spa.access_token).await);
    is_closed(&ask(SPA_ORIGIN, &app.access_token).await);
    is_closed(&ask("https://evil.example", &spa.access_token).await);
    is_closed(&ask(SPA_ORIGIN, "garbage").await);
    let form = format!("client_id=team-a.spa&token={}", spa.refresh_token);
    is_closed(&post(&world, "/revoke", "https://evil.example", None, &form).await);
    is_open(&post(&world, "/revoke", SPA_ORIGIN, None, &form).await);
    // The token is dead now, and the page can read that it is.
    let reply = ask(SPA_ORIGIN, &spa.access_token).await;
    reply.refuses_bearer(401, "invalid_token");
    is_open(&reply);
    assert!(
        reply
            .header("access-control-expose-headers")
            .contains("WWW-Authenticate")
    );
}

#[tokio::test]
async fn b38_pages_and_introspection_are_for_no_other_origin() {
    let world = TestServer::at_rest().await;
    for path in [
        "/authorize",
        "/login",
        "/consent",
        "/logout",
        "/account",
        "/introspect",
    ] {
        is_closed(&preflight(&world, path, SPA_ORIGIN).await);
        is_closed(&post(&world, path, SPA_ORIGIN, None, "client_id=team-a.spa").await);
        let request = Request::get(path).header(ORIGIN, SPA_ORIGIN);
        is_closed(&world.send(request.body(Body::empty()).unwrap()).await);
    }
}

#[tokio::test]
async fn without_an_origin_nothing_is_said_about_origins() {
    let world = TestServer::at_rest().await;
    let reply = world.web("").await;
    is_closed(&reply);
    assert_eq!(reply.header("vary"), "");
}
