//! What is known about a person, for the client that they signed in to (OIDC Core §5.3).

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::bearer::{Bearer, standing};
use super::claims_request::ClaimsRequest;
use super::grant::Family;
use super::{ErrorCode, OAuthError, Tenant, claims, own_token};

/// The access token of a request is for this endpoint (RFC 6750 §3.1): it is for this issuer, and has `openid`.
pub fn bearer(tenant: &Tenant, token: &str, now: Timestamp) -> Result<Bearer, OAuthError> {
    let bearer = Bearer::read(tenant, token, now).ok_or(INVALID_TOKEN)?;
    if !own_token::audiences(&bearer.claims).any(|audience| audience == &*tenant.issuer) {
        return Err(INVALID_TOKEN);
    }
    if !bearer.has_scope("openid") {
        return Err(OAuthError::new(
            ErrorCode::InsufficientScope,
            "the access token lacks the scope openid",
        ));
    }
    bearer.family().map(drop).ok_or(INVALID_TOKEN)?;
    Ok(bearer)
}

/// The claims: what the token's scopes promise, and what was asked for by name.
pub fn answer(
    tenant: &Tenant,
    bearer: &Bearer,
    family: &Family,
    now: Timestamp,
) -> Result<Map<String, Value>, OAuthError> {
    let (client, person) = standing(tenant, family, now).ok_or(INVALID_TOKEN)?;
    let asked = ClaimsRequest::from_normal(&family.authorization.claims);
    let named = claims::allowed_to(client, tenant, &asked.userinfo);
    let mut told = claims::about(person, tenant, bearer.scope(), &named);
    told.insert("sub".to_owned(), Value::from(&*person.subject));
    Ok(told)
}

/// One sentence for every cause.
pub const INVALID_TOKEN: OAuthError = OAuthError::new(
    ErrorCode::InvalidToken,
    "the access token is malformed, expired, revoked, or not for this endpoint",
);
