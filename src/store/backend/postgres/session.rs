//! From the URL, as it is written now, to a session in which operations can run.

use std::time::Duration;

use sqlx::{AnyConnection, Connection, Executor, Row};
use tokio::time::timeout;
use url::Url;

use super::fault::{is_unauthenticated, passes_by_itself};
use crate::backend::open::url::{Location, described, locate, options, parse};
use crate::error::{StoreError, describe};
use crate::source::UrlSource;

/// How long one try to connect may take: a network that drops packets answers nothing.
const PATIENCE: Duration = Duration::from_secs(3);

/// A commit is acknowledged only when it is on disk, and every wait has a limit.
const SETTINGS: &str = "SET synchronous_commit = on; SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '5s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s';";
/// `on` in a standby server, and in a primary that was made read-only before it is given up.
const READ_ONLY: &str = "SHOW transaction_read_only";

/// Why there is no session.
pub struct Refused {
    /// What is wrong, and what to do.
    pub error: StoreError,
    /// Whether the next try may succeed although nothing is changed.
    pub passes: bool,
}

impl Refused {
    fn lasting(error: StoreError) -> Self {
        Self {
            error,
            passes: false,
        }
    }
}

/// A session with the settings of the store, in a server that can be written to.
pub async fn begin(source: &UrlSource) -> Result<AnyConnection, Refused> {
    let mut db = connect(source).await?;
    let prepared = timeout(PATIENCE, db.execute(SETTINGS)).await;
    let prepared = prepared.map_err(|_| Refused {
        error: StoreError::Timeout,
        passes: true,
    })?;
    prepared.map_err(|error| Refused {
        passes: passes_by_itself(&error),
        error: error.into(),
    })?;
    Ok(db)
}

/// A connection to a server that can be written to. A password that is not accepted may have been changed a moment ago, so the
/// URL is read once more.
pub async fn connect(source: &UrlSource) -> Result<AnyConnection, Refused> {
    let url = server(source).await?;
    match attempt(&url).await {
        Err(Attempt::Failed(error)) if is_unauthenticated(&error) => {
            let again = server(source).await?;
            if again == url {
                return Err(refused(&url, Attempt::Failed(error)));
            }
            attempt(&again).await.map_err(|why| refused(&again, why))
        }
        done => done.map_err(|why| refused(&url, why)),
    }
}

async fn server(source: &UrlSource) -> Result<Url, Refused> {
    let url = source.read().await.map_err(Refused::lasting)?;
    match parse(&url).map_err(Refused::lasting)? {
        Location::Server(url) => Ok(url),
        Location::Memory | Location::File(_) => Err(Refused::lasting(StoreError::Url(
            "the database URL names another kind of database than at the start: restart every replica to use it"
                .to_owned(),
        ))),
    }
}

/// Why one try to connect failed.
enum Attempt {
    Url(StoreError),
    Failed(sqlx::Error),
    Silent,
    ReadOnly,
}

async fn attempt(url: &Url) -> Result<AnyConnection, Attempt> {
    let options = options(url).map_err(Attempt::Url)?;
    let connected = async {
        let mut db = AnyConnection::connect_with(&options).await?;
        let row = db.fetch_one(READ_ONLY).await?;
        let read_only: String = row.try_get(0)?;
        Ok((db, read_only == "on"))
    };
    let connected = timeout(PATIENCE, connected).await;
    let connected = connected.map_err(|_| Attempt::Silent)?;
    let (db, is_read_only) = connected.map_err(Attempt::Failed)?;
    if is_read_only {
        return Err(Attempt::ReadOnly);
    }
    Ok(db)
}

fn refused(url: &Url, why: Attempt) -> Refused {
    let server = described(url);
    match why {
        Attempt::Url(error) => Refused::lasting(locate(&server, error)),
        Attempt::Silent => Refused {
            error: locate(&server, StoreError::Timeout),
            passes: false,
        },
        Attempt::ReadOnly => Refused {
            error: StoreError::Open(format!(
                "{server} is a standby or read-only; the database URL must name the primary server, and after a failover its name must lead to the new one"
            )),
            passes: true,
        },
        Attempt::Failed(error) => Refused {
            passes: passes_by_itself(&error),
            error: unreachable(&server, error),
        },
    }
}

fn unreachable(server: &str, error: sqlx::Error) -> StoreError {
    let remedy = match error {
        sqlx::Error::Io(_) => "is it running, and are host and port of the database URL right?",
        sqlx::Error::Tls(_) => "check sslmode and sslrootcert in the database URL",
        error => return locate(server, error.into()),
    };
    let said = describe(&error);
    StoreError::Open(format!("{server} cannot be reached: {said}; {remedy}"))
}
