//! The attacks: small means, each from loopback addresses of its own, none of which is a victim's.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;

use crate::frames::{
    CONTINUATION, END_HEADERS, END_STREAM, GET_ROOT, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame,
    get,
};
use crate::sign_ins::{COSTLY, sign_in_from};
use crate::support::ask::ask;
use crate::target::Server;

/// So long an attacker waits on a connection whose answers he does not read.
const HELD: Duration = Duration::from_secs(15);

/// The ports of the server.
#[derive(Clone, Copy)]
pub struct Ports {
    plain: u16,
    tls: u16,
    admin: u16,
}

/// Starts an attack.
pub type Attack = fn(Ports) -> Vec<JoinHandle<()>>;

/// By the rows of `tests/attack-cases.md` that they belong to.
pub const ATTACKS: [(&str, Attack); 17] = [
    ("none", |_| Vec::new()),
    ("Q01 V1 costly hashes, one after the other", costly_hashes),
    ("Q02 V2 unread answers, HTTP/2", unread_http2),
    ("Q02 V2 unread answers, HTTP/1.1", unread_http1),
    ("Q03 V3 idle connections of one address", |ports| {
        idle(ports.plain, 1)
    }),
    ("Q03 V3 idle connections of 200 addresses", |ports| {
        idle(ports.plain, 200)
    }),
    ("Q10 V3 idle connections at the admin port", |ports| {
        idle(ports.admin, 20)
    }),
    ("Q04 V4a sign-ins of one address", |ports| {
        wrong(ports, 32, 1, "stranger")
    }),
    ("Q04 V4b sign-ins of 24 addresses", |ports| {
        wrong(ports, 48, 24, "stranger")
    }),
    ("Q04 V4c right passwords with costly hashes", |ports| {
        right(ports, COSTLY)
    }),
    ("Q05 V4d failures under one name", |ports| {
        wrong(ports, 16, 16, "alice")
    }),
    ("Q07 V10 refusals", refusals),
    ("Q09 V13 sessions of one person", |ports| sessions(ports)),
    ("M04 TLS handshakes", handshakes),
    ("M04 slow bodies", slow_bodies),
    ("M02 rapid reset", rapid_reset),
    ("M02 CONTINUATION", continuation),
];

/// Begins an attack on a server.
pub fn begin(attack: Attack, target: &Server) -> Vec<JoinHandle<()>> {
    attack(Ports {
        plain: target.port,
        tls: target.tls_port,
        admin: target.admin_port,
    })
}

/// The address of an attacker.
fn address(number: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(
        127,
        66,
        (number / 200) as u8,
        (number % 200 + 1) as u8,
    ))
}

async fn connect(number: usize, port: u16) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind(SocketAddr::new(address(number), 0)).ok()?;
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    socket.connect(to).await.ok()
}

/// Does the same again and again, in several tasks.
fn repeat<F: Future<Output = ()> + Send>(
    tasks: usize,
    what: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Vec<JoinHandle<()>> {
    let tasks = (0..tasks).map(|number| {
        let what = what.clone();
        tokio::spawn(async move {
            loop {
                what(number).await;
                tokio::task::yield_now().await;
            }
        })
    });
    tasks.collect()
}

fn wrong(ports: Ports, tasks: usize, addresses: usize, name: &'static str) -> Vec<JoinHandle<()>> {
    repeat(tasks, move |number| async move {
        let from = address(number % addresses);
        sign_in_from(from, ports.plain, name, "wrong").await;
    })
}

fn right(ports: Ports, people: usize) -> Vec<JoinHandle<()>> {
    repeat(people * 4, move |number| async move {
        let name = format!("costly-{}", number % people);
        sign_in_from(address(number), ports.plain, &name, "costly").await;
    })
}

fn costly_hashes(ports: Ports) -> Vec<JoinHandle<()>> {
    repeat(60, move |number| async move {
        let name = format!("costly-{}", number % COSTLY);
        sign_in_from(address(number), ports.plain, &name, "wrong").await;
    })
}

fn sessions(ports: Ports) -> Vec<JoinHandle<()>> {
    repeat(8, move |number| async move {
        let password = crate::support::people::PASSWORD;
        sign_in_from(address(number), ports.plain, "bob", password).await;
    })
}

/// Sends something, reads nothing, and comes again when the server must have closed the connection.
async fn hold(number: usize, port: u16, bytes: &[u8]) {
    let Some(mut stream) = connect(number, port).await else {
        return sleep(Duration::from_millis(50)).await;
    };
    let _ = tokio::time::timeout(HELD, stream.write_all(bytes)).await;
    sleep(HELD).await;
}

fn unread_http2(ports: Ports) -> Vec<JoinHandle<()>> {
    repeat(100, move |number| async move {
        let window = [0, 4, 0, 0, 0, 0];
        let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &window)].concat();
        let head = get(&ask("team-a.app").url());
        for stream in 0..32 {
            bytes.extend(frame(
                HEADERS,
                END_STREAM | END_HEADERS,
                stream * 2 + 1,
                &head,
            ));
        }
        hold(number, ports.plain, &bytes).await;
    })
}

fn unread_http1(ports: Ports) -> Vec<JoinHandle<()>> {
    repeat(200, move |number| async move {
        let path = ask("team-a.app").url();
        let one = format!("GET {path} HTTP/1.1\r\nHost: id.example\r\n\r\n");
        hold(number, ports.plain, one.repeat(200).as_bytes()).await;
    })
}

/// As many as file descriptors allow, in 2,000 tasks; each opens another one when its own is closed.
fn idle(port: u16, addresses: usize) -> Vec<JoinHandle<()>> {
    repeat(2_000, move |number| async move {
        let Some(mut stream) = connect(number % addresses, port).await else {
            return sleep(Duration::from_millis(50)).await;
        };
        let mut byte = [0];
        let _ = stream.read(&mut byte).await;
    })
}

fn refusals(ports: Ports) -> Vec<JoinHandle<()>> {
    repeat(16, move |number| async move {
        let Some(mut stream) = connect(number, ports.plain).await else {
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

fn handshakes(ports: Ports) -> Vec<JoinHandle<()>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates([]);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    repeat(64, move |number| {
        let connector = connector.clone();
        async move {
            let Some(stream) = connect(number, ports.tls).await else {
                return;
            };
            let name = "id.example".try_into().unwrap();
            // It refuses the certificate, when the server has done its part.
            let _ = connector.connect(name, stream).await;
        }
    })
}

fn slow_bodies(ports: Ports) -> Vec<JoinHandle<()>> {
    repeat(1_000, move |number| async move {
        let Some(mut stream) = connect(number, ports.plain).await else {
            return sleep(Duration::from_millis(50)).await;
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

/// Floods a connection until the server closes it.
async fn flood(number: usize, port: u16, opening: &[u8], next: impl Fn(u32) -> Vec<u8>) {
    let Some(stream) = connect(number, port).await else {
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

fn rapid_reset(ports: Ports) -> Vec<JoinHandle<()>> {
    repeat(16, move |number| async move {
        let reset = |round: u32| {
            let stream = round * 2 + 1;
            let open = frame(HEADERS, END_STREAM | END_HEADERS, stream, GET_ROOT);
            [open, frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat()
        };
        flood(number, ports.plain, &[], reset).await;
    })
}

fn continuation(ports: Ports) -> Vec<JoinHandle<()>> {
    repeat(16, move |number| async move {
        let header = [&[0x00, 0x01, b'a', 100][..], &[b'x'; 100]]
            .concat()
            .repeat(100);
        let opening = frame(HEADERS, END_STREAM, 1, GET_ROOT);
        flood(number, ports.plain, &opening, |_| {
            frame(CONTINUATION, 0, 1, &header)
        })
        .await;
    })
}
