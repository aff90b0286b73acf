//! Our own JWTs, when they come back: as a bearer token, as an `id_token_hint`, to be introspected or revoked.
//!
//! A header of ours is known to the last character, because every key writes one for each `typ`. So the
//! header is compared, not read: `alg`, `kid` and `typ` are right, there is no `crit` and nothing to follow (RFC 8725).
//! Access tokens and ID tokens may share the header, so their claims decide which of the two a token is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::jose::claims::text;
use crate::{AccessTokenType, SigningKey, Tenant};

/// The longest token that is parsed, in characters.
pub const MAX_LEN: usize = 16 * 1024;

/// What a token is for. One can never pass for the other (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RFC 9068: has `client_id` and `jti`, and nothing of a sign-in.
    AccessToken,
    /// OIDC Core §2: has `sid`, and never `client_id`.
    IdToken,
    /// OIDC Back-Channel Logout §2.4: has `events`. No endpoint takes one.
    LogoutToken,
}

/// The claims of a sign-in that no access token has.
const OF_SIGN_IN: [&str; 3] = ["sid", "nonce", "at_hash"];

impl Kind {
    /// The kind of the token that carries these claims.
    pub fn of(claims: &Map<String, Value>) -> Option<Self> {
        let has = |name: &str| claims.contains_key(name);
        if has("events") {
            Some(Self::LogoutToken)
        } else if has("client_id") {
            let of_sign_in = OF_SIGN_IN.into_iter().any(has);
            (has("jti") && !of_sign_in).then_some(Self::AccessToken)
        } else {
            has("sid").then_some(Self::IdToken)
        }
    }

    /// Whether a token of this kind that the key signed has this header.
    fn has_header(self, key: &SigningKey, header: &str) -> bool {
        match self {
            Self::AccessToken => {
                let mut types = AccessTokenType::ALL.into_iter();
                types.any(|typ| key.access_token_header(typ) == header)
            }
            Self::IdToken => key.id_token_header() == header,
            Self::LogoutToken => false,
        }
    }
}

/// The claims of a token of this kind that this tenant signed with a key that it still publishes.
///
/// Time is not judged: an expired ID token is a valid hint (OIDC RP-Initiated Logout §4). See [`is_current`].
pub fn verify(tenant: &Tenant, token: &str, kind: Kind) -> Option<Map<String, Value>> {
    if token.len() > MAX_LEN {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let keys = tenant.published_keys.as_ref()?;
    let mut keys = keys.iter().map(|scheduled| &scheduled.key);
    let key = keys.find(|key| kind.has_header(key, header))?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !key.verify(signed.as_bytes(), &signature) {
        return None;
    }
    claims_of(tenant, payload, kind)
}

/// The claims of a payload whose signature was verified, if they are those of a token of this kind by this tenant.
fn claims_of(tenant: &Tenant, payload: &str, kind: Kind) -> Option<Map<String, Value>> {
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    if Kind::of(&claims) != Some(kind) {
        return None;
    }
    (text(&claims, "iss") == Some(&tenant.issuer)).then_some(claims)
}

/// The claims of an ID token that comes back as a hint. A key that is no longer published verifies it as well: the session
/// may outlive the key.
pub fn verify_hint(tenant: &Tenant, token: &str) -> Option<Map<String, Value>> {
    verify(tenant, token, Kind::IdToken).or_else(|| verify_by_former_key(tenant, token))
}

fn verify_by_former_key(tenant: &Tenant, token: &str) -> Option<Map<String, Value>> {
    if token.len() > MAX_LEN {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let mut keys = tenant.former_keys.iter();
    keys.find(|key| key.signed(header, signed, &signature))?;
    claims_of(tenant, payload, Kind::IdToken)
}

/// Whether the token that carries these claims has not expired. A token without a time has.
pub fn is_current(claims: &Map<String, Value>, now: Timestamp) -> bool {
    let expires_at = claims.get("exp").and_then(Value::as_i64);
    expires_at.is_some_and(|expires_at| now.as_second() < expires_at)
}

#[cfg(test)]
mod tests;
