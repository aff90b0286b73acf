//! The body of a request, bounded in size and time.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::HttpBody;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::{Bytes, BytesMut};
use futures::poll;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::error_response::Refusal;

/// The largest body that is read.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// Whether the request says, once, that its body is a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return false;
    };
    let media_type = only.as_bytes().split(|&b| b == b';').next();
    media_type.is_some_and(|media_type| {
        media_type
            .trim_ascii()
            .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    })
}

/// Reads a body whole.
pub(super) async fn read<B>(body: B, patience: Duration) -> Result<Bytes, Refusal>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Refusal::TOO_LARGE);
    }
    let mut collected = pin!(collect(body));
    // Mostly it came with the head, and no clock is needed.
    if let Poll::Ready(form) = poll!(collected.as_mut()) {
        return form;
    }
    timeout(patience, collected)
        .await
        .unwrap_or(Err(Refusal::TIMED_OUT))
}

/// A body of one piece, the common case, is not copied.
async fn collect<B>(mut body: B) -> Result<Bytes, Refusal>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::BROKEN_BODY)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len().max(whole.len()) + data.len() > MAX_BODY {
            return Err(Refusal::TOO_LARGE);
        }
        if first.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}
