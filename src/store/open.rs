//! From a URL to an open database.

mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::any::AnyConnectOptions;
use tracing::log::LevelFilter;
use url::Url;

use super::Backend;
use super::error::StoreError;

/// A statement that takes longer is worth a warning.
const SLOW: Duration = Duration::from_secs(1);

/// Where a database is.
enum Place {
    /// In memory, SQLite.
    Memory,
    /// In a file, SQLite.
    File(PathBuf),
    /// In a PostgreSQL server.
    Server(Url),
}

/// Opens the database of a URL and brings its schema up to date.
pub async fn open(url: &str) -> Result<Backend, StoreError> {
    sqlx::any::install_default_drivers();
    match place(url)? {
        Place::Memory => sqlite::open_memory().await.map(Backend::Sqlite),
        Place::File(path) => sqlite::open_file(&path).await.map(Backend::Sqlite),
        Place::Server(url) => postgres::open(&url).await.map(Backend::Postgres),
    }
}

fn place(url: &str) -> Result<Place, StoreError> {
    let unknown = || {
        StoreError::Url("a database URL is sqlite:PATH, sqlite::memory: or postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned())
    };
    let (scheme, rest) = url.split_once(':').ok_or_else(unknown)?;
    match scheme {
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            match path {
                ":memory:" => Ok(Place::Memory),
                "" => Err(unknown()),
                path if path.contains('?') => Err(StoreError::Url(
                    "a database URL sqlite:PATH takes no parameters after ?".to_owned(),
                )),
                path => Ok(Place::File(path.into())),
            }
        }
        "postgres" | "postgresql" => {
            let url = Url::parse(url).map_err(|error| {
                StoreError::Url(format!("the database URL cannot be read: {error}; a special character in the password is written as %XX"))
            })?;
            Ok(Place::Server(url))
        }
        _ => Err(unknown()),
    }
}

/// How sqlx connects. Its log names statements, never values.
fn options(url: &Url) -> Result<AnyConnectOptions, StoreError> {
    let options = AnyConnectOptions::from_url(url)?;
    Ok(options
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, SLOW))
}
