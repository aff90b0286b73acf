//! What a token is for: the scopes and resources of a request, held against what the client may have.
//!
//! A resource is compared as [`same_resource`] does. What is granted, and so the token, has the form that is declared.

use std::borrow::Cow;

use serde_json::{Map, Value};

pub use crate::client::Audience;
use crate::grant::Authorization;
use crate::tenant::OPENID_SCOPES;
use crate::tokens::mapped_claims;
use crate::uri::same_resource;
use crate::{AccessTokenType, Client, OAuthError, Tenant, User, scope};

/// At most this many `resource` parameters in one request.
pub const MAX_RESOURCES: usize = 16;

const OUT_OF_REACH: OAuthError = OAuthError::invalid_scope(
    "scope belongs to an API that is not among the resources of this request",
);

/// What will be granted: audiences and scopes.
#[derive(Debug, PartialEq, Eq)]
pub struct ResourceGrant<'a> {
    /// The APIs that the access token is for; none means the issuer.
    pub audiences: Vec<&'a Audience>,
    /// The `scope` of the access token.
    pub scopes: Vec<&'a str>,
    /// The claims that the tenant maps for these audiences.
    pub claims: Map<String, Value>,
}

impl ResourceGrant<'_> {
    /// The URIs of the audiences.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        self.audiences.iter().map(|audience| &*audience.uri)
    }

    /// `typ` of the access token, which is the same for all its audiences.
    pub fn access_token_type(&self, tenant: &Tenant) -> AccessTokenType {
        let first = self.audiences.first();
        first.map_or(tenant.access_token_type, |audience| {
            audience.access_token_type
        })
    }
}

/// One token has one `typ`.
pub(crate) fn share_a_type(audiences: &[&Audience]) -> Result<(), OAuthError> {
    let types = || audiences.iter().map(|audience| audience.access_token_type);
    if types().zip(types().skip(1)).all(|(one, next)| one == next) {
        return Ok(());
    }
    Err(OAuthError::invalid_target(
        "the resources differ in the typ of their access tokens (accessTokens.type of the OAuthTenant): ask for a token for each",
    ))
}

/// Decides scopes and audiences of a `client_credentials` request (RFC 6749 §4.4.2, RFC 8707 §2.2).
pub fn for_client_credentials<'a>(
    client: &'a Client,
    scope: &'a str,
    resources: &'a [Cow<'a, str>],
) -> Result<ResourceGrant<'a>, OAuthError> {
    let audiences = allowed_audiences(client, resources)?;
    share_a_type(&audiences)?;
    let asked = scope::parse(scope)?;
    let scopes = if asked.is_empty() {
        default_scopes(client, &audiences)
    } else {
        asked
            .into_iter()
            .map(|token| allowed_scope(client, &audiences, token))
            .collect::<Result<_, _>>()?
    };
    Ok(ResourceGrant {
        claims: mapped_claims::of(&audiences, None)?,
        audiences,
        scopes,
    })
}

/// The audiences of the request; the first of the client when none is asked for.
fn allowed_audiences<'a>(
    client: &'a Client,
    resources: &[Cow<'_, str>],
) -> Result<Vec<&'a Audience>, OAuthError> {
    if resources.len() > MAX_RESOURCES {
        return Err(OAuthError::invalid_target("more than 16 resources"));
    }
    if resources.is_empty() {
        return Ok(client.audiences.first().into_iter().collect());
    }
    let mut audiences: Vec<&Audience> = Vec::with_capacity(resources.len());
    for resource in resources {
        let audience = client
            .audiences
            .iter()
            .find(|audience| same_resource(&audience.uri, resource))
            .ok_or(OAuthError::invalid_target(
                "resource is not among the audiences of this client",
            ))?;
        if !audiences.iter().any(|known| known.uri == audience.uri) {
            audiences.push(audience);
        }
    }
    Ok(audiences)
}

/// Without a person there is no identity: the scopes of OpenID Connect are refused.
fn allowed_scope<'a>(
    client: &Client,
    audiences: &[&Audience],
    token: &'a str,
) -> Result<&'a str, OAuthError> {
    if OPENID_SCOPES.contains(&token) {
        return Err(OAuthError::invalid_scope(
            "OpenID Connect scopes need a person who signs in; client_credentials has none",
        ));
    }
    if !client.scopes.iter().any(|known| **known == *token) {
        return Err(OAuthError::invalid_scope(
            "scope is unknown or not among the scopes of this client",
        ));
    }
    if !reaches(client, audiences, token) {
        return Err(OUT_OF_REACH);
    }
    Ok(token)
}

/// Decides scopes and audiences of a token for a person: what was granted, as far as the client may still have it, or the
/// part of it that is asked for (RFC 6749 §6, RFC 8707 §2.2).
pub fn for_user<'a>(
    client: &'a Client,
    granted: &'a Authorization,
    user: &User,
    scope: &'a str,
    resources: &[String],
) -> Result<ResourceGrant<'a>, OAuthError> {
    let audiences = granted_audiences(client, granted, resources)?;
    share_a_type(&audiences)?;
    let mut scopes: Vec<&str> = granted.scope.split(' ').collect();
    scopes.retain(|token| client.scopes.iter().any(|known| **known == **token));
    let asked = scope::parse(scope)?;
    if asked.is_empty() {
        scopes.retain(|token| reaches(client, &audiences, token));
    } else if asked.iter().all(|token| scopes.contains(token)) {
        scopes = asked;
    } else {
        return Err(OAuthError::invalid_scope(
            "scope goes beyond what was granted, or what this client may still have",
        ));
    }
    if !scopes
        .iter()
        .all(|token| reaches(client, &audiences, token))
    {
        return Err(OUT_OF_REACH);
    }
    Ok(ResourceGrant {
        claims: mapped_claims::of(&audiences, Some(user))?,
        audiences,
        scopes,
    })
}

/// The resources asked for, or all that were granted.
fn granted_audiences<'a>(
    client: &'a Client,
    granted: &Authorization,
    resources: &[String],
) -> Result<Vec<&'a Audience>, OAuthError> {
    let mut audiences: Vec<&Audience> = client.audiences.iter().collect();
    audiences.retain(|audience| {
        granted
            .resources
            .split(' ')
            .any(|uri| same_resource(uri, &audience.uri))
    });
    let granted = |uri: &String| {
        let mut granted = audiences.iter();
        granted.any(|audience| same_resource(&audience.uri, uri))
    };
    if !resources.iter().all(granted) {
        return Err(OAuthError::invalid_target(
            "resource is not among those that were granted to this client",
        ));
    }
    if !resources.is_empty() {
        audiences.retain(|audience| {
            let mut asked = resources.iter();
            asked.any(|uri| same_resource(uri, &audience.uri))
        });
    }
    Ok(audiences)
}

/// Everything the client may have for these audiences.
pub fn default_scopes<'a>(client: &'a Client, audiences: &[&Audience]) -> Vec<&'a str> {
    client
        .scopes
        .iter()
        .map(|token| &**token)
        .filter(|token| !OPENID_SCOPES.contains(token))
        .filter(|token| reaches(client, audiences, token))
        .collect()
}

/// A scope that belongs to APIs is granted only together with one of them.
pub(crate) fn reaches(client: &Client, audiences: &[&Audience], token: &str) -> bool {
    let lists = |audience: &Audience| audience.scopes.iter().any(|scope| **scope == *token);
    audiences.iter().any(|audience| lists(audience)) || !client.audiences.iter().any(lists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing::client;

    fn ask(scope: &str, resources: &[&str]) -> Result<(Vec<String>, Vec<String>), &'static str> {
        let client = client();
        let resources: Vec<Cow<'_, str>> = resources.iter().map(|r| Cow::Borrowed(*r)).collect();
        for_client_credentials(&client, scope, &resources)
            .map(|resource_grant| {
                let uris = resource_grant.uris().map(str::to_owned).collect();
                let scopes = resource_grant.scopes.iter();
                (uris, scopes.map(ToString::to_string).collect())
            })
            .map_err(|error| error.code.as_str())
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "it is compared with what `ask` answers"
    )]
    fn granted(
        audiences: &[&str],
        scopes: &[&str],
    ) -> Result<(Vec<String>, Vec<String>), &'static str> {
        let own = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect();
        Ok((own(audiences), own(scopes)))
    }

    #[test]
    fn nothing_asked_gives_the_first_audience_and_the_scopes_that_reach_it() {
        assert_eq!(
            ask("", &[]),
            granted(&["https://orders.example"], &["orders.read", "common"])
        );
    }

    #[test]
    fn an_allowed_resource_is_granted_once_and_with_its_own_scopes() {
        let bills = "https://bills.example";
        assert_eq!(
            ask("", &[bills, bills]),
            granted(&[bills], &["bills.read", "common"])
        );
    }

    #[test]
    fn a_token_carries_the_declared_form_of_a_resource() {
        let bills = "https://bills.example";
        let spelled = ["https://bills.example/", "HTTPS://Bills.example:443"];
        assert_eq!(
            ask("", &spelled),
            granted(&[bills], &["bills.read", "common"])
        );
        for bad in ["https://bills.example//", "https://bills.example:8443/"] {
            assert_eq!(ask("", &[bad]), Err("invalid_target"), "{bad}");
        }
    }

    #[test]
    fn a_resource_of_nobody_or_of_another_client_is_an_invalid_target() {
        for bad in [
            "https://other.example",
            "orders",
            "https://orders.example#x",
            "",
        ] {
            assert_eq!(ask("", &[bad]), Err("invalid_target"), "{bad}");
        }
        assert_eq!(
            ask("", &["https://orders.example"; 17]),
            Err("invalid_target")
        );
    }

    #[test]
    fn a_scope_of_another_api_of_another_client_or_of_people_is_an_invalid_scope() {
        for bad in [
            "bills.read",
            "admin",
            "openid",
            "offline_access",
            "orders.read openid",
        ] {
            assert_eq!(ask(bad, &[]), Err("invalid_scope"), "{bad}");
        }
    }

    #[test]
    fn one_token_has_one_typ() {
        let typed = |types: &[AccessTokenType]| {
            let audiences = types.iter().map(|typ| Audience {
                access_token_type: *typ,
                ..client().audiences[0].clone()
            });
            let audiences: Vec<Audience> = audiences.collect();
            share_a_type(&audiences.iter().collect::<Vec<_>>()).map_err(|e| e.code.as_str())
        };
        let [at_jwt, jwt] = AccessTokenType::ALL;
        for good in [&[][..], &[jwt], &[at_jwt, at_jwt], &[jwt, jwt, jwt]] {
            assert_eq!(typed(good), Ok(()), "{good:?}");
        }
        for bad in [&[at_jwt, jwt][..], &[jwt, jwt, at_jwt]] {
            assert_eq!(typed(bad), Err("invalid_target"), "{bad:?}");
        }
    }

    #[test]
    fn a_narrower_scope_is_granted_as_asked() {
        assert_eq!(
            ask("common", &["https://orders.example"]),
            granted(&["https://orders.example"], &["common"])
        );
    }
}
