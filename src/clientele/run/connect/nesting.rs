//! Prunes JSON that is nested too deep from the responses of the API server.
//!
//! The API server stores free-form JSON, such as the claims of a user, nested a thousand deep. `serde_json` refuses to parse
//! that, so one such object would make the whole list that contains it unreadable.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Body;

/// The schemas accept nothing that is nested deeper; `serde_json` refuses more than 128.
const DEEPEST: u32 = 100;

/// The same response, with `null` in place of every value that is nested too deep.
pub fn shallow<B: Body<Data = Bytes>>(
    answer: Response<B>,
) -> Response<impl Body<Data = Bytes, Error = B::Error>> {
    let mut nesting = Nesting::default();
    answer.map(|body| body.map_frame(move |frame| frame.map_data(|bytes| nesting.truncate(bytes))))
}

/// The position in a JSON text.
#[derive(Clone, Copy, Default)]
struct Nesting {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// The next part of the text, without what is nested too deep. Almost always that is all of it.
    fn truncate(&mut self, bytes: Bytes) -> Bytes {
        let mut before = *self;
        let deepest = bytes.iter().map(|byte| self.step(*byte)).max();
        if deepest.is_none_or(|deepest| deepest <= DEEPEST) {
            return bytes;
        }
        let mut kept = Vec::with_capacity(bytes.len());
        for byte in &bytes {
            let above = before.depth;
            match before.step(*byte) {
                0..=DEEPEST => kept.push(*byte),
                _ if above == DEEPEST => kept.extend_from_slice(b"null"),
                _ => {}
            }
        }
        kept.into()
    }

    /// Takes in a byte; returns how deep it lies. A bracket lies within itself.
    fn step(&mut self, byte: u8) -> u32 {
        let above = self.depth;
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth = above.saturating_add(1),
            b'}' | b']' => self.depth = above.saturating_sub(1),
            _ => {}
        }
        above.max(self.depth)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The text after it has come in parts of this many bytes.
    fn truncate(text: &str, part: usize) -> String {
        let mut nesting = Nesting::default();
        let parts = text.as_bytes().chunks(part);
        let truncated = parts.flat_map(|part| nesting.truncate(Bytes::copy_from_slice(part)));
        String::from_utf8(truncated.collect()).unwrap()
    }

    fn nested(open: &str, close: &str, depth: usize) -> String {
        format!("{}1{}", open.repeat(depth), close.repeat(depth))
    }

    #[test]
    fn f91_what_is_nested_too_deep_is_null_and_everything_beside_it_is_whole() {
        let odd_names = nested("{\"\\\"]}\":", "}", 5000);
        for deep in [nested("[", "]", 5000), odd_names] {
            let list = format!(r#"{{"items":[{{"a":"[[{{\"\\"}},{deep},{{"b":[]}}]}}"#);
            for part in [1, 7, list.len()] {
                let read: Value = serde_json::from_str(&truncate(&list, part)).unwrap();
                assert_eq!(read["items"][0], json!({ "a": "[[{\"\\" }));
                assert_eq!(read["items"][2], json!({ "b": [] }));
            }
        }
    }

    #[test]
    fn what_is_accepted_passes_as_it_is() {
        let text = format!("{}\n{}\n", nested("[", "]", 100), r#"{"a":"\"]}"}"#);
        assert_eq!(truncate(&text, 3), text);
        let deeper = nested("[", "]", 101);
        let expected = "[".repeat(100) + "null" + &"]".repeat(100);
        assert_eq!(truncate(&deeper, 3), expected);
    }
}
