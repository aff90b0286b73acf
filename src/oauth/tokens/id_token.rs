//! ID tokens (OIDC Core §2): who signed in, told to the client.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::client::IdTokenClaims;
use crate::endpoints::authorize::claims_parameter::{CLASS, ClaimsRequest};
use crate::grant::Authorization;
use crate::grant::validity::GrantValidity;
use crate::keys::signing_keys::ScheduledKey;
use crate::user::claims;
use crate::{Algorithm, Tenant};

/// What an ID token is made of.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    /// Who issues it.
    pub tenant: &'a Tenant,
    /// For whom, and about whom.
    pub valid_grant: GrantValidity<'a>,
    /// What was allowed.
    pub authorization: &'a Authorization,
    /// The scopes granted now, separated by spaces.
    pub scope: &'a str,
    /// `nonce` of the authorization request; a refreshed ID token has none (OIDC Core §12.2).
    pub nonce: Option<&'a str>,
    /// The access token beside it.
    pub access_token: &'a str,
}

/// Signs an ID token. What is known about the person comes first, so that nothing of it can replace a claim of the
/// protocol.
pub fn mint(contents: Contents<'_>, key: &ScheduledKey, now: Timestamp) -> Option<String> {
    let client = contents.valid_grant.client;
    let lifetime = client.lifetimes.id_token.min(key.longest_lifetime);
    let lifetime = i64::try_from(lifetime.as_secs()).ok()?;
    let protocol = json!({
        "iss": *contents.tenant.issuer,
        "sub": contents.authorization.subject,
        "aud": *client.id,
        "iat": now.as_second(),
        "exp": now.as_second().checked_add(lifetime)?,
        "auth_time": contents.authorization.auth_time.as_second(),
        "amr": ["pwd"],
        "sid": contents.authorization.sid,
        "jti": jti(contents.access_token),
        "at_hash": at_hash(key.key.algorithm(), contents.access_token),
    });
    let asked = ClaimsRequest::from_normal(&contents.authorization.claims);
    let mut claims = about(contents, &asked);
    let nonce = contents.nonce.map(|nonce| ("nonce", nonce));
    let optional = nonce.into_iter().chain(asked.acr.then_some(("acr", CLASS)));
    let optional = optional.map(|(name, value)| (name.to_owned(), value.into()));
    claims.extend(protocol.as_object().cloned()?.into_iter().chain(optional));
    key.key
        .sign_id_token(Value::from(claims).to_string().as_bytes())
}

fn about(contents: Contents<'_>, asked: &ClaimsRequest) -> Map<String, Value> {
    let GrantValidity { client, user } = contents.valid_grant;
    let asked = claims::allowed_to(client, contents.tenant, &asked.id_token);
    let scope = match client.id_token_claims {
        IdTokenClaims::All => contents.scope,
        IdTokenClaims::Requested => "",
    };
    claims::about(user, contents.tenant, scope, &asked)
}

/// The ID of an ID token, by which logs and lists of what was seen name it (RFC 7519 §4.1.7): as unique as that of the access
/// token beside it, and none of the two tells the other.
fn jti(access_token: &str) -> String {
    let hash = digest(
        &SHA256,
        format!("ID token beside {access_token}").as_bytes(),
    );
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

/// The left half of the access token's hash (OIDC Core §3.1.3.6), by the hash of the algorithm: SHA-512 for Ed25519.
fn at_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash = match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 => &SHA256,
        Algorithm::EdDsa => &SHA512,
    };
    let hash = digest(hash, access_token.as_bytes());
    let hash = hash.as_ref();
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_an_access_token_is_that_of_the_specification() {
        // OpenID Connect Core 1.0, appendix A.3 and A.6.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(Algorithm::Rs256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(at_hash(Algorithm::EdDsa, token).len(), 43);
    }
}
