//! Without the database, and cut off from the other replicas: what is answered, and what says "later".

use std::sync::Arc;

use clientele_http::App;
use clientele_store::{Store, UrlSource};

use crate::support::ask::ask;
use crate::support::issued::{call, userinfo};
use crate::support::reply::Reply;
use crate::support::test_server::{TestServer, basic};

/// A server whose database has not been reached since the start.
async fn without_a_database() -> TestServer {
    let server = TestServer::at_rest().await;
    let nowhere = UrlSource::Fixed("postgres://ada:hunter2@127.0.0.1:1/none".to_owned());
    let store = Store::unopened(nowhere).await.unwrap();
    TestServer::with(App {
        store,
        ..server.app
    })
}

#[track_caller]
fn says_later(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.body);
    let seconds: u32 = reply.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&seconds));
}

#[tokio::test]
async fn o01_memory_alone_answers_and_the_rest_says_later() {
    let server = without_a_database().await;
    for path in [
        "/jwks",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/style.css",
    ] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    let token = server.web("").await;
    assert_eq!(token.status, 200, "{}", token.body);
    let secret = basic("team-a.web", "clientele_wrong");
    let refused = server.token(Some(&secret), "grant_type=client_credentials");
    refused.await.refuses(401, "invalid_client");

    let form = [("token", "any")];
    for path in ["/introspect", "/revoke"] {
        says_later(&call(&server, "team-a.web", path, &form).await);
    }
    let code = [
        ("grant_type", "authorization_code"),
        ("code", "any"),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", crate::support::ask::VERIFIER),
    ];
    says_later(&call(&server, "team-a.app", "/token", &code).await);
}

/// A server that the other replicas no longer wait for.
async fn behind() -> TestServer {
    let server = TestServer::at_rest().await;
    TestServer::with(App {
        is_behind: Arc::new(|| true),
        ..server.app
    })
}

#[tokio::test]
async fn o09_who_is_behind_calls_nothing_unknown() {
    let server = behind().await;
    assert_eq!(server.web("").await.status, 200, "what it knows, it serves");
    let unknown = basic("team-a.new", &server.secret("team-a.new"));
    let form = "grant_type=client_credentials";
    let reply = server.token(Some(&unknown), form).await;
    reply.refuses(503, "temporarily_unavailable");
    says_later(&reply);
    for more in ["&scope=new", "&resource=https://new.example"] {
        let reply = server.web(more).await;
        reply.refuses(503, "temporarily_unavailable");
    }
    for path in [
        "/t/new/token",
        "/t/new/jwks",
        "/t/new/.well-known/openid-configuration",
    ] {
        says_later(&server.get(path).await);
    }
    says_later(&userinfo(&server, "eyJ.new.token").await);
    let token = [("token", "of-a-new-client")];
    says_later(&call(&server, "team-a.web", "/introspect", &token).await);
    for (name, value) in [
        ("client_id", "team-a.new"),
        ("redirect_uri", "https://app.example/new"),
    ] {
        let page = server.get(&ask("team-a.app").with(name, value).url()).await;
        says_later(&page);
        assert_eq!(page.header("location"), "");
    }
    // What no registry would accept.
    server
        .web("&grant_type=twice")
        .await
        .refuses(400, "invalid_request");
}
