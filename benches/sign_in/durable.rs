//! The limit: two signatures, and one small write that is on the disk before the answer leaves.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection, Executor, query};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::limit::{self, Sign};

const ROWS: u64 = 10_000;
const FILL: &str = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
    INSERT INTO parts (id, used) SELECT i, 0 FROM n";
const USE: &str = "UPDATE parts SET used = used + 1 WHERE id = $1";

/// Something that writes.
#[derive(Clone)]
enum Durable {
    /// One connection, and one commit for all who wait.
    Sqlite(mpsc::Sender<oneshot::Sender<()>>),
    /// One statement for each, on one of as many connections as the store has.
    Postgres(AnyPool),
}

impl Durable {
    async fn open(url: &str) -> sqlx::Result<Self> {
        sqlx::any::install_default_drivers();
        if url.starts_with("postgres") {
            return Self::postgres(url).await;
        }
        let mut db = AnyConnection::connect(&format!("{url}?mode=rwc")).await?;
        db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;")
            .await?;
        fill(&mut db).await?;
        let (sender, waiting) = mpsc::channel(1024);
        tokio::spawn(gather(db, waiting));
        Ok(Self::Sqlite(sender))
    }

    async fn postgres(url: &str) -> sqlx::Result<Self> {
        let pool = AnyPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .connect(url)
            .await?;
        fill(&mut *pool.acquire().await?).await?;
        Ok(Self::Postgres(pool))
    }

    async fn write(&self) -> Option<()> {
        match self {
            Self::Sqlite(writer) => {
                let (done, answer) = oneshot::channel();
                writer.send(done).await.ok()?;
                answer.await.ok()
            }
            Self::Postgres(pool) => {
                let mut db = pool.acquire().await.ok()?;
                query(USE)
                    .bind(row())
                    .execute(&mut *db)
                    .await
                    .ok()
                    .map(drop)
            }
        }
    }
}

async fn fill(db: &mut AnyConnection) -> sqlx::Result<()> {
    db.execute("DROP TABLE IF EXISTS parts; CREATE TABLE parts (id BIGINT PRIMARY KEY, used BIGINT NOT NULL)")
        .await?;
    db.execute(FILL).await.map(drop)
}

/// Some row, so that two seldom wait for each other.
fn row() -> i64 {
    let mut bytes = [0; 8];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    i64::try_from(u64::from_le_bytes(bytes) % ROWS).unwrap()
}

async fn gather(mut db: AnyConnection, mut waiting: mpsc::Receiver<oneshot::Sender<()>>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, 128).await > 0 {
        db.execute("BEGIN IMMEDIATE").await.unwrap();
        for _ in &batch {
            query(USE).bind(row()).execute(&mut db).await.unwrap();
        }
        db.execute("COMMIT").await.unwrap();
        for done in batch.drain(..) {
            let _ = done.send(());
        }
    }
}

/// RSASSA-PKCS1-v1_5 with 2048 bits, as for ID tokens.
fn rs256() -> Sign {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let random = SystemRandom::new();
    Box::new(move |message| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
            .unwrap();
        signature
    })
}

pub async fn serve(listener: TcpListener, url: &str) -> io::Result<()> {
    let keys = Arc::new((limit::es256()?, rs256()));
    let durable = Durable::open(url).await.map_err(io::Error::other)?;
    limit::serve(listener, move || {
        let (keys, durable) = (keys.clone(), durable.clone());
        async move {
            durable.write().await.unwrap();
            let (access_token, id_token) = (limit::token(&keys.0), limit::token(&keys.1));
            format!(
                r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":600,"id_token":"{id_token}"}}"#
            )
        }
    })
    .await
}
