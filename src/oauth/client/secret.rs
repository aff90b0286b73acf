//! The value of a client secret, and its text form.
//!
//! ```text
//! clt_ <root key ID: 8> <generation: 8 hex> . <base64url HMAC-SHA256: 43> <CRC-32: 6 base62>
//! ```
//!
//! Every field has a fixed length, every character is unreserved in a URL, and prefix and checksum
//! let a secret scanner recognise a leak without asking us. The checksum is no protection.

use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// What a client secret of ours begins with.
pub const PREFIX: &str = "clt_";
/// The length of a root key ID.
pub const KEY_ID_LEN: usize = 8;
/// The length of a client secret in characters.
pub const SECRET_LEN: usize = MAC_AT + MAC_TEXT_LEN + CHECKSUM_LEN;

const GENERATION_AT: usize = PREFIX.len() + KEY_ID_LEN;
const DOT_AT: usize = GENERATION_AT + 8;
const MAC_AT: usize = DOT_AT + 1;
pub(crate) const MAC_TEXT_LEN: usize = 43;
pub(crate) const CHECKSUM_LEN: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A client secret in plaintext. Cannot be printed, cloned into a log or serialized.
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// Writes the text form of a derived secret.
    pub(crate) fn format(key_id: &str, generation: u32, mac: &[u8]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(SECRET_LEN));
        text.push_str(PREFIX);
        text.push_str(key_id);
        let _ = write!(*text, "{generation:08x}.");
        URL_SAFE_NO_PAD.encode_string(mac, &mut text);
        let checksum = checksum(text.as_bytes());
        text.extend(checksum.iter().map(|&b| char::from(b)));
        Self(text)
    }

    /// The plaintext, for the one place that writes it into a Secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret([redacted])")
    }
}

/// What a presented secret claims to be, before its MAC is verified.
#[derive(Clone, Copy)]
pub(crate) struct Claimed<'a> {
    pub key_id: &'a str,
    pub generation: u32,
    pub mac: [u8; 32],
}

impl<'a> Claimed<'a> {
    /// Takes a presented secret apart; `None` if it has not exactly the form that `format` writes.
    pub fn parse(presented: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(presented).ok()?;
        if text.len() != SECRET_LEN || !text.is_ascii() || !text.starts_with(PREFIX) {
            return None;
        }
        let body = &text[..SECRET_LEN - CHECKSUM_LEN];
        if checksum(body.as_bytes()) != text.as_bytes()[body.len()..] {
            return None;
        }
        let generation = &text[GENERATION_AT..DOT_AT];
        if &text[DOT_AT..MAC_AT] != "." || !is_lower_hex(generation) {
            return None;
        }
        let mut mac = [0; 32];
        let written = URL_SAFE_NO_PAD
            .decode_slice(&body[MAC_AT..], &mut mac)
            .ok()?;
        (written == mac.len()).then_some(())?;
        Some(Self {
            key_id: &text[PREFIX.len()..GENERATION_AT],
            generation: u32::from_str_radix(generation, 16).ok()?,
            mac,
        })
    }
}

/// `from_str_radix` takes a sign and upper case; a secret has one spelling.
pub(crate) fn is_lower_hex(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// CRC-32 (ISO-HDLC) in six base62 digits, as in GitHub's tokens.
pub(crate) fn checksum(body: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut rest = crc32fast::hash(body) as usize;
    let mut digits = [0; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % 62];
        rest /= 62;
    }
    digits
}
