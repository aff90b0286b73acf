//! `GET /clients/changes`: a line for every change of the rows, as server-sent events. The page then asks for its
//! rows again, so that what a person sees has one source.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures::stream;
use tokio::time::{sleep, timeout};

use crate::person::Caller;

/// Changes within this time are one event.
const TOGETHER: Duration = Duration::from_millis(200);
/// A comment this often shows a dead connection to both sides.
const ALIVE: Duration = Duration::from_secs(15);

/// The stream. It lasts until the browser closes it.
pub async fn changes(person: Caller) -> Response {
    let changes = person.rows.changes();
    let events = stream::unfold((changes, true), |(mut changes, first)| async move {
        if first {
            return Some((Ok::<_, Infallible>("retry: 2000\n\n"), (changes, false)));
        }
        match timeout(ALIVE, changes.changed()).await {
            Err(_) => Some((Ok(": alive\n\n"), (changes, false))),
            Ok(Ok(())) => {
                sleep(TOGETHER).await;
                changes.mark_unchanged();
                Some((Ok("event: rows\ndata: changed\n\n"), (changes, false)))
            }
            Ok(Err(_)) => None,
        }
    });
    let mut response = Response::new(Body::from_stream(events));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}
