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

/// The stream. It lasts until the browser closes it, or until the credentials of the person end.
pub async fn changes(person: Caller) -> Response {
    let rows = person.rows;
    let Some(place) = rows.stream() else {
        // The window looks again by itself.
        return stream_of(Body::from("event: busy\ndata: later\n\n"));
    };
    let changes = rows.changes();
    let events = stream::unfold(
        (changes, (rows, place), true),
        |(mut changes, (rows, place), first)| async move {
            if first {
                let retry = Ok::<_, Infallible>("retry: 2000\n\n");
                return Some((retry, (changes, (rows, place), false)));
            }
            let event = match timeout(ALIVE, changes.changed()).await {
                _ if rows.ended() => return None,
                Err(_) => ": alive\n\n",
                Ok(Ok(())) => {
                    sleep(TOGETHER).await;
                    changes.mark_unchanged();
                    "event: rows\ndata: changed\n\n"
                }
                Ok(Err(_)) => return None,
            };
            Some((Ok(event), (changes, (rows, place), false)))
        },
    );
    stream_of(Body::from_stream(events))
}

/// Tells a page whose credentials have ended to load itself again, by which they are renewed.
pub fn renew() -> Response {
    stream_of(Body::from("event: renew\ndata: now\n\n"))
}

/// Tells a page whose session has ended to say so.
pub fn gone() -> Response {
    stream_of(Body::from("event: gone\ndata: now\n\n"))
}

fn stream_of(events: Body) -> Response {
    let mut response = Response::new(events);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}
