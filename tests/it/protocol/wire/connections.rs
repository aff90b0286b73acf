//! M04 and shutdown: what a connection may occupy, and how it ends.

use std::time::Duration;

use clientele_http::server::Limits;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::DEADLINE;
use crate::support::running::{Running, read_to_end, read_until};
use crate::support::test_server::TestServer;

const GET: &[u8] = b"GET /jwks HTTP/1.1\r\nHost: id.example\r\n\r\n";

fn impatient() -> Limits {
    Limits {
        header: Duration::from_millis(40),
        idle: Duration::from_millis(200),
        ..Limits::default()
    }
}

#[tokio::test]
async fn m04_a_connection_that_says_nothing_is_closed() {
    let server = Running::start(TestServer::new().await.router, None, impatient()).await;
    let mut silent = server.connect().await;
    assert_eq!(read_to_end(&mut silent).await, b"");
    server.until_open(0).await;
}

#[tokio::test]
async fn m04_half_a_head_is_closed_first_or_later() {
    let server = Running::start(TestServer::new().await.router, None, impatient()).await;
    let mut slow = server.connect().await;
    slow.write_all(&GET[..20]).await.unwrap();
    assert_eq!(read_to_end(&mut slow).await, b"");

    let patient_when_idle = Limits {
        idle: Duration::from_hours(1),
        ..impatient()
    };
    let server = Running::start(TestServer::new().await.router, None, patient_when_idle).await;
    let mut slow = server.connect().await;
    slow.write_all(GET).await.unwrap();
    read_until(&mut slow, "]}").await;
    slow.write_all(&GET[..20]).await.unwrap();
    assert_eq!(read_to_end(&mut slow).await, b"");
    server.until_open(0).await;
}

#[tokio::test]
async fn m04_an_idle_connection_is_closed_after_the_idle_timeout_only() {
    let server = Running::start(TestServer::new().await.router, None, impatient()).await;
    let mut idle = server.connect().await;
    let since = std::time::Instant::now();
    idle.write_all(GET).await.unwrap();
    read_until(&mut idle, "]}").await;
    assert_eq!(read_to_end(&mut idle).await, b"");
    assert!(since.elapsed() >= impatient().idle / 2);
    server.until_open(0).await;
}

#[tokio::test]
async fn m04_many_silent_connections_do_not_stop_another() {
    let server = Running::start(TestServer::new().await.router, None, Limits::default()).await;
    let mut silent = vec![];
    for _ in 0..200 {
        silent.push(server.connect().await);
    }
    let mut one = server.connect().await;
    one.write_all(GET).await.unwrap();
    read_until(&mut one, "200 OK").await;
}

#[tokio::test]
async fn shutdown_finishes_what_is_in_flight_and_closes_what_is_idle() {
    let server = Running::start(TestServer::new().await.router, None, Limits::default()).await;
    let mut idle = server.connect().await;
    idle.write_all(GET).await.unwrap();
    read_until(&mut idle, "]}").await;
    let mut busy = server.connect().await;
    let head = b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n";
    busy.write_all(head).await.unwrap();
    read_until(&mut busy, "100 Continue").await;
    server.shutdown.cancel();
    assert_eq!(read_to_end(&mut idle).await, b"");
    // A returning client is refused: a connection that is taken is served.
    let again = TcpStream::connect(server.address).await.unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::ConnectionRefused);
    busy.write_all(b"grant_type=x").await.unwrap();
    let answer = String::from_utf8(read_to_end(&mut busy).await).unwrap();
    assert!(answer.contains("unsupported_grant_type"), "{answer}");
    let ended = timeout(DEADLINE, server.task).await.unwrap();
    ended.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_does_not_wait_longer_than_its_deadline() {
    let hasty = Limits {
        drain: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Running::start(TestServer::new().await.router, None, hasty).await;
    let mut stuck = server.connect().await;
    let head = b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n";
    stuck.write_all(head).await.unwrap();
    read_until(&mut stuck, "100 Continue").await;
    server.shutdown.cancel();
    let ended = timeout(DEADLINE, server.task).await.unwrap();
    ended.unwrap().unwrap();
    read_to_end(&mut stuck).await;
}
