//! The claims of a JWT (RFC 7519 §4).

use serde_json::{Map, Value};

/// A claim that is a text.
pub fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// The audiences: `aud` is a text or a list of texts (RFC 7519 §4.1.3).
pub fn audiences(claims: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match claims.get("aud") {
        Some(Value::Array(many)) => (None, many.as_slice()),
        one => (one, [].as_slice()),
    };
    one.into_iter().chain(many).filter_map(Value::as_str)
}

/// Whether this is the one audience: `aud` is this text, or a list of it alone.
pub fn is_only_audience(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::Array(all)) => matches!(&all[..], [only] if only == audience),
        only => only.is_some_and(|only| only == audience),
    }
}
