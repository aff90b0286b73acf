//! A token that comes back: to the userinfo endpoint, to be introspected, to be revoked.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::issued_jwt;
use super::issued_jwt::Kind;
use super::refresh_token::{self, Place};
use crate::grant::validity;
use crate::grant::validity::GrantValidity;
use crate::grant::{FAMILY_PREFIX, Family};
use crate::jose;
use crate::user::claims::OF_THE_PROTOCOL;
use crate::{Keyring, Tenant};

/// An access token that this tenant signed, whatever its age.
pub struct AccessToken {
    claims: Map<String, Value>,
}

impl AccessToken {
    /// Reads an access token. It has the claims that ours have, or it is none.
    pub fn read(tenant: &Tenant, token: &str) -> Option<Self> {
        let claims = issued_jwt::verify(tenant, token, Kind::AccessToken)?;
        let token = Self { claims };
        let texts = ["sub", "client_id", "jti"];
        let complete = texts.iter().all(|name| !token.text(name).is_empty());
        (complete && token.expires_at().is_some()).then_some(token)
    }

    /// A claim that is a text; empty when it is absent.
    pub fn text(&self, name: &str) -> &str {
        jose::claims::text(&self.claims, name).unwrap_or_default()
    }

    /// `jti`: what a revocation names.
    pub fn id(&self) -> &str {
        self.text("jti")
    }

    /// What it was issued for, as `jti` says before the last point: the ID of a family, or the UID of a client's registration.
    fn origin(&self) -> &str {
        self.id().rsplit_once('.').map_or("", |(origin, _)| origin)
    }

    /// The family that it belongs to, if a person allowed it.
    pub fn family(&self) -> Option<&str> {
        Some(self.origin()).filter(|origin| origin.starts_with(FAMILY_PREFIX))
    }

    /// Whether it was issued to this registration of a client on its own behalf.
    pub fn is_of_registration(&self, client_uid: &str) -> bool {
        self.origin() == client_uid
    }

    /// Whether it has not expired.
    pub fn is_current(&self, now: Timestamp) -> bool {
        issued_jwt::is_current(&self.claims, now)
    }

    /// `exp`.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let seconds = self.claims.get("exp")?.as_i64()?;
        Timestamp::from_second(seconds).ok()
    }

    /// Whether the audience is among those of the token.
    pub fn is_for(&self, audience: &str) -> bool {
        jose::claims::audiences(&self.claims).any(|known| known == audience)
    }

    /// The audiences.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        jose::claims::audiences(&self.claims)
    }

    /// Whether it carries the scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.text("scope").split(' ').any(|known| known == scope)
    }

    /// The claims that the tenant mapped for the audiences.
    pub fn mapped_claims(&self) -> impl Iterator<Item = (&String, &Value)> {
        let mut claims = self.claims.iter();
        std::iter::from_fn(move || {
            claims.find(|(name, _)| !OF_THE_PROTOCOL.contains(&name.as_str()))
        })
    }

    /// A claim as it is.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// Who a person's token concerns, if its family lives and client and person still stand.
    pub fn valid_grant<'t>(
        &self,
        tenant: &'t Tenant,
        family: Option<&Family>,
        now: Timestamp,
    ) -> Option<GrantValidity<'t>> {
        let family =
            family.filter(|family| family.lives(now) && Some(&*family.id) == self.family())?;
        let valid_grant = validity::check(tenant, &family.authorization).ok()?;
        let same = *valid_grant.client.id == *self.text("client_id")
            && family.authorization.subject == self.text("sub");
        same.then_some(valid_grant)
    }
}

/// A token of an unknown kind.
pub enum Presented {
    /// An access token.
    AccessToken(AccessToken),
    /// A refresh token.
    RefreshToken(Place),
    /// Not ours: garbage, an ID token, another tenant's.
    Nothing,
}

impl Presented {
    /// Reads a token. `token_type_hint` is not needed: our tokens tell what they are (RFC 7009 §2.1).
    pub fn read(tenant: &Tenant, keyring: &Keyring, token: &str) -> Self {
        let place = refresh_token::verify(keyring, &tenant.uid, token);
        match (AccessToken::read(tenant, token), place) {
            (_, Some(place)) => Self::RefreshToken(place),
            (Some(token), None) => Self::AccessToken(token),
            (None, None) => Self::Nothing,
        }
    }

    /// The family to ask the store for; empty when there is none. It is asked for all the same, so that time does not
    /// tell a token that is not ours from one that is.
    pub fn family(&self) -> &str {
        match self {
            Self::AccessToken(token) => token.family().unwrap_or_default(),
            Self::RefreshToken(place) => &place.family,
            Self::Nothing => "",
        }
    }

    /// The `jti` to ask the store for; empty when there is none.
    pub fn id(&self) -> &str {
        match self {
            Self::AccessToken(token) => token.id(),
            Self::RefreshToken(_) | Self::Nothing => "",
        }
    }
}
