//! M14: with everything logged, no secret is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_http::server::Limits;
use tokio::io::AsyncWriteExt;

use crate::support::logs::Logs;
use crate::support::running::{Running, read_until};
use crate::support::test_server::{TestServer, basic};

const FORM: &str =
    "Host: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n";

async fn token_request(server: &Running, authorization: &str, form: &str) -> String {
    let length = form.len();
    let request = format!(
        "POST /token HTTP/1.1\r\n{FORM}Authorization: {authorization}\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    server.exchange(request.as_bytes()).await
}

/// What must not be found: the values, and the header as it was sent.
fn forbidden(world: &TestServer, token: &str) -> Vec<String> {
    let secret = world.secret("team-a.web");
    let header = basic("team-a.web", &secret);
    vec![
        secret[21..64].to_owned(),
        header[6..].to_owned(),
        token.to_owned(),
        token.rsplit_once('.').unwrap().1.to_owned(),
        STANDARD.encode("stranger:guess-of-a-stranger"),
        "guess-of-a-stranger".to_owned(),
        "stranger".to_owned(),
    ]
}

#[tokio::test]
async fn m14_no_secret_token_or_header_is_logged_at_any_level() {
    let (logs, _guard) = Logs::capture();
    let world = TestServer::new().await;
    let server = Running::start(world.router.clone(), None, Limits::default()).await;
    let secret = world.secret("team-a.web");
    let good = basic("team-a.web", &secret);
    let grant = "grant_type=client_credentials";
    let answer = token_request(&server, &good, grant).await;
    let token = answer.split('"').nth(3).expect("a token").to_owned();
    assert!(token.starts_with("eyJ"), "{answer}");
    for (header, form) in [
        (good.clone(), format!("{grant}&client_secret={secret}")),
        (basic("team-a.web", "guess-of-a-stranger"), grant.to_owned()),
        (basic("stranger", "guess-of-a-stranger"), grant.to_owned()),
        (good.clone(), format!("{grant}&scope=guess-of-a-stranger")),
        (good, format!("grant_type={secret}")),
    ] {
        token_request(&server, &header, &form).await;
    }
    let text = logs.text();
    assert!(
        text.contains("token request refused") && text.contains("client_id=\"team-a.web\""),
        "{text}"
    );
    for secret in forbidden(&world, &token) {
        assert!(!text.contains(&secret), "{secret} is in\n{text}");
    }
}

/// A literal header that is never indexed (RFC 7541 §6.2.3); every length is below 127 and so one byte.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    let (name_length, value_length) = (length(name), length(value));
    [
        &[0x10, name_length],
        name.as_bytes(),
        &[value_length],
        value.as_bytes(),
    ]
    .concat()
}

/// A short frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    let head = [0, 0, length, kind, flags, 0, 0, 0, stream];
    [&head, payload].concat()
}

/// A token request as the bytes of an HTTP/2 connection.
fn http2_token_request(authorization: &str) -> Vec<u8> {
    let block = [
        &[0x83, 0x86, 0x04, 0x06][..],
        b"/token",
        &literal("content-type", "application/x-www-form-urlencoded"),
        &literal("authorization", authorization),
    ]
    .concat();
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(1, 4, 1, &block),
        frame(0, 1, 1, b"grant_type=client_credentials"),
    ]
    .concat()
}

#[tokio::test]
async fn m14_http2_headers_are_not_logged_either() {
    let (logs, _guard) = Logs::capture();
    let world = TestServer::new().await;
    let server = Running::start(world.router.clone(), None, Limits::default()).await;
    let header = basic("team-a.web", &world.secret("team-a.web"));
    let mut stream = server.connect().await;
    stream
        .write_all(&http2_token_request(&header))
        .await
        .unwrap();
    let answer = read_until(&mut stream, "expires_in").await;
    let token = answer.split('"').nth(3).expect("a token").to_owned();
    let text = logs.text();
    assert!(text.contains("h2"), "the library logs at this level");
    for secret in forbidden(&world, &token) {
        assert!(!text.contains(&secret), "{secret} is in\n{text}");
    }
}
