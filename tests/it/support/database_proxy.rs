//! A network between the store and a real PostgreSQL: it can be cut, dropped into silence, or lose one answer.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Notify, watch};

/// What happens to the next message that holds a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accident {
    /// It does not arrive, and the connection breaks.
    LostBefore,
    /// It arrives, and the connection breaks before the answer.
    LostAfter,
}

#[derive(Default)]
struct Behavior {
    refuses: watch::Sender<bool>,
    silent: watch::Sender<bool>,
    cut: Notify,
    accident: Mutex<Option<(&'static [u8], Accident)>>,
}

/// The proxy; it ends with the runtime of the test.
pub struct DatabaseProxy {
    address: SocketAddr,
    behavior: Arc<Behavior>,
}

impl DatabaseProxy {
    /// One before the server whose socket lies in this folder.
    pub async fn before(folder: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behavior = Arc::new(Behavior::default());
        let (socket, shared) = (folder.join(".s.PGSQL.5432"), behavior.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !*shared.refuses.borrow() {
                    tokio::spawn(relay(client, socket.clone(), shared.clone()));
                }
            }
        });
        Self { address, behavior }
    }

    /// The URL of a database of the server, through this proxy.
    pub fn url(&self, user: &str, database: &str) -> String {
        format!(
            "postgres://{user}@{}/{database}?sslmode=disable",
            self.address
        )
    }

    /// From now on every connection breaks, and no other is made.
    pub fn disconnect(&self) {
        self.behavior.refuses.send_replace(true);
        self.behavior.cut.notify_waiters();
    }

    /// From now on connections are made again, and packets arrive.
    pub fn mend(&self) {
        self.behavior.refuses.send_replace(false);
        self.behavior.silent.send_replace(false);
    }

    /// From now on no packet arrives, in either direction, and no connection breaks.
    pub fn be_silent(&self) {
        self.behavior.silent.send_replace(true);
    }

    /// What happens to the next message that holds this text.
    pub fn expect(&self, text: &'static str, accident: Accident) {
        *self.behavior.accident.lock().unwrap() = Some((text.as_bytes(), accident));
    }
}

impl Behavior {
    async fn wait_heard(&self) {
        let mut silent = self.silent.subscribe();
        silent.wait_for(|silent| !silent).await.unwrap();
    }

    fn accident(&self, message: &[u8]) -> Option<Accident> {
        let mut expected = self.accident.lock().unwrap();
        let (text, accident) = (*expected)?;
        let found = message.windows(text.len()).any(|part| part == text);
        found.then(|| {
            *expected = None;
            accident
        })
    }
}

async fn relay(client: TcpStream, socket: PathBuf, behavior: Arc<Behavior>) {
    let Ok(server) = UnixStream::connect(socket).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let lost = watch::Sender::new(false);
    let asks = async {
        let mut message = vec![0; 64 * 1024];
        while let Ok(size @ 1..) = from_client.read(&mut message).await {
            behavior.wait_heard().await;
            let accident = behavior.accident(&message[..size]);
            if accident == Some(Accident::LostBefore) {
                return;
            }
            if accident == Some(Accident::LostAfter) {
                lost.send_replace(true);
            }
            if to_server.write_all(&message[..size]).await.is_err() {
                return;
            }
        }
    };
    let answers = async {
        let mut message = vec![0; 64 * 1024];
        while let Ok(size @ 1..) = from_server.read(&mut message).await {
            behavior.wait_heard().await;
            if *lost.borrow() || to_client.write_all(&message[..size]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = asks => {}
        () = answers => {}
        () = behavior.cut.notified() => {}
    }
}
