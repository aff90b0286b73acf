//! From a URL to an open database.

pub(crate) mod file_lock;
mod postgres;
mod sqlite;
pub(crate) mod url;

use std::sync::Arc;

use self::url::Location;
use crate::Backend;
use crate::error::StoreError;
use crate::metrics::StoreMetrics;
use crate::source::UrlSource;

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
