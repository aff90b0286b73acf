//! The userinfo endpoint (OIDC Core §5.3) as a resource of ours (RFC 6750).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::authorize::claims_parameter::ClaimsRequest;
use super::parameters::Parameters;
use crate::grant::Family;
use crate::tokens::bearer::AccessToken;
use crate::user::claims;
use crate::{Client, ErrorCode, OAuthError, Tenant};

const NOT_VALID: OAuthError = OAuthError::new(
    ErrorCode::InvalidToken,
    "the access token is malformed, expired, revoked, or not for this issuer",
);

/// The bearer token of a request: in the header (RFC 6750 §2.1) or in the form (§2.2), never in the query (§2.3), and
/// never in two places. `None` if there is none: then no error is named (§3.1).
pub fn bearer(
    authorization: Option<&[u8]>,
    query: &[u8],
    form: &[u8],
) -> Result<Option<String>, OAuthError> {
    if !Parameters::read(query)?.all("access_token")?.is_empty() {
        return Err(OAuthError::invalid_request(
            "an access token must be sent in the Authorization header, not in the URL",
        ));
    }
    let form = Parameters::read(form)?;
    let in_form = form.one("access_token")?;
    match (authorization.and_then(in_header), in_form) {
        (Some(_), Some(_)) => Err(OAuthError::invalid_request(
            "the access token was sent in two places",
        )),
        (one, other) => Ok(one.or(other).map(str::to_owned)),
    }
}

/// The token of `Bearer <token>`; what is not text is no token of ours, but it was sent.
fn in_header(header: &[u8]) -> Option<&str> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| std::str::from_utf8(token.trim_ascii()).unwrap_or_default())
}

/// Whether the token itself opens the endpoint, before the store is asked what became of it.
pub fn admit<'a>(
    tenant: &Tenant,
    token: Option<&'a AccessToken>,
    now: Timestamp,
) -> Result<&'a AccessToken, OAuthError> {
    let token = token.filter(|token| token.is_current(now) && token.is_for(&tenant.issuer));
    let token = token.ok_or(NOT_VALID)?;
    if token.has_scope("openid") && token.family().is_some() {
        return Ok(token);
    }
    Err(OAuthError::new(
        ErrorCode::InsufficientScope,
        "the access token lacks the scope openid: it was issued without a sign-in",
    ))
}

/// The claims (OIDC Core §5.3.2) as JSON, if the token still represents a person.
pub fn answer(
    tenant: &Tenant,
    token: &AccessToken,
    family: Option<&Family>,
    is_revoked: bool,
    now: Timestamp,
) -> Result<String, OAuthError> {
    let valid_grant = token
        .valid_grant(tenant, family, now)
        .filter(|_| !is_revoked);
    let (Some(valid_grant), Some(family)) = (valid_grant, family) else {
        return Err(NOT_VALID);
    };
    let scope = still_allowed(valid_grant.client, token.text("scope"));
    let asked = ClaimsRequest::from_normal(&family.authorization.claims).userinfo;
    let asked = claims::allowed_to(valid_grant.client, tenant, &asked);
    let mut told = claims::about(valid_grant.user, tenant, &scope, &asked);
    told.insert("sub".to_owned(), Value::from(&*valid_grant.user.subject));
    Ok(Value::from(told).to_string())
}

/// The scopes that the client has not lost since.
fn still_allowed(client: &Arc<Client>, scope: &str) -> String {
    let mut scopes: Vec<&str> = scope.split(' ').collect();
    scopes.retain(|token| client.scopes.iter().any(|known| **known == **token));
    scopes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        authorization: Option<&str>,
        query: &str,
        form: &str,
    ) -> Result<Option<String>, &'static str> {
        let authorization = authorization.map(str::as_bytes);
        bearer(authorization, query.as_bytes(), form.as_bytes()).map_err(|e| e.code.as_str())
    }

    #[test]
    fn i01_i02_i03_a_token_stands_in_one_place_and_never_in_the_url() {
        let a = Ok(Some("a".to_owned()));
        assert_eq!(found(None, "", ""), Ok(None));
        assert_eq!(found(Some("Bearer a"), "", ""), a);
        assert_eq!(found(Some("bEARER  a "), "x=1", "y=2"), a);
        assert_eq!(found(None, "", "access_token=a"), a);
        assert_eq!(found(Some("Basic a"), "", ""), Ok(None));
        assert_eq!(found(Some("Bearer a"), "access_token=", "access_token="), a);
        assert_eq!(found(Some("Bearer\u{a0}a"), "", ""), Ok(None));
        let invalid = Err("invalid_request");
        assert_eq!(found(None, "access_token=a", ""), invalid);
        assert_eq!(found(Some("Bearer a"), "access_token=a", ""), invalid);
        assert_eq!(found(Some("Bearer a"), "", "access_token=a"), invalid);
        assert_eq!(found(None, "", "access_token=a&access_token=a"), invalid);
    }
}
