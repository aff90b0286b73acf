//! Values of `application/x-www-form-urlencoded`.

use std::borrow::Cow;

use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// Decodes one name or value strictly; `None` where an escape or the UTF-8 is broken.
pub(crate) fn decode(value: &[u8]) -> Option<Zeroizing<String>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(value.len()));
    // Mostly nothing is escaped, and the value is copied at once.
    let escape = value.iter().position(|byte| matches!(byte, b'+' | b'%'));
    let (plain, rest) = value.split_at(escape.unwrap_or(value.len()));
    decoded.extend_from_slice(plain);
    let mut rest = rest.iter();
    while let Some(&byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(*rest.next()?)? << 4 | hex_digit(*rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(std::mem::take(&mut *decoded))
        .ok()
        .map(Zeroizing::new)
}

/// An empty value counts as not sent (RFC 6749 §3.2).
pub(crate) fn sent<'a>(value: Option<&'a Cow<'_, str>>) -> Option<&'a str> {
    value
        .map(|value| &**value)
        .filter(|value| !value.is_empty())
}

fn hex_digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// How many bytes a value takes in an address, where a space is `%20`.
pub(crate) fn encoded_len(value: &str) -> usize {
    let pieces = byte_serialize(value.as_bytes());
    pieces
        .map(|piece| if piece == "+" { 3 } else { piece.len() })
        .sum()
}
