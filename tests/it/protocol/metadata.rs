//! J10–J12, J16: the documents, and that they tell the truth.

mod key_rotation;
mod promises;

use axum::body::Body;
use axum::http::Request;

use crate::support::test_server::{ISSUER, ISSUER_B, TestServer};

const WELL_KNOWN: [&str; 2] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

#[tokio::test]
async fn j10_an_unknown_tenant_has_no_documents() {
    let world = TestServer::new().await;
    for path in [
        "/t/unknown/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/t/unknown",
        "/t/unknown/jwks",
        "/t/unknown/token",
        "/t/default/jwks",
        "/",
        "",
        "*",
    ] {
        let request = Request::get(if path.is_empty() { "/" } else { path });
        let reply = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (reply.status, reply.json()["error"].as_str()),
            (404, Some("not_found")),
            "{path}"
        );
        assert!(!reply.body.contains(ISSUER));
    }
}

#[tokio::test]
async fn j11_an_issuer_has_one_spelling() {
    let world = TestServer::new().await;
    let exact = world.get("/t/b/.well-known/openid-configuration").await;
    assert_eq!(exact.json()["issuer"], ISSUER_B);
    for base in [
        "/t/b/",
        "/t/B",
        "/t/%62",
        "//t/b",
        "/t//b",
        "/t/./b",
        "/t/b/../b",
        "/t/b%2F",
        "/T/b",
        "/t/b;x",
    ] {
        for end in ["/.well-known/openid-configuration", "/jwks", "/token"] {
            let path = format!("{base}{end}");
            assert_eq!(world.get(&path).await.status, 404, "{path}");
        }
        let path = format!("/.well-known/oauth-authorization-server{base}");
        assert_eq!(world.get(&path).await.status, 404, "{path}");
    }
    for path in [
        "/jwks/", "/JWKS", "/%6awks", "//jwks", "/jwks%00", "/./jwks",
    ] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn c16_the_host_header_changes_nothing() {
    let world = TestServer::new().await;
    let plain = world.get(WELL_KNOWN[0]).await;
    let request = Request::get(WELL_KNOWN[0])
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    let asked = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((asked.status, asked.body), (plain.status, plain.body));
}

#[tokio::test]
async fn j12_the_jwk_set_is_public_and_kids_unique_across_tenants() {
    let world = TestServer::new().await;
    let mut kids = std::collections::HashMap::new();
    for path in ["/jwks", "/t/rsa/jwks", "/t/ed/jwks"] {
        let reply = world.get(path).await;
        for key in reply.json()["keys"].as_array().unwrap() {
            assert_eq!(key["use"], "sig");
            assert!(key["alg"].is_string());
            let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
            assert!(
                private.iter().all(|member| key.get(member).is_none()),
                "{key}"
            );
            let kid = key["kid"].as_str().unwrap().to_owned();
            assert_eq!(kids.insert(kid, path), None);
        }
    }
    assert_eq!(kids.len(), 5);
}

#[tokio::test]
async fn documents_are_cached_and_readable_by_any_page() {
    let world = TestServer::new().await;
    for (path, age) in [(WELL_KNOWN[0], 300), (WELL_KNOWN[1], 300), ("/jwks", 240)] {
        let reply = world.get(path).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(
            reply.header("cache-control"),
            format!("public, max-age={age}")
        );
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert_eq!(reply.header("access-control-allow-credentials"), "");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn documents_answer_head_like_get_and_nothing_else() {
    let world = TestServer::new().await;
    for path in [WELL_KNOWN[0], "/jwks"] {
        let length = world.get(path).await.body.len().to_string();
        let send = async |method: &str| {
            let request = Request::builder().method(method).uri(path);
            world.send(request.body(Body::empty()).unwrap()).await
        };
        let head = send("HEAD").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert_eq!(head.header("content-length"), length);
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            let reply = send(method).await;
            assert_eq!(
                (reply.status, reply.header("allow")),
                (405, "GET, HEAD"),
                "{method}"
            );
        }
    }
}

#[tokio::test]
async fn the_page_of_endpoints_names_their_methods() {
    let world = TestServer::new().await;
    let page = include_str!("../../../docs/reference/http-endpoints.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `/") && line.matches('|').count() == 4)
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 13);
    for row in rows {
        let path = row[1].split('`').nth(1).unwrap();
        let request = Request::builder().method("PUT").uri(path);
        let reply = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, row[2]),
            "{path}"
        );
    }
}

#[tokio::test]
async fn j16_both_well_known_documents_are_the_same() {
    let world = TestServer::new().await;
    let documents = [
        world.get(WELL_KNOWN[0]).await.json(),
        world.get(WELL_KNOWN[1]).await.json(),
    ];
    assert_eq!(documents[0], documents[1]);
    let document = &documents[0];
    assert_eq!(document["issuer"], ISSUER);
}
