//! A small HTTP/1.1 client: what it costs is a small part of what its requests cost the server, on the same processors.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The longest answer that is read.
const MAX_ANSWER: usize = 256 * 1024;

/// What is read of an answer.
pub struct Answer {
    pub status: u16,
    /// Name and value of each cookie that it sets.
    pub cookies: Vec<(String, String)>,
    pub body: String,
}

/// A connection from an address of the loopback network.
pub async fn connect(from: IpAddr, port: u16) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    // Thousands of short connections of one address leave ports that wait.
    socket.set_reuseaddr(true).ok()?;
    socket.bind(SocketAddr::new(from, 0)).ok()?;
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    let stream = socket.connect(to).await.ok()?;
    stream.set_nodelay(true).ok()?;
    Some(stream)
}

/// Sends a request and reads its answer, which has to say how long it is.
pub async fn exchange(stream: &mut TcpStream, request: &str) -> Option<Answer> {
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut bytes = Vec::with_capacity(8 * 1024);
    let (head, begin) = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
        more(stream, &mut bytes).await?;
    };
    let length = fields(&head, "content-length").next()?;
    let end = begin + length.parse::<usize>().ok()?;
    while bytes.len() < end {
        more(stream, &mut bytes).await?;
    }
    let cookies = fields(&head, "set-cookie").filter_map(|field| {
        let (pair, _) = field.split_once(';')?;
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        cookies: cookies.collect(),
        body: String::from_utf8_lossy(&bytes[begin..end]).into_owned(),
    })
}

/// Every value of a header.
fn fields<'a>(head: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter_map(move |(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(bytes).await.ok()?;
    (read > 0 && bytes.len() <= MAX_ANSWER).then_some(())
}
