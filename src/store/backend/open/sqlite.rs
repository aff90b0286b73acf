//! Opens SQLite: a file that only its owner may read, or memory.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, Connection, Executor};
use tokio::time::sleep;
use url::Url;

use super::url::{locate, options};
use crate::backend::schema::migrate;
use crate::backend::sqlite::Sqlite;
use crate::error::{StoreError, is_locked};
use crate::metrics::StoreMetrics;

/// How many may read at the same time.
const READERS: u32 = 4;
/// How long a connection may wait for the lock of another one.
const WAIT: Duration = Duration::from_secs(10);
/// How soon a locked file is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// `synchronous = FULL`: in WAL mode anything less may forget what was answered when the power fails.
const WRITER: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;";
const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";

/// Opens a database of its own.
pub async fn open_memory(metrics: Arc<StoreMetrics>) -> Result<Sqlite, StoreError> {
    let url = Url::parse("sqlite::memory:").expect("a constant");
    let mut writer = AnyConnection::connect_with(&options(&url)?).await?;
    migrate(&mut writer).await?;
    Ok(Sqlite::new(writer, None, metrics))
}

/// Opens a file, or creates it.
pub async fn open_file(path: &Path, metrics: Arc<StoreMetrics>) -> Result<Sqlite, StoreError> {
    create(path)?;
    let options = options(&file_url(path)?)?;
    let writer = open_writer(&options).await;
    let writer =
        writer.map_err(|error| locate(&format!("the database file {}", path.display()), error))?;
    let readers = AnyPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(WAIT)
        .test_before_acquire(false)
        .after_connect(|db, _| Box::pin(async { db.execute(READER).await.map(drop) }))
        .connect_lazy_with(options);
    Ok(Sqlite::new(writer, Some(readers), metrics))
}

async fn open_writer(options: &AnyConnectOptions) -> Result<AnyConnection, StoreError> {
    let mut writer = AnyConnection::connect_with(options).await?;
    set_up(&mut writer).await?;
    // From the beginning: two processes that create the same file would both see an empty one.
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    migrate(&mut transaction).await?;
    transaction.commit().await?;
    Ok(writer)
}

/// Of several that open a new file at the same time one makes it what it is to be; the others are told at once that it
/// is locked, whatever the timeout.
async fn set_up(writer: &mut AnyConnection) -> sqlx::Result<()> {
    let began = Instant::now();
    loop {
        match writer.execute(WRITER).await {
            Err(error) if is_locked(&error) && began.elapsed() < WAIT => sleep(AGAIN).await,
            done => return done.map(drop),
        }
    }
}

/// Makes sure that there is a file which can be written. SQLite gives the files beside it the same rights.
fn create(path: &Path) -> Result<(), StoreError> {
    let mut open = OpenOptions::new();
    open.read(true).write(true).create(true).mode(0o600);
    open.open(path).map(drop).map_err(|error| {
        let path = path.display();
        StoreError::Open(format!(
            "the database file {path} cannot be opened for writing: {error}; its folder must exist, and both must be writable for the user that runs this program"
        ))
    })
}

fn file_url(path: &Path) -> Result<Url, StoreError> {
    let unreadable = || StoreError::Url("the path of the database file cannot be read".to_owned());
    let absolute = std::path::absolute(path).map_err(|_| unreadable())?;
    // It encodes what means something in a URL; sqlx decodes it again.
    let url = Url::from_file_path(absolute).map_err(|()| unreadable())?;
    let url = url.as_str().replacen("file:", "sqlite:", 1);
    Url::parse(&url).map_err(|_| unreadable())
}
