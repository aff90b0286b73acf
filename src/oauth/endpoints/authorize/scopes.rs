//! What is asked for: scopes (RFC 6749 §3.3) and resources (RFC 8707 §2.1), held against what the client may have.
//!
//! - An unknown scope is ignored (OIDC Core §3.1.2.1); one that exists and is not for this client is an error.
//!   If nothing is left, that is an error as well.
//! - `offline_access` without the refresh token grant is ignored (OIDC Core §11).
//! - A scope that belongs to APIs is granted only together with one of them, as at the token endpoint. A token without
//!   the API in its `aud` would carry a scope that the API does not get to see.
//! - Who names no scope is asking for the client's scopes at these resources, but never for those of OpenID Connect.

use super::refused::Refused;
use crate::client::Audience;
use crate::endpoints::parameters::Parameters;
use crate::endpoints::resource_indicators;
use crate::endpoints::resource_indicators::MAX_RESOURCES;
use crate::tenant::OPENID_SCOPES;
use crate::uri::same_resource;
use crate::{Client, GrantType, OAuthError, Tenant, scope};

/// The audiences that the request names, each once.
pub(super) fn resources<'c>(
    client: &'c Client,
    parameters: &Parameters,
) -> Result<Vec<&'c Audience>, OAuthError> {
    let asked = parameters.all("resource")?;
    if asked.len() > MAX_RESOURCES {
        return Err(OAuthError::invalid_target("more than 16 resources"));
    }
    let mut audiences: Vec<&Audience> = Vec::with_capacity(asked.len());
    for uri in asked {
        let mut known = client.audiences.iter();
        let audience = known.find(|audience| same_resource(&audience.uri, uri));
        let audience = audience.ok_or(OAuthError::invalid_target(
            "resource is not among the audiences of this client",
        ))?;
        if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    resource_indicators::share_a_type(&audiences)?;
    Ok(audiences)
}

/// The scopes that will be granted, if the person agrees.
pub(super) fn scopes(
    tenant: &Tenant,
    client: &Client,
    audiences: &[&Audience],
    parameters: &Parameters,
) -> Result<Vec<String>, Refused> {
    let asked = scope::parse(parameters.one("scope")?.unwrap_or_default())?;
    let granted = if asked.is_empty() {
        resource_indicators::default_scopes(client, audiences)
    } else {
        let mut granted = Vec::with_capacity(asked.len());
        for token in &asked {
            let may_have = may_have(tenant, client, audiences, token);
            if may_have.map_err(|error| Refused::because_of_scope(error, token))? {
                granted.push(*token);
            }
        }
        if let (Some(unknown), true) = (asked.first(), granted.is_empty()) {
            return Err(Refused::because_of_scope(UNKNOWN, unknown));
        }
        granted
    };
    if granted.is_empty() {
        return Err(OAuthError::invalid_scope(
            "scope is missing, and this client has no scope at these resources",
        )
        .into());
    }
    Ok(granted.into_iter().map(str::to_owned).collect())
}

const UNKNOWN: OAuthError =
    OAuthError::invalid_scope("no value of scope is known here and grants anything to this client");

/// Whether a scope is granted, ignored, or wrong.
fn may_have(
    tenant: &Tenant,
    client: &Client,
    audiences: &[&Audience],
    token: &str,
) -> Result<bool, OAuthError> {
    if token == "offline_access" && !client.allows_grant(GrantType::RefreshToken) {
        return Ok(false);
    }
    let of_client = client.scopes.iter().any(|known| **known == *token);
    if !of_client && is_known(tenant, token) {
        return Err(OAuthError::invalid_scope(
            "scope is not among the scopes of this client",
        ));
    }
    if of_client && !resource_indicators::reaches(client, audiences, token) {
        return Err(OAuthError::invalid_scope(
            "scope belongs to an API that is not among the resources of this request",
        ));
    }
    Ok(of_client)
}

fn is_known(tenant: &Tenant, token: &str) -> bool {
    OPENID_SCOPES.contains(&token) || tenant.scopes.iter().any(|scope| *scope.name == *token)
}
