//! M03: request smuggling over a real connection.

use clientele_http::server::Limits;

use crate::support::running::Running;
use crate::support::test_server::{TestServer, basic};

const FORM: &str = "Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
const SMUGGLED: &str = "GET /jwks HTTP/1.1\r\nHost: x\r\n\r\n";

async fn server() -> Running {
    Running::start(TestServer::new().await.router, None, Limits::default()).await
}

/// Sends a head and a body, and asserts that one answer comes and the connection is closed.
async fn one_answer(head: &str, body: &str, status: &str) {
    let answer = server()
        .await
        .exchange(format!("{head}\r\n{body}").as_bytes())
        .await;
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status}")),
        "{head}\n{answer}"
    );
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{head}\n{answer}");
}

#[tokio::test]
async fn m03_two_content_lengths_that_differ_are_refused() {
    let head = format!("POST /token HTTP/1.1\r\n{FORM}Content-Length: 5\r\nContent-Length: 40\r\n");
    one_answer(&head, &format!("a=b&c{SMUGGLED}"), "400").await;
    let head = format!("POST /token HTTP/1.1\r\n{FORM}Content-Length: 5, 6\r\n");
    one_answer(&head, &format!("a=b&c{SMUGGLED}"), "400").await;
}

#[tokio::test]
async fn m03_length_with_transfer_encoding_smuggles_no_request() {
    // RFC 9112 §6.1: Transfer-Encoding alone counts, and the connection closes after the answer.
    for both in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let head = format!("POST /token HTTP/1.1\r\n{FORM}{both}");
        one_answer(&head, &format!("0\r\n\r\n{SMUGGLED}"), "400").await;
    }
}

#[tokio::test]
async fn m03_an_unclear_transfer_encoding_is_refused() {
    for te in [
        "chunked, identity",
        "xchunked",
        "identity",
        "chunked\r\nTransfer-Encoding: x",
    ] {
        let head = format!("POST /token HTTP/1.1\r\n{FORM}Transfer-Encoding: {te}\r\n");
        one_answer(&head, &format!("0\r\n\r\n{SMUGGLED}"), "400").await;
    }
}

#[tokio::test]
async fn m03_folded_headers_and_spaces_before_the_colon_are_refused() {
    for header in [
        "X: a\r\n b\r\n",
        "Content-Length : 5\r\n",
        " X: a\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "X: a\rb\r\n",
        "X\0: a\r\n",
    ] {
        let head = format!("POST /token HTTP/1.1\r\n{FORM}{header}");
        one_answer(&head, &format!("a=b&c{SMUGGLED}"), "400").await;
    }
}

#[tokio::test]
async fn m03_a_bare_line_feed_ends_a_line_and_nothing_else() {
    // RFC 9112 §2.2 lets a recipient take a bare LF for the end of a line; hyper does. What must not
    // happen is that it hides a header from us: Content-Length after a bare LF counts.
    let request = format!(
        "POST /token HTTP/1.1\r\n{FORM}X: a\nContent-Length: 5\r\nConnection: close\r\n\r\na=b&c{SMUGGLED}"
    );
    let answer = server().await.exchange(request.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[tokio::test]
async fn m03_chunks_with_a_broken_size_are_refused() {
    for chunk in ["z\r\n", "-1\r\n", "0x5\r\n", "fffffffffffffffff\r\n"] {
        let head = format!("POST /token HTTP/1.1\r\n{FORM}Transfer-Encoding: chunked\r\n");
        one_answer(&head, &format!("{chunk}{SMUGGLED}"), "400").await;
    }
}

#[tokio::test]
async fn m03_a_head_that_is_too_large_is_refused() {
    let many = "X: a\r\n".repeat(100);
    one_answer(
        &format!("GET /jwks HTTP/1.1\r\nHost: x\r\n{many}"),
        "",
        "431",
    )
    .await;
    let long = format!(
        "GET /jwks HTTP/1.1\r\nHost: x\r\nX: {}\r\n",
        "a".repeat(100_000)
    );
    one_answer(&long, "", "431").await;
}

#[tokio::test]
async fn m03_a_body_that_nobody_reads_is_not_the_next_request() {
    let request = format!(
        "POST /nothing HTTP/1.1\r\n{FORM}Content-Length: {}\r\n\r\n{SMUGGLED}GET /jwks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        SMUGGLED.len()
    );
    let answer = server().await.exchange(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(answer.matches("HTTP/1.1 200").count() <= 1, "{answer}");
}

#[tokio::test]
async fn a_chunked_token_request_is_answered() {
    let world = TestServer::new().await;
    let header = basic("team-a.web", &world.secret("team-a.web"));
    let server = Running::start(world.router, None, Limits::default()).await;
    let head = format!("POST /token HTTP/1.1\r\n{FORM}Authorization: {header}\r\n");
    let body = "1d\r\ngrant_type=client_credentials\r\n0\r\n\r\n";
    let request = format!("{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let answer = server.exchange(request.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("access_token"),
        "{answer}"
    );
}

#[tokio::test]
async fn j11_an_absolute_uri_and_its_host_make_no_second_issuer() {
    let request = b"GET http://evil.example/t/b/.well-known/openid-configuration HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let answer = server().await.exchange(request).await;
    assert!(
        answer.contains("\"issuer\":\"https://id.example/t/b\""),
        "{answer}"
    );
    assert!(!answer.contains("evil"));
}
