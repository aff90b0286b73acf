//! Q02, Q03, Q10: what strangers fill, and who makes room.

use std::sync::Arc;
use std::time::Duration;

use clientele_http::admin::{Admin, admin_router};
use clientele_http::server::Limits;
use clientele_http::server::overload::Reason;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::DEADLINE;
use crate::support::running::{Running, read_to_end, read_until};
use crate::support::test_server::TestServer;

const GET: &[u8] = b"GET /jwks HTTP/1.1\r\nHost: id.example\r\n\r\n";
const ONE: &[u8] = b"GET /jwks HTTP/1.1\r\nHost: id.example\r\nConnection: close\r\n\r\n";
/// A request that is in flight until its body comes.
const SLOW: &[u8] = b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n";

async fn serving(limits: Limits) -> Running {
    Running::start(TestServer::new().await.router, None, limits).await
}

fn hasty() -> Limits {
    Limits {
        stall: Duration::from_millis(100),
        ..Limits::default()
    }
}

/// A connection with a request in flight.
async fn busy(server: &Running, from: &str) -> TcpStream {
    let mut stream = server.connect_from(from).await;
    stream.write_all(SLOW).await.unwrap();
    read_until(&mut stream, "100 Continue").await;
    stream
}

#[tokio::test]
async fn q02_http2_answers_that_nobody_reads_end_the_connection() {
    let server = serving(hasty()).await;
    let mut stream = server.connect().await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    // SETTINGS with INITIAL_WINDOW_SIZE 0 (RFC 9113 section 6.5.2), then GET / on three streams.
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    let mut bytes = [&preface[..], &settings].concat();
    for id in [1, 3, 5] {
        bytes.extend([0, 0, 3, 1, 5, 0, 0, 0, id, 0x82, 0x86, 0x84]);
    }
    stream.write_all(&bytes).await.unwrap();
    let mut answers = Vec::new();
    let read = timeout(DEADLINE, stream.read_to_end(&mut answers)).await;
    let _ = read.expect("the server closes the connection");
    assert!(answers.len() > 27, "heads came");
    server.until_open(0).await;
    assert_eq!(server.overload.counted(Reason::UnreadAnswer), 1);
}

#[tokio::test]
async fn q02_an_http1_peer_that_never_reads_is_closed() {
    let server = serving(hasty()).await;
    let mut stream = server.connect().await;
    server.until_open(1).await;
    let styles = b"GET /style.css HTTP/1.1\r\nHost: id.example\r\n\r\n".repeat(4000);
    let writing = stream.write_all(&styles);
    // The server stops reading when it cannot write.
    let _ = timeout(DEADLINE, writing).await;
    server.until_open(0).await;
    assert_eq!(server.overload.counted(Reason::UnreadAnswer), 1);
}

#[tokio::test]
async fn q02_a_peer_that_reads_slowly_is_served() {
    let server = serving(hasty()).await;
    let mut stream = server.connect().await;
    let until = tokio::time::Instant::now() + hasty().stall * 3;
    while tokio::time::Instant::now() < until {
        stream.write_all(GET).await.unwrap();
        read_until(&mut stream, "]}").await;
    }
    assert_eq!(server.overload.counted(Reason::UnreadAnswer), 0);
}

#[tokio::test]
async fn q02_requests_beyond_the_budget_are_told_to_come_back() {
    let server = serving(Limits {
        requests: 8,
        ..Limits::default()
    })
    .await;
    let mut held = vec![
        busy(&server, "127.0.0.1").await,
        busy(&server, "127.0.0.1").await,
        busy(&server, "127.0.0.1").await,
    ];
    let refused = server.exchange(ONE).await;
    assert!(refused.starts_with("HTTP/1.1 429"), "{refused}");
    assert!(refused.contains("retry-after: 1"), "{refused}");
    for last in 2..7 {
        held.push(busy(&server, &format!("127.0.0.{last}")).await);
    }
    let mut stranger = server.connect_from("127.0.0.9").await;
    stranger.write_all(GET).await.unwrap();
    let refused = read_until(&mut stranger, "in a moment").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("retry-after: 1"), "{refused}");
    assert_eq!(server.overload.counted(Reason::Requests), 1);
    assert_eq!(server.overload.counted(Reason::RequestsOfAddress), 1);
    held[0].write_all(b"grant_type=x").await.unwrap();
    read_until(&mut held[0], "unsupported_grant_type").await;
    stranger.write_all(GET).await.unwrap();
    read_until(&mut stranger, "200 OK").await;
}

#[tokio::test]
async fn q03_idle_connections_of_one_address_keep_nobody_out() {
    let server = serving(Limits {
        connections: 16,
        ..Limits::default()
    })
    .await;
    let mut other = server.connect_from("127.0.0.2").await;
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(server.connect().await);
    }
    let mut first = idle.remove(0);
    assert_eq!(read_to_end(&mut first).await, b"", "idle longest");
    other.write_all(GET).await.unwrap();
    read_until(&mut other, "200 OK").await;
    let mut newest = idle.pop().unwrap();
    newest.write_all(GET).await.unwrap();
    read_until(&mut newest, "200 OK").await;
    server.until_open(3).await;
}

#[tokio::test]
async fn m04_q03_when_full_the_connection_idle_longest_is_closed() {
    let server = serving(Limits {
        connections: 4,
        ..Limits::default()
    })
    .await;
    let mut streams = Vec::new();
    for last in 1..=4 {
        streams.push(busy(&server, &format!("127.0.0.{last}")).await);
    }
    let mut fifth = server.connect_from("127.0.0.5").await;
    fifth.write_all(GET).await.unwrap();
    let early = timeout(Duration::from_millis(50), fifth.readable()).await;
    assert!(early.is_err(), "every connection is busy");
    streams[1].write_all(b"grant_type=x").await.unwrap();
    read_until(&mut fifth, "200 OK").await;
    let end = read_to_end(&mut streams[1]).await;
    assert!(String::from_utf8_lossy(&end).contains("unsupported_grant_type"));
}

#[tokio::test]
async fn q10_a_probe_is_answered_beside_a_thousand_idle_connections() {
    let admin = admin_router(Admin {
        ready: Arc::new(|| Ok(())),
        metrics: Arc::new(Registry::default()),
    });
    let server = Running::start(admin, None, Limits::of_admin()).await;
    let mut idle = Vec::new();
    for number in 0..1000 {
        let from = format!("127.0.1.{}", number % 20 + 1);
        idle.push(server.connect_from(&from).await);
    }
    let probe = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = server.exchange(probe).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    let two = server.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(!two.contains("200"), "HTTP/1.1 only");
}
