//! The body of an answer on its way: it leaves in small pieces, and counts until the last one has.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::activity::Unsent;
use super::budget::Admitted;

/// The HTTP/2 library takes a piece whole as soon as the peer takes one byte of it.
const PIECE: usize = 8 * 1024;
/// What is at most as long leaves in one piece.
const SMALL: usize = 2 * 1024;

/// A body that holds its place among the requests in flight until it is dropped.
pub struct AnswerBody {
    body: Body,
    rest: Bytes,
    unsent: Option<Unsent>,
    _admitted: Option<Admitted>,
}

impl AnswerBody {
    /// The body of an answer whose request was admitted.
    pub fn new(body: Body, unsent: Option<Unsent>, admitted: Option<Admitted>) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            unsent,
            _admitted: admitted,
        }
    }
}

/// How much leaves next. The last byte leaves alone: the HTTP/2 library asks for it only once the peer has made room for
/// everything before, so the body stays here for as long as the peer does not.
fn piece(left: usize) -> usize {
    match left {
        left if left <= SMALL => left,
        left if left <= PIECE => left - 1,
        _ => PIECE,
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            let polled = ready!(Pin::new(&mut this.body).poll_frame(cx));
            match polled.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => this.rest = data,
                Some(Ok(Err(frame))) => return Poll::Ready(Some(Ok(frame))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        if let Some(unsent) = &mut this.unsent {
            unsent.moved();
        }
        let next = this.rest.split_to(piece(this.rest.len()));
        Poll::Ready(Some(Ok(Frame::data(next))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn q02_a_body_leaves_in_small_pieces_and_its_last_byte_alone() {
        for (length, expected) in [
            (0, &[][..]),
            (1, &[1]),
            (2048, &[2048]),
            (2049, &[2048, 1]),
            (8192, &[8191, 1]),
            (8193, &[8192, 1]),
            (20_000, &[8192, 8192, 3615, 1]),
        ] {
            let text = "x".repeat(length);
            let mut body = AnswerBody::new(Body::from(text), None, None);
            let mut pieces = Vec::new();
            let mut left = length as u64;
            while !body.is_end_stream() {
                assert_eq!(body.size_hint().exact(), Some(left));
                let Some(frame) = body.frame().await else {
                    break;
                };
                let data = frame.unwrap().into_data().unwrap();
                left -= data.len() as u64;
                pieces.push(data.len());
            }
            assert_eq!(pieces, expected, "{length}");
            assert_eq!(left, 0);
        }
    }
}
