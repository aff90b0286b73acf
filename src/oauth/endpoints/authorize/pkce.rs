//! Proof Key for Code Exchange (RFC 7636): S256, and nothing else.

use crate::endpoints::parameters::Parameters;
use crate::{Client, ClientType, OAuthError};

/// SHA-256 in base64url (RFC 7636 §4.2).
const CHALLENGE_LEN: usize = 43;

/// The challenge of a request. A method that is left out means `plain` (RFC 7636 §4.3), and is refused as that is.
pub(super) fn challenge(
    client: &Client,
    parameters: &Parameters,
) -> Result<Option<String>, OAuthError> {
    let method = parameters.one("code_challenge_method")?;
    let Some(challenge) = parameters.one("code_challenge")? else {
        if method.is_some() {
            return Err(OAuthError::invalid_request(
                "code_challenge_method without code_challenge",
            ));
        }
        if client.require_pkce || client.client_type == ClientType::Public {
            return Err(OAuthError::invalid_request("code challenge required"));
        }
        return Ok(None);
    };
    if method != Some("S256") {
        return Err(OAuthError::invalid_request(
            "code_challenge_method must be S256",
        ));
    }
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if challenge.len() != CHALLENGE_LEN || !challenge.bytes().all(base64url) {
        return Err(OAuthError::invalid_request(
            "code_challenge must be a SHA-256 in base64url: 43 characters, without padding",
        ));
    }
    Ok(Some(challenge.to_owned()))
}
