//! A JWT of another issuer, read strictly before anything in it is believed (RFC 7515, RFC 7519, RFC 8725).
//!
//! What could make it mean more than it says is refused at once: critical extensions, unencoded payloads, compression,
//! encryption, names that stand twice. What points to keys (`jku`, `x5u`, `jwk`, `x5c`) is not even looked at: whose
//! signature counts is known beforehand.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::public_key::{PublicKey, Scheme};
use super::strict_json;
use crate::jose;

/// The longest token that is parsed, in characters.
pub const MAX_LEN: usize = 8 * 1024;
/// The longest key ID, in characters.
const MAX_KEY_ID: usize = 256;

/// A signed token whose signature has not been verified yet.
pub struct Jws<'a> {
    header: Header,
    /// The claims, as the signer wrote them.
    pub claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

struct Header {
    scheme: Scheme,
    key_id: Option<String>,
    typ: Option<String>,
}

impl<'a> Jws<'a> {
    /// Reads the compact serialization (RFC 7515 §3.1): three parts, no more and no less.
    pub fn read(token: &'a str) -> Option<Self> {
        if token.len() > MAX_LEN {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: Header::read(&URL_SAFE_NO_PAD.decode(header).ok()?)?,
            claims: strict_json::object(&URL_SAFE_NO_PAD.decode(claims).ok()?)?,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
            signed,
        })
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        jose::claims::text(&self.claims, name)
    }

    /// Whether it says that it is one of these types, or does not say what it is (RFC 7515 §4.1.9).
    pub fn is_of_type(&self, types: &[&str]) -> bool {
        let typ = self.header.typ.as_deref();
        typ.is_none_or(|typ| types.iter().any(|known| known.eq_ignore_ascii_case(typ)))
    }

    /// Whether its header names no key that is not among these.
    pub fn names_one_of(&self, keys: &[PublicKey]) -> bool {
        keys.iter().any(|key| self.may_be_of(key))
    }

    /// Whether one of the keys signed it. The header's `kid` and `alg` choose among them, and say nothing else.
    pub fn is_signed_by(&self, keys: &[PublicKey]) -> bool {
        let message = self.signed.as_bytes();
        let mut keys = keys.iter().filter(|key| self.may_be_of(key));
        keys.any(|key| key.verify(message, &self.signature))
    }

    fn may_be_of(&self, key: &PublicKey) -> bool {
        let named = self.header.key_id.as_deref();
        let same_id = match (named, key.key_id()) {
            (Some(named), Some(id)) => named == id,
            _ => true,
        };
        same_id && key.scheme() == self.header.scheme
    }
}

impl Header {
    fn read(text: &[u8]) -> Option<Self> {
        let members = strict_json::object(text)?;
        let changes_meaning = ["crit", "b64", "zip", "enc"];
        if changes_meaning
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return None;
        }
        let optional = |name: &str| match members.get(name) {
            None => Some(None),
            Some(Value::String(text)) if text.len() <= MAX_KEY_ID => Some(Some(text.clone())),
            Some(_) => None,
        };
        Some(Self {
            scheme: Scheme::from_name(jose::claims::text(&members, "alg")?)?,
            key_id: optional("kid")?,
            typ: optional("typ")?,
        })
    }
}
