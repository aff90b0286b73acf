//! A pooler in transaction mode before a real PostgreSQL, with one session for all clients: each transaction of a client has it
//! until it ends.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Mutex;

/// The session of the server, and what it said at its beginning.
struct Session {
    server: UnixStream,
    greeting: Vec<u8>,
}

/// Starts one before the server whose socket lies in this folder; the URL of a database through it.
pub async fn before(folder: PathBuf, database: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let session = Arc::new(Mutex::new(None));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let socket = folder.join(".s.PGSQL.5432");
            tokio::spawn(serve(client, socket, session.clone()));
        }
    });
    format!("postgres://postgres@{address}/{database}?sslmode=disable")
}

async fn serve(
    mut client: TcpStream,
    socket: PathBuf,
    session: Arc<Mutex<Option<Session>>>,
) -> Option<()> {
    let size = client.read_u32().await.ok()?;
    let mut startup = size.to_be_bytes().to_vec();
    startup.resize(usize::try_from(size).ok()?, 0);
    client.read_exact(&mut startup[4..]).await.ok()?;
    let mut known = session.lock().await;
    if known.is_none() {
        let mut server = UnixStream::connect(socket).await.ok()?;
        server.write_all(&startup).await.ok()?;
        let (greeting, _) = answer(&mut server).await?;
        *known = Some(Session { server, greeting });
    }
    client.write_all(&known.as_ref()?.greeting).await.ok()?;
    drop(known);
    loop {
        let mut request = message(&mut client).await?;
        let mut held = session.lock().await;
        loop {
            // Whatever belongs together ends with a query or a Sync; `X` says good-bye.
            while !matches!(request.last()?.first()?, b'Q' | b'S' | b'X') {
                request.extend(message(&mut client).await?);
            }
            if request.last()?.first() == Some(&b'X') {
                return None;
            }
            let server = &mut held.as_mut()?.server;
            server.write_all(&request.concat()).await.ok()?;
            let (said, in_transaction) = answer(server).await?;
            client.write_all(&said).await.ok()?;
            if !in_transaction {
                break;
            }
            request = message(&mut client).await?;
        }
    }
}

/// One message, as the only one of a list.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<Vec<u8>>> {
    let kind = from.read_u8().await.ok()?;
    let size = from.read_u32().await.ok()?;
    let mut message = vec![kind];
    message.extend(size.to_be_bytes());
    message.resize(usize::try_from(size).ok()? + 1, 0);
    from.read_exact(&mut message[5..]).await.ok()?;
    Some(vec![message])
}

/// Everything until the server is ready for the next query, and whether a transaction is open then.
async fn answer(server: &mut UnixStream) -> Option<(Vec<u8>, bool)> {
    let mut all = Vec::new();
    loop {
        let message = message(server).await?.concat();
        let ready = message[0] == b'Z';
        let in_transaction = ready && message[5] != b'I';
        all.extend(message);
        if ready {
            return Some((all, in_transaction));
        }
    }
}
