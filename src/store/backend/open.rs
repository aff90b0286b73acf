//! From a URL to an open database.

pub(crate) mod file_lock;
mod postgres;
mod sqlite;
pub(crate) mod url;

use std::sync::Arc;
use std::time::Duration;

use ::url::Url;
use sqlx::ConnectOptions;
use sqlx::any::AnyConnectOptions;
use tracing::log::LevelFilter;

use self::url::Location;
use crate::Backend;
use crate::error::StoreError;
use crate::metrics::StoreMetrics;
use crate::source::UrlSource;

/// A statement that takes longer is worth a warning.
const SLOW: Duration = Duration::from_secs(1);

/// Opens the database of a location, which was read from the source, and brings its schema up to date.
pub async fn open(
    location: &Location,
    source: &UrlSource,
    metrics: &Arc<StoreMetrics>,
) -> Result<Backend, StoreError> {
    let metrics = metrics.clone();
    match location {
        Location::Memory => sqlite::open_memory(metrics).await.map(Backend::Sqlite),
        Location::File(path) => sqlite::open_file(path, metrics).await.map(Backend::Sqlite),
        Location::Server(url) => {
            let opened = postgres::open(url, source, metrics).await;
            opened.map(Backend::Postgres)
        }
    }
}

/// How sqlx connects. What it logs are statements, never values.
pub(crate) fn options(url: &Url) -> Result<AnyConnectOptions, StoreError> {
    sqlx::any::install_default_drivers();
    let options = AnyConnectOptions::from_url(url)?;
    Ok(options
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, SLOW))
}

/// Says of a failure where it happened.
pub(crate) fn locate(place: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Database(said) => StoreError::Open(format!("{place} cannot be used: {said}")),
        StoreError::Timeout => StoreError::Open(format!("{place} did not answer in time")),
        error => error,
    }
}
