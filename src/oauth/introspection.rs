//! What a token is worth, for whom it concerns (RFC 7662).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::bearer::{Bearer, standing};
use super::grant::Family;
use super::refresh_token::{self, Place};
use super::{Client, ClientType, ErrorCode, Keyring, OAuthError, Tenant, own_token};

/// A token that was presented, as far as it can be read without the store.
#[derive(Debug)]
pub enum Token {
    /// An access token that has not expired.
    Access(Bearer),
    /// A refresh token that a root key made.
    Refresh(Place),
}

impl Token {
    /// Reads a token of either kind. The hint of a request is not needed: one cannot pass for the other (RFC 7662 §2.1).
    pub fn read(tenant: &Tenant, keyring: &Keyring, token: &str, now: Timestamp) -> Option<Self> {
        let place = refresh_token::verify(keyring, &tenant.registration_id, token);
        let refresh = place.map(Self::Refresh);
        refresh.or_else(|| Bearer::read(tenant, token, now).map(Self::Access))
    }

    /// The family to look up.
    pub fn family(&self) -> Option<&str> {
        match self {
            Self::Access(bearer) => bearer.family(),
            Self::Refresh(place) => Some(&place.family),
        }
    }
}

/// Only who can prove who they are may ask (RFC 7662 §2.1).
pub fn may_ask(client: &Client) -> Result<(), OAuthError> {
    let proven = client.client_type == ClientType::Confidential;
    proven.then_some(()).ok_or(OAuthError::new(
        ErrorCode::UnauthorizedClient,
        "a public client proves nothing and may not introspect tokens",
    ))
}

/// The members of an active token; `None` if it is not active, or none of the caller's business.
pub fn answer(
    tenant: &Tenant,
    caller: &Client,
    token: &Token,
    family: Option<&Family>,
    now: Timestamp,
) -> Option<Map<String, Value>> {
    match token {
        Token::Access(bearer) => access(tenant, caller, bearer, family, now),
        Token::Refresh(place) => refresh(tenant, caller, place, family?, now),
    }
}

fn access(
    tenant: &Tenant,
    caller: &Client,
    bearer: &Bearer,
    family: Option<&Family>,
    now: Timestamp,
) -> Option<Map<String, Value>> {
    let client = bearer.client(tenant, family)?;
    if bearer.family().is_some() {
        standing(tenant, family?, now)?;
    }
    let introspects = |audience: &str| {
        let listed = tenant.introspectors.get(audience);
        listed.is_some_and(|listed| listed.contains(&caller.id))
    };
    let concerned = client.registration_id == caller.registration_id
        || own_token::audiences(&bearer.claims).any(introspects);
    if !concerned {
        return None;
    }
    // The claims of RFC 9068 are members of RFC 7662 by name and meaning.
    let mut members = bearer.claims.clone();
    members.insert("active".to_owned(), true.into());
    members.insert("token_type".to_owned(), "Bearer".into());
    Some(members)
}

/// A refresh token concerns nobody but its client.
fn refresh(
    tenant: &Tenant,
    caller: &Client,
    place: &Place,
    family: &Family,
    now: Timestamp,
) -> Option<Map<String, Value>> {
    let (client, person) = standing(tenant, family, now)?;
    let usable = client.registration_id == caller.registration_id
        && family.lives(now)
        && family.sequence == place.sequence;
    if !usable {
        return None;
    }
    let expires_at = family.expires_at.min(family.idle_expires_at);
    let members = json!({
        "active": true,
        "iss": &*tenant.issuer,
        "sub": &*person.subject,
        "client_id": &*client.id,
        "scope": family.authorization.scope,
        "iat": family.rotated_at.as_second(),
        "exp": expires_at.as_second(),
    });
    members.as_object().cloned()
}
