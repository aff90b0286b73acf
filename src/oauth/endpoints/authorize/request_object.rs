//! Request objects (OIDC Core §6.1), as far as they are read: how the client wants to be told that they are refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::jose::claims::text;

/// A longer object is not read.
const MAX_LEN: usize = 8 * 1024;

/// The claims of an unsigned request object. One that is signed is not read: the signature would not be verified.
pub(crate) fn unsigned(object: &str) -> Option<Map<String, Value>> {
    if object.len() > MAX_LEN {
        return None;
    }
    let (header, rest) = object.split_once('.')?;
    let payload = rest.strip_suffix('.')?;
    let header = object_of(header)?;
    (text(&header, "alg") == Some("none")).then(|| object_of(payload))?
}

fn object_of(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn object(header: &str, payload: &str, signature: &str) -> String {
        let (header, payload) = (
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload),
        );
        format!("{header}.{payload}.{signature}")
    }

    #[test]
    fn b24_only_an_unsigned_object_is_read() {
        let payload = r#"{"state":"s"}"#;
        let read = unsigned(&object(r#"{"alg":"none"}"#, payload, "")).unwrap();
        assert_eq!(text(&read, "state"), Some("s"));
        for other in [
            object(r#"{"alg":"none"}"#, payload, "AAAA"),
            object(r#"{"alg":"RS256"}"#, payload, ""),
            object("{}", payload, ""),
            object(r#"{"alg":"none"}"#, "[]", ""),
            object(r#"{"alg":"none"}"#, &"x".repeat(MAX_LEN), ""),
            "x".to_owned(),
            "..".to_owned(),
        ] {
            assert_eq!(unsigned(&other), None, "{other:.60}");
        }
    }

    proptest! {
        #[test]
        fn p3_no_object_makes_it_panic(object in ".{0,200}") {
            let _ = unsigned(&object);
        }
    }
}
