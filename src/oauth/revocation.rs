//! What revoking a token means (RFC 7009).

use jiff::Timestamp;

use super::grant::Family;
use super::introspection::Token;
use super::{Client, ClientType, OAuthError, Tenant};

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Nothing: the token is unknown or over (RFC 7009 §2.2).
    Nothing,
    /// The family ends, and with it its refresh tokens and access tokens (RFC 7009 §2.1).
    Family(String),
    /// This access token ends, and nothing else.
    AccessToken {
        /// Its `jti`.
        jti: String,
        /// From then on it need not be remembered.
        expires_at: Timestamp,
    },
}

/// Decides what a request to revoke means. A token of somebody else is left alone: a confidential client is told so, a
/// public one, which proves nothing, learns nothing.
pub fn decide(
    tenant: &Tenant,
    caller: &Client,
    token: Option<&Token>,
    family: Option<&Family>,
) -> Result<Revocation, OAuthError> {
    let Some(token) = token else {
        return Ok(Revocation::Nothing);
    };
    let (owner, revocation) = match token {
        Token::Refresh(place) => (
            family.map(|family| &*family.authorization.registration_id),
            Revocation::Family(place.family.clone()),
        ),
        Token::Access(bearer) => (
            bearer
                .client(tenant, family)
                .map(|client| &*client.registration_id),
            Revocation::AccessToken {
                jti: bearer.jti.clone(),
                expires_at: bearer.expires_at(),
            },
        ),
    };
    match owner {
        None => Ok(Revocation::Nothing),
        Some(owner) if *owner == *caller.registration_id => Ok(revocation),
        Some(_) if caller.client_type == ClientType::Public => Ok(Revocation::Nothing),
        Some(_) => Err(OAuthError::invalid_request(
            "the token was issued to another client",
        )),
    }
}
