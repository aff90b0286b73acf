//! Introspection (RFC 7662): an API asks whether a token is good.
//!
//! Only for confidential clients, and only about their own tokens or those for an API of theirs. Every other answer is
//! the same three words, whatever the cause (§2.2, §4).

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::grant::Family;
use crate::grant::validity;
use crate::tokens::bearer::{AccessToken, Presented};
use crate::tokens::refresh_token::Place;
use crate::uri::same_resource;
use crate::{Client, ClientType, OAuthError, Tenant};

/// What is said of a token that is not good, or not the caller's business.
pub const INACTIVE: &str = r#"{"active":false}"#;

/// A public client proves nothing by its ID, so it learns nothing.
pub fn admit(caller: &Client) -> Result<(), OAuthError> {
    match caller.client_type {
        ClientType::Confidential => Ok(()),
        ClientType::Public => {
            Err(OAuthError::invalid_client().because("a Public client may not introspect tokens"))
        }
    }
}

/// What the caller may know about a token that is good. `None` means [`INACTIVE`].
pub fn answer(
    tenant: &Tenant,
    caller: &Client,
    presented: &Presented,
    family: Option<&Family>,
    is_revoked: bool,
    now: Timestamp,
) -> Option<String> {
    let known = match presented {
        Presented::AccessToken(token) => {
            let good = token.is_current(now)
                && !is_revoked
                && may_ask(tenant, caller, token)
                && is_alive(tenant, token, family, now);
            good.then(|| about_access_token(token))
        }
        Presented::RefreshToken(place) => about_refresh_token(tenant, caller, place, family?, now),
        Presented::Nothing => None,
    };
    known.map(|known| known.to_string())
}

/// The token is the caller's own, or for an API whose tokens the tenant lets the caller introspect.
fn may_ask(tenant: &Tenant, caller: &Client, token: &AccessToken) -> bool {
    let may = |audience: &str| {
        let mut declared = tenant.introspectors.iter();
        declared.any(|(uri, ids)| same_resource(uri, audience) && ids.contains(&caller.id))
    };
    *caller.id == *token.text("client_id") || token.audiences().any(may)
}

/// Whether what the token was issued for still is: the family of a person's, the registration of a machine's.
fn is_alive(tenant: &Tenant, token: &AccessToken, family: Option<&Family>, now: Timestamp) -> bool {
    if token.family().is_some() {
        return token.valid_grant(tenant, family, now).is_some();
    }
    let client = tenant.clients.get(token.text("client_id"));
    client.is_some_and(|client| token.is_of_registration(&client.uid))
}

fn about_access_token(token: &AccessToken) -> Value {
    let mut known = json!({ "active": true, "token_type": "Bearer" });
    for name in [
        "scope",
        "client_id",
        "exp",
        "iat",
        "sub",
        "aud",
        "iss",
        "jti",
        "auth_time",
    ] {
        if let Some(value) = token.claim(name) {
            known[name] = value.clone();
        }
    }
    for (name, value) in token.mapped_claims() {
        known[name] = value.clone();
    }
    known
}

/// A refresh token is its client's business alone, and good only while it is the newest of its family.
fn about_refresh_token(
    tenant: &Tenant,
    caller: &Client,
    place: &Place,
    family: &Family,
    now: Timestamp,
) -> Option<Value> {
    let given = &family.authorization;
    let good = given.belongs_to(caller)
        && family.lives(now)
        && family.sequence == place.sequence
        && validity::check(tenant, given).is_ok();
    let end = family.expires_at.min(family.idle_expires_at);
    good.then(|| {
        json!({
            "active": true,
            "scope": given.scope,
            "client_id": given.client_id,
            "sub": given.subject,
            "iss": *tenant.issuer,
            "iat": family.rotated_at.as_second(),
            "exp": end.as_second(),
        })
    })
}
