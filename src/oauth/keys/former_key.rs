//! The public half of a signing key that is no longer published: it verifies ID tokens that come back as hints.
//!
//! A session can live longer than every token that its key signed, and an expired ID token is a valid hint (OIDC
//! RP-Initiated Logout §4). No other kind of token is verified by such a key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::jose::public_key::{Jwk, PublicKey};

/// A former key, parsed once.
#[derive(Clone, Debug)]
pub struct FormerKey {
    /// The header of the ID tokens that it signed.
    id_token_header: String,
    public: PublicKey,
}

impl FormerKey {
    /// Reads the JWK under which the key was published. `None` if it is not one of ours.
    pub fn new(jwk: Jwk) -> Option<Self> {
        let (kid, alg) = (jwk.kid.clone()?, jwk.alg.clone()?);
        let header = format!(r#"{{"typ":"JWT","alg":"{alg}","kid":"{kid}"}}"#);
        Some(Self {
            id_token_header: URL_SAFE_NO_PAD.encode(header),
            public: PublicKey::new(jwk).ok()?,
        })
    }

    /// Whether it signed an ID token with this header; the message is header and payload.
    pub fn signed(&self, header: &str, message: &str, signature: &[u8]) -> bool {
        header == self.id_token_header && self.public.verify(message.as_bytes(), signature)
    }
}
