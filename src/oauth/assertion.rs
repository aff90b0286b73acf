//! Client authentication by a signed assertion instead of a secret (RFC 7521 §4.2, RFC 7523 §2.2).
//!
//! Who issued the assertion decides which rules apply, and none falls through to another: the client itself is
//! `private_key_jwt`. Whatever this server issued is never an assertion.

mod private_key_jwt;
mod times;

use std::sync::Arc;

use jiff::Timestamp;

use super::jws::Jws;
use super::{Client, OAuthError, Tenant};

/// The one type of assertion (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What was sent to prove a client by an assertion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asserted<'a> {
    /// `client_id`, which may stand beside it.
    pub client_id: Option<&'a str>,
    /// `client_assertion`.
    pub assertion: Option<&'a str>,
    /// `client_assertion_type`.
    pub assertion_type: Option<&'a str>,
}

/// What memory cannot say about an assertion that is right otherwise.
pub enum Evidence {
    /// It must be the first use of this `jti` by the client: the store knows the earlier ones.
    FirstUse {
        /// A digest of registration and `jti`.
        digest: String,
        /// When the assertion expires, and may be forgotten.
        expires_at: Timestamp,
    },
}

/// The client that an assertion is about, and what must still be asked before it is proven.
pub fn judge<'t>(
    tenant: &'t Tenant,
    asserted: Asserted<'_>,
    now: Timestamp,
) -> Result<(&'t Arc<Client>, Evidence), OAuthError> {
    read(tenant, asserted, now).ok_or(OAuthError::invalid_client())
}

fn read<'t>(
    tenant: &'t Tenant,
    asserted: Asserted<'_>,
    now: Timestamp,
) -> Option<(&'t Arc<Client>, Evidence)> {
    if asserted.assertion_type != Some(JWT_BEARER) {
        return None;
    }
    let jws = Jws::read(asserted.assertion?)?;
    let issuer = jws.text("iss")?;
    if issuer == &*tenant.issuer {
        return None;
    }
    let client = tenant.clients.get(issuer)?;
    if asserted.client_id.is_some_and(|id| id != &*client.id) {
        return None;
    }
    private_key_jwt::judge(tenant, client, &jws, now).map(|evidence| (client, evidence))
}

/// The client that an assertion names, rightly or not, if it is registered: for the log.
pub fn named<'t>(tenant: &'t Tenant, assertion: &str) -> Option<&'t Arc<Client>> {
    tenant.clients.get(Jws::read(assertion)?.text("iss")?)
}

#[cfg(test)]
mod tests;
