//! Requests at a constant rate, whatever the server does: latency is counted from when a request was due.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Enough that none is short at the rates used here.
const CONNECTIONS: usize = 16;

/// A token request as this client, whose `Authorization` header this is.
pub fn token_request(authorization: &str) -> String {
    let body = "grant_type=client_credentials";
    format!(
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Makes these requests in turn; milliseconds of every one, sorted. Every one has to succeed.
pub async fn run(port: u16, requests: &[String], rate: u32, seconds: u32) -> Vec<f64> {
    let due = Arc::new(AtomicU32::new(0));
    let requests: Arc<[String]> = requests.into();
    let started = Instant::now() + Duration::from_millis(50);
    let connections = (0..CONNECTIONS).map(|_| {
        let (due, requests) = (due.clone(), requests.clone());
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut taken = Vec::new();
            loop {
                let next = due.fetch_add(1, Relaxed);
                if next >= rate * seconds {
                    return taken;
                }
                let at = started + Duration::from_secs(1) * next / rate;
                tokio::time::sleep_until(at.into()).await;
                exchange(&mut stream, &requests[next as usize % requests.len()]).await;
                taken.push(at.elapsed().as_secs_f64() * 1e3);
            }
        })
    });
    let mut all = Vec::new();
    for connection in connections.collect::<Vec<_>>() {
        all.extend(connection.await.unwrap());
    }
    all.sort_by(f64::total_cmp);
    all
}

async fn exchange(stream: &mut TcpStream, request: &str) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::with_capacity(4096);
    loop {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if body.len() >= length.map_or(0, |(_, length)| length.parse().unwrap()) {
            assert!(head.starts_with("HTTP/1.1 200"), "{text}");
            return;
        }
    }
}

/// A quantile of sorted values.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * q).round() as usize]
}
