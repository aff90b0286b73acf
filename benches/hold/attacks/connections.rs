//! Attackers who occupy connections: who ask and do not read, say nothing, or say it slowly.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Means, address, repeat};
use crate::frames::{END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame, get};
use crate::wire::connect;

/// So long an attacker waits on a connection whose answers he does not read.
const HELD: Duration = Duration::from_secs(15);
/// Before another try to connect.
const AGAIN: Duration = Duration::from_millis(50);

/// Sends something, reads nothing, and comes again when the server must have closed the connection.
async fn hold(number: usize, port: u16, bytes: &[u8]) {
    let Some(mut stream) = connect(address(number), port).await else {
        return sleep(AGAIN).await;
    };
    let _ = timeout(HELD, stream.write_all(bytes)).await;
    sleep(HELD).await;
}

pub fn unread_http2(means: &Means) -> Vec<JoinHandle<()>> {
    let place = means.place();
    let window = [0, 4, 0, 0, 0, 0];
    let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &window)].concat();
    let head = get(&place.authorize);
    for stream in 0..32 {
        let flags = END_STREAM | END_HEADERS;
        bytes.extend(frame(HEADERS, flags, stream * 2 + 1, &head));
    }
    repeat(means, 100, move |number| {
        let bytes = bytes.clone();
        async move { hold(number, place.port, &bytes).await }
    })
}

pub fn unread_http1(means: &Means) -> Vec<JoinHandle<()>> {
    let place = means.place();
    let one = format!(
        "GET {} HTTP/1.1\r\nHost: id.example\r\n\r\n",
        place.authorize
    );
    let bytes = one.repeat(200);
    repeat(means, 200, move |number| {
        let bytes = bytes.clone();
        async move { hold(number, place.port, bytes.as_bytes()).await }
    })
}

/// Each opens another connection as soon as its own is closed.
pub fn idle(means: &Means, port: u16, connections: usize, addresses: usize) -> Vec<JoinHandle<()>> {
    repeat(means, connections, move |number| async move {
        let Some(mut stream) = connect(address(number % addresses), port).await else {
            return sleep(AGAIN).await;
        };
        let _ = stream.read(&mut [0]).await;
    })
}

pub fn slow_bodies(means: &Means) -> Vec<JoinHandle<()>> {
    let port = means.plain;
    repeat(means, 1_000, move |number| async move {
        let Some(mut stream) = connect(address(number), port).await else {
            return sleep(AGAIN).await;
        };
        let head = b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n";
        if stream.write_all(head).await.is_err() {
            return;
        }
        while stream.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(500)).await;
        }
    })
}
