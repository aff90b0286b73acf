//! D04–D17, D28: who is it?

use std::fmt::Write;

use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::issued::tokens;
use crate::support::logs::Logs;
use crate::support::reply::Reply;
use crate::support::test_server::{FORM, TestServer, basic};

const GRANT: &str = "grant_type=client_credentials";
const WEB: &str = "team-a.web";

fn raw_basic(bytes: &[u8]) -> String {
    format!("Basic {}", STANDARD.encode(bytes))
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02X}");
        encoded
    })
}

/// A form with these credentials and what else is given.
fn form(id: &str, secret: &str) -> String {
    format!("{GRANT}&client_id={id}&client_secret={secret}")
}

async fn post(world: &TestServer, id: &str, secret: &str) -> Reply {
    world.token(None, &form(id, secret)).await
}

#[tokio::test]
async fn d04_no_authentication_of_a_confidential_client() {
    let world = TestServer::new().await;
    world
        .token(None, GRANT)
        .await
        .refuses(401, "invalid_client");
    let form = format!("{GRANT}&client_id={WEB}");
    world
        .token(None, &form)
        .await
        .refuses(401, "invalid_client");
}

#[tokio::test]
async fn d05_a_wrong_secret_is_refused_with_a_challenge() {
    let world = TestServer::new().await;
    let other = world.secret("team-a.other");
    for wrong in ["wrong", &other, &world.secret(WEB)[1..], "%00"] {
        let reply = world.token(Some(&basic(WEB, wrong)), GRANT).await;
        reply.refuses(401, "invalid_client");
        assert_eq!(
            reply.header("www-authenticate"),
            "Basic realm=\"https://id.example\""
        );
        post(&world, WEB, wrong)
            .await
            .refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn d06_an_unknown_client_and_a_wrong_secret_look_the_same() {
    let world = TestServer::new().await;
    let wrong = world.secret("team-a.other");
    let unknown = world
        .token(Some(&basic("unknown.here", &wrong)), GRANT)
        .await;
    let known = world.token(Some(&basic(WEB, &wrong)), GRANT).await;
    assert_eq!(
        (unknown.status, &unknown.headers, &unknown.body),
        (known.status, &known.headers, &known.body)
    );
    let unknown = post(&world, "unknown.here", &wrong).await;
    let known = post(&world, WEB, &wrong).await;
    assert_eq!(
        (unknown.status, &unknown.headers, &unknown.body),
        (known.status, &known.headers, &known.body)
    );
}

#[tokio::test]
async fn d07_two_methods_in_one_request_are_refused() {
    let world = TestServer::new().await;
    let secret = world.secret(WEB);
    let header = basic(WEB, &secret);
    let assertion = "client_assertion=e30.e30.&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for (header, form) in [
        (Some(&header), form(WEB, &secret)),
        (Some(&header), format!("{GRANT}&client_secret={secret}")),
        (Some(&header), format!("{GRANT}&{assertion}")),
        (None, format!("{}&{assertion}", form(WEB, &secret))),
    ] {
        let reply = world.token(header.map(String::as_str), &form).await;
        reply.refuses(400, "invalid_request");
    }
}

#[tokio::test]
async fn d07_two_authorization_headers_are_refused() {
    let world = TestServer::new().await;
    let header = basic(WEB, &world.secret(WEB));
    let request = Request::post("/token")
        .header(CONTENT_TYPE, FORM)
        .header(AUTHORIZATION, &header)
        .header(AUTHORIZATION, &header);
    let reply = world.send(request.body(GRANT.into()).unwrap()).await;
    reply.refuses(400, "invalid_request");
}

#[tokio::test]
async fn d08_a_public_client_in_the_body_rescues_no_wrong_secret() {
    let world = TestServer::new().await;
    let form = format!("{GRANT}&client_id=team-a.public-machine");
    let reply = world.token(Some(&basic(WEB, "wrong")), &form).await;
    reply.refuses(400, "invalid_request");
}

#[tokio::test]
async fn d09_differing_client_ids_are_refused_and_equal_ones_accepted() {
    let world = TestServer::new().await;
    let header = basic(WEB, &world.secret(WEB));
    let other = format!("{GRANT}&client_id=team-a.other");
    world
        .token(Some(&header), &other)
        .await
        .refuses(400, "invalid_request");
    let same = format!("{GRANT}&client_id={WEB}");
    assert_eq!(world.token(Some(&header), &same).await.status, 200);
}

#[tokio::test]
async fn d10_a_broken_basic_header_is_refused() {
    let world = TestServer::new().await;
    let secret = world.secret(WEB);
    for header in [
        "Basic ???".to_owned(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        raw_basic(b"team-a.web"),
        raw_basic(b"team-a.web:\xff\xfe"),
        raw_basic(b"team-a.web:%zz"),
        raw_basic(b"team-a.web:%"),
        raw_basic(b":"),
        format!("Bearer {secret}"),
        format!("{} ,Basic x", basic(WEB, &secret)),
        basic(WEB, &format!("{secret} ")),
    ] {
        let reply = world.token(Some(&header), GRANT).await;
        reply.refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn d10_special_characters_are_accepted_when_form_encoded() {
    let world = TestServer::new().await;
    let id = "https://a:b%c+d.example";
    let secret = world.secret(id);
    let header = raw_basic(format!("{}:{}", encode(id), encode(&secret)).as_bytes());
    assert_eq!(world.token(Some(&header), GRANT).await.status, 200);
    assert_eq!(
        post(&world, &encode(id), &encode(&secret)).await.status,
        200
    );
    let unencoded = world.token(Some(&basic(id, &secret)), GRANT).await;
    unencoded.refuses(401, "invalid_client");
}

#[tokio::test]
async fn d11_a_client_id_alone_authenticates_no_confidential_client() {
    let world = TestServer::new().await;
    for id in [WEB, "team-a.basic", "team-a.post"] {
        let form = format!("{GRANT}&client_id={id}");
        world
            .token(None, &form)
            .await
            .refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn d12_a_public_client_with_any_secret_is_refused() {
    let world = TestServer::new().await;
    let id = "team-a.public-machine";
    let derived = world.secret(id);
    for secret in ["x", " ", &derived] {
        post(&world, id, secret)
            .await
            .refuses(401, "invalid_client");
        let reply = world.token(Some(&basic(id, secret)), GRANT).await;
        reply.refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn d12_an_empty_secret_of_a_public_client_counts_as_omitted() {
    let world = TestServer::new().await;
    let id = "team-a.public-machine";
    assert_eq!(post(&world, id, "").await.status, 200);
    let reply = world.token(Some(&basic(id, "")), GRANT).await;
    assert_eq!(reply.status, 200);
    let more = format!("{GRANT}&client_id={id}&client_secret=&client_assertion=");
    let reply = world.token(Some(&basic(id, "")), &more).await;
    assert_eq!(reply.status, 200);
    let spa = tokens(&world, "team-a.spa").await;
    let revoke = format!("token={}&client_secret=", spa.refresh_token);
    let by_header = basic("team-a.spa", "");
    let reply = world.token_at("/revoke", Some(&by_header), &revoke).await;
    assert_eq!(reply.status, 200);
    let reply = world
        .token_at("/introspect", Some(&by_header), &revoke)
        .await;
    reply.refuses(401, "invalid_client");
}

#[tokio::test]
async fn d10_the_log_says_that_an_id_with_a_colon_was_not_encoded() {
    const REMEDY: &str = "client_secret_post";
    let world = TestServer::new().await;
    let id = "https://a:b%c+d.example";
    let secret = world.secret(id);
    for (header, cut) in [
        (basic("https://a.example", &secret), true),
        (basic("https", &secret), true),
        (basic("http", &secret), false),
        (basic("https%3A%2F%2Fa%3Ab", &secret), false),
        (basic(WEB, "wrong"), false),
    ] {
        let (logs, _guard) = Logs::capture();
        let reply = world.token(Some(&header), GRANT).await;
        reply.refuses(401, "invalid_client");
        assert!(!reply.body.contains(REMEDY), "{}", reply.body);
        assert_eq!(logs.text().contains(REMEDY), cut, "{}", logs.text());
    }
    let (id, secret) = (encode(id), encode(&secret));
    let reply = world.token(Some(&basic(&id, &secret)), GRANT).await;
    assert_eq!(reply.status, 200);
    assert_eq!(post(&world, &id, &secret).await.status, 200);
}

#[tokio::test]
async fn d13_a_method_that_is_not_registered_is_refused() {
    let world = TestServer::new().await;
    let (by_header, by_form) = ("team-a.basic", "team-a.post");
    let secret = world.secret(by_header);
    post(&world, by_header, &secret)
        .await
        .refuses(401, "invalid_client");
    assert_eq!(
        world
            .token(Some(&basic(by_header, &secret)), GRANT)
            .await
            .status,
        200
    );
    let secret = world.secret(by_form);
    let reply = world.token(Some(&basic(by_form, &secret)), GRANT).await;
    reply.refuses(401, "invalid_client");
    assert_eq!(post(&world, by_form, &secret).await.status, 200);
}

#[tokio::test]
async fn d14_an_empty_secret_equals_nothing() {
    let world = TestServer::new().await;
    post(&world, WEB, "").await.refuses(401, "invalid_client");
    world
        .token(Some(&basic(WEB, "")), GRANT)
        .await
        .refuses(401, "invalid_client");
    world
        .token(Some(&basic("", "")), GRANT)
        .await
        .refuses(401, "invalid_client");
}

#[tokio::test]
async fn d15_both_secrets_in_the_overlap_and_the_new_one_after_it() {
    let world = TestServer::new().await;
    for (id, generation, status) in [
        (WEB, 1, 200),
        (WEB, 2, 200),
        ("team-a.rotated", 1, 401),
        ("team-a.rotated", 2, 401),
        ("team-a.rotated", 3, 200),
        ("team-a.rotated", 4, 200),
    ] {
        let secret = world.secret_of(id, generation);
        let reply = world.token(Some(&basic(id, &secret)), GRANT).await;
        assert_eq!(reply.status, status, "{id} generation {generation}");
    }
}

#[tokio::test]
async fn d17_p6_a_client_of_one_tenant_is_nobody_at_another() {
    let world = TestServer::new().await;
    let tenants = [("b", "b.api"), ("rsa", "rsa.api"), ("ed", "ed.api")];
    for (tenant, _) in tenants {
        for (owner, id) in tenants {
            let header = basic(id, &world.secret(id));
            let path = format!("/t/{tenant}/token");
            let reply = world.token_at(&path, Some(&header), GRANT).await;
            if tenant == owner {
                assert_eq!(reply.status, 200, "{}", reply.body);
            } else {
                reply.refuses(401, "invalid_client");
            }
        }
    }
    let header = basic("b.api", &world.secret("b.api"));
    world
        .token(Some(&header), GRANT)
        .await
        .refuses(401, "invalid_client");
}

#[tokio::test]
async fn d28_a_refused_assertion_never_falls_through_to_the_id() {
    let world = TestServer::new().await;
    let jwt_bearer = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for form in [
        format!("{GRANT}&client_assertion=e30.e30.x&client_assertion_type={jwt_bearer}"),
        format!("{GRANT}&client_assertion=e30.e30.x"),
        format!("{GRANT}&client_assertion_type={jwt_bearer}"),
        format!("{GRANT}&client_assertion=&client_assertion_type=wrong"),
    ] {
        world
            .token(None, &form)
            .await
            .refuses(401, "invalid_client");
        let form = format!("{form}&client_id=team-a.public-machine");
        world
            .token(None, &form)
            .await
            .refuses(401, "invalid_client");
    }
}
