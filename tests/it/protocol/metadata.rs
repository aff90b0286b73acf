//! J10–J12, J16: the documents, and that they tell the truth.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::support::world::{ISSUER, ISSUER_B, SCOPES, World, basic};

const WELL_KNOWN: [&str; 2] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn j10_an_unknown_tenant_has_no_documents() {
    let world = World::new().await;
    for path in [
        "/t/nobody/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/t/nobody",
        "/t/nobody/jwks",
        "/t/nobody/token",
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
    let world = World::new().await;
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
    let world = World::new().await;
    let plain = world.get(WELL_KNOWN[0]).await;
    let request = Request::get(WELL_KNOWN[0])
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    let asked = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((asked.status, asked.body), (plain.status, plain.body));
}

#[tokio::test]
async fn j12_the_jwk_set_is_public_and_its_kids_are_unique_across_tenants() {
    let world = World::new().await;
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
    let world = World::new().await;
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
    let world = World::new().await;
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
async fn j16_both_well_known_documents_are_the_same_and_name_paths_that_answer() {
    let world = World::new().await;
    let documents = [
        world.get(WELL_KNOWN[0]).await.json(),
        world.get(WELL_KNOWN[1]).await.json(),
    ];
    assert_eq!(documents[0], documents[1]);
    let document = &documents[0];
    assert_eq!(document["issuer"], ISSUER);
    let path = |member: &str| {
        document[member]
            .as_str()
            .unwrap()
            .strip_prefix(ISSUER)
            .unwrap()
            .to_owned()
    };
    assert_eq!(world.get(&path("jwks_uri")).await.status, 200);
    assert_eq!(world.get(&path("token_endpoint")).await.status, 405);
    let endpoints = document
        .as_object()
        .unwrap()
        .keys()
        .filter(|k| k.ends_with("_endpoint"));
    assert_eq!(endpoints.collect::<Vec<_>>(), ["token_endpoint"]);
    for absent in [
        "/userinfo",
        "/revoke",
        "/introspect",
        "/device",
        "/par",
        "/register",
    ] {
        assert_eq!(world.get(absent).await.status, 404, "{absent}");
    }
}

#[tokio::test]
async fn j16_p5_every_listed_grant_type_works_and_no_other() {
    let world = World::new().await;
    let document = world.get(WELL_KNOWN[0]).await.json();
    let listed = texts(&document["grant_types_supported"]);
    assert!(texts(&document["response_types_supported"]).is_empty());
    for grant in [
        "client_credentials",
        "authorization_code",
        "refresh_token",
        "password",
        "implicit",
        "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code",
        "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange",
    ] {
        let header = basic("team-a.web", &world.secret("team-a.web"));
        let reply = world
            .token(Some(&header), &format!("grant_type={grant}"))
            .await;
        let expected = if listed.contains(&grant) {
            "200 issued"
        } else {
            "400 unsupported_grant_type"
        };
        assert_eq!(reply.outcome(), expected, "{grant}");
    }
}

#[tokio::test]
async fn j16_p5_every_listed_authentication_method_works_and_no_other() {
    let world = World::new().await;
    let document = world.get(WELL_KNOWN[0]).await.json();
    let listed = texts(&document["token_endpoint_auth_methods_supported"]);
    let (id, secret) = ("team-a.web", world.secret("team-a.web"));
    let grant = "grant_type=client_credentials";
    let assertion = format!(
        "{grant}&client_id={id}&client_assertion=e30.e30.x&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    for (method, header, form) in [
        (
            "client_secret_basic",
            Some(basic(id, &secret)),
            grant.to_owned(),
        ),
        (
            "client_secret_post",
            None,
            format!("{grant}&client_id={id}&client_secret={secret}"),
        ),
        ("none", None, format!("{grant}&client_id={id}")),
        ("private_key_jwt", None, assertion.clone()),
        ("client_secret_jwt", None, assertion),
        ("tls_client_auth", None, grant.to_owned()),
    ] {
        let reply = world.token(header.as_deref(), &form).await;
        let expected = if listed.contains(&method) {
            "200 issued"
        } else {
            "401 invalid_client"
        };
        assert_eq!(reply.outcome(), expected, "{method}");
    }
}

#[tokio::test]
async fn j16_p5_every_listed_scope_can_be_granted_and_no_other() {
    let world = World::new().await;
    let document = world.get(WELL_KNOWN[0]).await.json();
    let listed = texts(&document["scopes_supported"]);
    assert_eq!(listed, SCOPES);
    let both = "&resource=https%3A%2F%2Forders.example&resource=https%3A%2F%2Fbills.example";
    for scope in SCOPES
        .into_iter()
        .chain(["openid", "profile", "admin", "offline_access"])
    {
        let reply = world.web(&format!("{both}&scope={scope}")).await;
        let expected = if listed.contains(&scope) {
            "200 issued"
        } else {
            "400 invalid_scope"
        };
        assert_eq!(reply.outcome(), expected, "{scope}");
    }
}
