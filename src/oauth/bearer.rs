//! An access token of ours, when it comes back, and whether what it was issued for still stands.
//!
//! The signature says what was true when the token was issued. Whether it is true still is asked of the grant that its
//! `jti` names, of the registry and of the people, so a token is dead at our endpoints the moment its grant is.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::grant::{Authorization, FAMILY_PREFIX, Family};
use super::own_token::{self, Kind, text};
use super::{Client, Person, Tenant};

/// An access token whose signature and time are right.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// What it says.
    pub claims: Map<String, Value>,
    /// `jti`, by which it can be revoked.
    pub jti: String,
}

impl Bearer {
    /// Reads a token of this tenant that has not expired.
    pub fn read(tenant: &Tenant, token: &str, now: Timestamp) -> Option<Self> {
        let claims = own_token::verify(tenant, token, Kind::AccessToken)?;
        if !own_token::is_current(&claims, now) {
            return None;
        }
        let jti = text(&claims, "jti")?.to_owned();
        Some(Self { claims, jti })
    }

    /// The family that it was issued in; none for a token that a machine has for itself.
    pub fn family(&self) -> Option<&str> {
        let family = self.origin();
        family.starts_with(FAMILY_PREFIX).then_some(family)
    }

    /// What the `jti` names: a family, or the registration of a client.
    fn origin(&self) -> &str {
        self.jti.split('.').next().unwrap_or_default()
    }

    /// Whether one of its scopes is this one.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope().split(' ').any(|one| one == scope)
    }

    /// Its scopes.
    pub fn scope(&self) -> &str {
        text(&self.claims, "scope").unwrap_or_default()
    }

    /// When it expires.
    pub fn expires_at(&self) -> Timestamp {
        let seconds = self.claims.get("exp").and_then(Value::as_i64);
        seconds
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .unwrap_or(Timestamp::MIN)
    }

    /// The client that it was issued to, if it is the same registration still.
    pub fn client<'t>(
        &self,
        tenant: &'t Tenant,
        family: Option<&Family>,
    ) -> Option<&'t Arc<Client>> {
        let client = tenant.clients.get(text(&self.claims, "client_id")?)?;
        let issued_to = family.map_or(self.origin(), |family| {
            &family.authorization.registration_id
        });
        (*client.registration_id == *issued_to).then_some(client)
    }
}

/// Who a grant is of and for, if it still stands: the family is not over, the client is the same registration, and
/// the person is who they were and may use the client.
pub fn standing<'t>(
    tenant: &'t Tenant,
    family: &Family,
    now: Timestamp,
) -> Option<(&'t Arc<Client>, &'t Arc<Person>)> {
    let Authorization {
        client_id,
        registration_id,
        subject,
        person,
        credential,
        auth_time,
        ..
    } = &family.authorization;
    let over = family.revoked_at.is_some() || now >= family.expires_at;
    let client = tenant.clients.get(client_id.as_str())?;
    let person = tenant.people.by_subject(subject, person)?;
    let stands = !over
        && *client.registration_id == **registration_id
        && person.stands_by(credential, *auth_time)
        && person.is_in_any(client.allowed_groups.as_deref());
    stands.then_some((client, person))
}
