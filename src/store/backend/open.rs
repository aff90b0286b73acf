//! From a URL to an open database.

mod postgres;
mod sqlite;
mod url;

use std::sync::Arc;
use std::time::Duration;

use ::url::Url;
use sqlx::ConnectOptions;
use sqlx::any::AnyConnectOptions;
use tracing::log::LevelFilter;

use self::url::{Location, parse};
use crate::Backend;
use crate::error::StoreError;
use crate::metrics::StoreMetrics;

/// A statement that takes longer is worth a warning.
const SLOW: Duration = Duration::from_secs(1);

/// Opens the database of a URL and brings its schema up to date.
pub async fn open(url: &str, metrics: &Arc<StoreMetrics>) -> Result<Backend, StoreError> {
    sqlx::any::install_default_drivers();
    let metrics = metrics.clone();
    match parse(url)? {
        Location::Memory => sqlite::open_memory(metrics).await.map(Backend::Sqlite),
        Location::File(path) => sqlite::open_file(&path, metrics).await.map(Backend::Sqlite),
        Location::Server(url) => postgres::open(&url, metrics).await.map(Backend::Postgres),
    }
}

/// How sqlx connects. What it logs are statements, never values.
fn options(url: &Url) -> Result<AnyConnectOptions, StoreError> {
    let options = AnyConnectOptions::from_url(url)?;
    Ok(options
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, SLOW))
}

/// Says of a failure where it happened.
fn locate(place: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Database(said) => StoreError::Open(format!("{place} cannot be used: {said}")),
        StoreError::Timeout => StoreError::Open(format!("{place} did not answer in time")),
        error => error,
    }
}
