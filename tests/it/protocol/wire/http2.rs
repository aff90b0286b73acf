//! M02: floods of HTTP/2 frames end the connection, and the server goes on.

use clientele_http::server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::support::DEADLINE;
use crate::support::running::Running;
use crate::support::test_server::TestServer;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:method GET`, `:scheme http`, `:path /` from the static table (RFC 7541 appendix A).
const GET_ROOT: &[u8] = &[0x82, 0x86, 0x84];
/// `:method POST`, `:scheme http`, `:path /token`.
const POST_TOKEN: &[u8] = &[0x83, 0x86, 0x04, 0x06, b'/', b't', b'o', b'k', b'e', b'n'];

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Floods a new connection until the server closes it; it has to, and to serve the next one.
async fn is_closed(opening: &[u8], mut flood: impl FnMut(u32) -> Vec<u8>) {
    let server = Running::start(TestServer::new().await.router, None, Limits::default()).await;
    let (mut reader, mut writer) = server.connect().await.into_split();
    let start = [PREFACE, &frame(SETTINGS, 0, 0, &[]), opening].concat();
    writer.write_all(&start).await.unwrap();
    let flooding = async {
        for round in 0.. {
            if writer.write_all(&flood(round)).await.is_err() {
                return;
            }
        }
    };
    let draining = async {
        let mut bytes = [0; 4096];
        while reader.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    };
    let closed = async {
        tokio::select! { () = flooding => (), () = draining => () }
    };
    timeout(DEADLINE, closed)
        .await
        .expect("the server ends the flood");
    let answer = server
        .exchange(b"GET /jwks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn m02_rapid_reset_is_ended() {
    is_closed(&[], |round| {
        let stream = round * 2 + 1;
        let open = frame(HEADERS, END_STREAM | END_HEADERS, stream, GET_ROOT);
        [open, frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat()
    })
    .await;
}

#[tokio::test]
async fn m02_endless_continuation_is_ended() {
    let opening = frame(HEADERS, END_STREAM, 1, GET_ROOT);
    // A literal header without indexing: name "a", value of 100 bytes.
    let header = [&[0x00, 0x01, b'a', 100][..], &[b'x'; 100]].concat();
    is_closed(&opening, |_| frame(CONTINUATION, 0, 1, &header.repeat(100))).await;
}

#[tokio::test]
async fn m02_a_head_over_the_limit_is_refused() {
    let header = [&[0x00, 0x01, b'a', 100][..], &[b'x'; 100]].concat();
    is_closed(&[], |round| {
        let stream = round * 2 + 1;
        let open = frame(HEADERS, END_STREAM, stream, GET_ROOT);
        let more: Vec<u8> = (0..20)
            .flat_map(|_| frame(CONTINUATION, 0, stream, &header.repeat(100)))
            .collect();
        [open, more].concat()
    })
    .await;
}

#[tokio::test]
async fn m02_a_flood_of_empty_data_is_ended() {
    let opening = frame(HEADERS, END_HEADERS, 1, POST_TOKEN);
    is_closed(&opening, |_| frame(DATA, 0, 1, &[]).repeat(100)).await;
}

#[tokio::test]
async fn m02_more_streams_than_allowed_are_refused_one_by_one() {
    let server = Running::start(
        TestServer::new().await.router,
        None,
        Limits {
            streams: 4,
            ..Limits::default()
        },
    )
    .await;
    let mut stream = server.connect().await;
    let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    for round in 0..20 {
        bytes.extend(frame(HEADERS, END_HEADERS, round * 2 + 1, POST_TOKEN));
    }
    bytes.extend(frame(PING, 0, 0, &[7; 8]));
    stream.write_all(&bytes).await.unwrap();
    let mut refused = 0;
    let reading = async {
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            stream.read_exact(&mut payload).await.unwrap();
            match head[3] {
                // REFUSED_STREAM (RFC 9113 §7)
                RST_STREAM if payload == 7u32.to_be_bytes() => refused += 1,
                PING | GOAWAY => break,
                _ => {}
            }
        }
    };
    timeout(DEADLINE, reading)
        .await
        .expect("the server answers");
    assert!(refused > 0, "streams beyond the limit are refused");
}
