//! Lists and watches of OAuthClients as `Table`: cells instead of objects, a tenth of the bytes.

mod row;
mod wire;

use std::time::Duration;

use axum::http::Request;
use axum::http::header::ACCEPT;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use kube::core::WatchEvent;

use super::path::Path;
use super::{Cluster, Kind};
use crate::problem::Problem;
pub use row::{Change, Layout, Row};
use wire::Table;

/// The rows of one response; more are asked for.
const CHUNK: u32 = 1_000;

/// A watch without an event for longer is dead: the API server sends a bookmark every minute.
const SILENCE: Duration = Duration::from_mins(3);

const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// A list of OAuthClients.
pub struct RowList {
    /// The rows, in the order of the API server.
    pub rows: Vec<Row>,
    /// The resourceVersion from which to watch.
    pub version: String,
    /// How to read the rows of the watch.
    pub layout: Layout,
}

impl Cluster {
    /// Every OAuthClient of a namespace, or of all.
    ///
    /// Definitions of an older version have no column with the namespace: then the metadata is asked for as well.
    pub async fn table(&self, namespace: Option<&str>) -> Result<RowList, Problem> {
        let listed = self.chunks(namespace, false).await?;
        if namespace.is_none() && !listed.layout.says_namespace() {
            return self.chunks(namespace, true).await;
        }
        Ok(listed)
    }

    async fn chunks(&self, namespace: Option<&str>, metadata: bool) -> Result<RowList, Problem> {
        let path = Path::collection(Kind::Client, namespace)?;
        let doing = format!("list {}", path.what());
        let mut rows = Vec::new();
        let mut more = String::new();
        loop {
            let object = include_object(metadata);
            let uri = format!("{path}?limit={CHUNK}&includeObject={object}&continue={more}");
            let table = self.client.request::<Table>(as_table(&uri)?);
            let table = self.in_time(table, &doing).await?;
            let layout = Layout::of(&table, metadata);
            let now = Timestamp::now();
            let read = table.rows.iter().flatten();
            rows.extend(read.map(|row| layout.row(row, namespace, now)));
            if table.metadata.more.is_empty() {
                let version = table.metadata.resource_version;
                return Ok(RowList {
                    rows,
                    version,
                    layout,
                });
            }
            more = url::form_urlencoded::byte_serialize(table.metadata.more.as_bytes()).collect();
        }
    }

    /// What changes after a list. The stream ends when the API server ends it, or with an error.
    pub async fn follow(
        &self,
        namespace: Option<String>,
        version: &str,
        layout: Layout,
    ) -> Result<impl Stream<Item = Change> + Send + use<>, Problem> {
        let path = Path::collection(Kind::Client, namespace.as_deref())?;
        let object = include_object(layout.has_metadata());
        let uri = format!(
            "{path}?watch=1&allowWatchBookmarks=true&resourceVersion={version}&includeObject={object}"
        );
        let doing = format!("watch {}", path.what());
        let events = self.client.request_events::<Table>(as_table(&uri)?);
        let events = self.in_time(events, &doing).await?;
        // `TryStream` is a `Stream` whose item the compiler knows; its own projections it does not.
        let changes = until_silent(events, SILENCE)
            .take_while(|event| {
                let usable = !matches!(event, Err(_) | Ok(WatchEvent::Error(_)));
                futures::future::ready(usable)
            })
            .map(move |event| {
                event.map_or_else(
                    |_| Vec::new(),
                    |event| layout.changes(event, namespace.as_deref()),
                )
            })
            .flat_map(futures::stream::iter);
        Ok(changes)
    }
}

/// The items until none comes for this long: a connection that was cut without a word does not end by itself.
fn until_silent<S: Stream>(items: S, silence: Duration) -> impl Stream<Item = S::Item> {
    futures::stream::unfold(Box::pin(items), move |mut items| async move {
        let next = tokio::time::timeout(silence, items.next()).await;
        Some((next.ok()??, items))
    })
}

fn include_object(metadata: bool) -> &'static str {
    if metadata { "Metadata" } else { "None" }
}

fn as_table(uri: &str) -> Result<Request<Vec<u8>>, Problem> {
    let request = Request::builder().uri(uri).header(ACCEPT, AS_TABLE);
    request.body(Vec::new()).map_err(|error| {
        Problem::bad_request(
            format!("{uri} cannot be requested: {error}."),
            "Correct the namespace.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_watch_that_is_silent_ends() {
        let items = futures::stream::iter([1, 2]).chain(futures::stream::pending());
        let seen: Vec<i32> = until_silent(items, Duration::from_millis(10))
            .collect()
            .await;
        assert_eq!(seen, [1, 2]);
    }
}
