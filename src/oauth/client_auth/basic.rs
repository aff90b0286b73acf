//! The `Basic` scheme of the `Authorization` header (RFC 6749 §2.3.1, RFC 7617 §2).

use base64::engine::general_purpose::STANDARD;
use base64::{Engine, decoded_len_estimate};
use zeroize::Zeroizing;

use crate::form_encoding;

/// The longest value that is decoded, in bytes after decoding.
pub const MAX_BASIC: usize = 1024;

/// Client ID and secret of the header.
pub struct BasicCredentials {
    /// The client ID.
    pub id: Zeroizing<String>,
    /// The client secret.
    pub secret: Zeroizing<String>,
}

/// Takes `Basic base64(form(id):form(secret))` apart (RFC 6749 §2.3.1, RFC 7617 §2).
pub fn decode(header: &[u8]) -> Option<BasicCredentials> {
    let (scheme, encoded) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let encoded = encoded.trim_ascii();
    // No longer than it must be: every byte is wiped by itself.
    let length = decoded_len_estimate(encoded.len()).min(MAX_BASIC);
    let mut buffer = Zeroizing::new(vec![0; length]);
    let written = STANDARD.decode_slice(encoded, &mut buffer).ok()?;
    let decoded = &buffer[..written];
    let colon = decoded.iter().position(|&b| b == b':')?;
    Some(BasicCredentials {
        id: form_encoding::decode(&decoded[..colon])?,
        secret: form_encoding::decode(&decoded[colon + 1..])?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(text: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(text)).into_bytes()
    }

    fn decoded(text: &str) -> Option<(String, String)> {
        let BasicCredentials { id, secret } = decode(&header(text))?;
        Some((id.to_string(), secret.to_string()))
    }

    #[test]
    fn d10_special_characters_come_back_when_form_encoded() {
        let expected = Some(("a:b".to_owned(), "s:%+ x".to_owned()));
        assert_eq!(decoded("a%3Ab:s%3A%25%2B+x"), expected);
    }

    #[test]
    fn d10_broken_headers_are_no_credentials() {
        assert_eq!(decoded("no colon"), None);
        assert_eq!(decoded("a:%zz"), None);
        assert_eq!(decoded("a:%2"), None);
        assert_eq!(decoded("a:%ff"), None);
        for bad in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Bearer abc",
            "Basic\u{a0}YTpi",
        ] {
            assert!(decode(bad.as_bytes()).is_none(), "{bad:?}");
        }
        assert!(decode(&header(&"a".repeat(MAX_BASIC * 2))).is_none());
    }

    #[test]
    fn the_scheme_is_case_insensitive_and_the_first_colon_divides() {
        assert!(decode(b"bAsIc YTpi").is_some());
        assert_eq!(decoded("a:b:c"), Some(("a".into(), "b:c".into())));
    }

    proptest! {
        #[test]
        fn any_pair_survives_form_encoding(id in ".{1,60}", secret in ".{0,60}") {
            let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            prop_assert_eq!(decoded(&format!("{}:{}", encode(&id), encode(&secret))), Some((id, secret)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = decode(&bytes);
            let _ = decode(&[b"Basic ".as_slice(), STANDARD.encode(&bytes).as_bytes()].concat());
        }
    }
}
