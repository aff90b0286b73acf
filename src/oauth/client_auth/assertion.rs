//! Client authentication by a signed assertion instead of a secret (RFC 7521 §4.2, RFC 7523 §2.2).
//!
//! Who issued the assertion decides which rules apply, and none falls through to another: the cluster's issuer is a
//! ServiceAccount, the client itself is `private_key_jwt`. Whatever this server issued is never an assertion.
//!
//! A rule about the assertion alone is judged before the client is looked up, and the answer names it. A rule about the
//! registration of the client has one sentence in the answer, so that callers do not learn which client exists; the log names it.

pub mod audience;
mod private_key_jwt;
pub mod service_account;
pub(crate) mod validity;
pub mod verification;

use std::sync::Arc;

use jiff::Timestamp;

use crate::jose::jws::Jws;
use crate::{AuthMethod, Client, ErrorCode, OAuthError, Tenant};
use service_account::Review;

/// The one type of assertion (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The cluster cannot say whether it stands by a token. Another method is never tried instead.
pub const CLUSTER_SILENT: OAuthError = OAuthError::new(
    ErrorCode::TemporarilyUnavailable,
    "the cluster cannot be asked now whether the token of the ServiceAccount is genuine",
);

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
        /// The UID of the client, whose remembered assertions are counted.
        client_uid: Arc<str>,
    },
    /// The cluster must stand by the token of a ServiceAccount.
    Review(Arc<Review>),
}

/// The client that an assertion is about, and what must still be asked before it is proven.
pub fn judge<'t>(
    tenant: &'t Tenant,
    asserted: Asserted<'_>,
    now: Timestamp,
) -> Result<(&'t Arc<Client>, Evidence), OAuthError> {
    let assertion = asserted.assertion.ok_or(refused(NO_ASSERTION))?;
    if asserted.assertion_type != Some(JWT_BEARER) {
        return Err(refused(OTHER_TYPE));
    }
    let jws = Jws::read(assertion).ok_or(refused(NO_JWT))?;
    let issuer = jws.text("iss").ok_or(refused(NO_ISSUER))?;
    if issuer == &*tenant.issuer {
        return Err(refused(OUR_OWN));
    }
    let named = asserted.client_id.and_then(|id| tenant.clients.get(id));
    if tenant.cluster_issuer.as_deref() == Some(issuer) {
        service_account::check_token(tenant, &jws, now)?;
        // A ServiceAccount may prove several clients: the request says which.
        let client = match (asserted.client_id, named) {
            (None, _) => return Err(refused(NO_CLIENT_ID)),
            (Some(_), None) => return Err(unproven(NO_CLIENT)),
            (Some(_), Some(client)) => client,
        };
        let evidence = service_account::judge(tenant, client, (assertion, &jws));
        return match evidence {
            Ok(evidence) => Ok((client, evidence)),
            Err(cause) => Err(unproven(cause)),
        };
    }
    let client = tenant.clients.get(issuer);
    if client.is_none() && may_be_of_cluster(tenant, named) {
        return Err(CLUSTER_SILENT);
    }
    let claimed = private_key_jwt::check_token(tenant, client, &jws, now)?;
    let client = client.ok_or(unproven(NO_SUCH_ISSUER))?;
    let same = asserted.client_id.is_none_or(|id| *id == *client.id);
    if !same {
        return Err(unproven(OTHER_CLIENT));
    }
    match private_key_jwt::judge(client, &jws, &claimed) {
        Ok(evidence) => Ok((client, evidence)),
        Err(cause) => Err(unproven(cause)),
    }
}

/// A rule about the assertion alone does not hold: the answer names it.
pub const fn refused(rule: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, rule)
}

/// A rule about the registration of the client does not hold: only the log names it.
pub const fn unproven(cause: &'static str) -> OAuthError {
    refused(
        "the client assertion proves no client: unknown client, a method that is not registered, or a signature by another key",
    )
    .because(cause)
}

const NO_ASSERTION: &str = "client_assertion is missing";
const OTHER_TYPE: &str = "client_assertion_type is not urn:ietf:params:oauth:client-assertion-type:jwt-bearer (RFC 7523 section 2.2)";
const NO_JWT: &str = "the client assertion is not a signed JWT of a form that is understood";
const NO_ISSUER: &str = "the client assertion has no iss";
const OUR_OWN: &str = "the client assertion is a token of this server, which proves no client";
const NO_CLIENT_ID: &str =
    "client_id must stand beside the token of a ServiceAccount, which may prove several clients";
const NO_CLIENT: &str = "client_id beside the token of the ServiceAccount names no client that is served here: kubectl get oauthclients says which are, and why not";
const OTHER_CLIENT: &str = "client_id is not the client that the assertion is of";
const NO_SUCH_ISSUER: &str =
    "iss of the client assertion is neither a client that is served here nor the cluster";

/// Nothing is fetched from an unknown issuer. As long as the cluster's is not known either, it may be that one.
fn may_be_of_cluster(tenant: &Tenant, named: Option<&Arc<Client>>) -> bool {
    let may_be = named.is_some_and(|client| client.allows_method(AuthMethod::ServiceAccount));
    may_be && tenant.cluster_issuer.is_none()
}

/// The client that an assertion names, rightly or not, if it is registered: for the log.
pub fn named<'t>(tenant: &'t Tenant, assertion: &str) -> Option<&'t Arc<Client>> {
    tenant.clients.get(Jws::read(assertion)?.text("iss")?)
}

#[cfg(test)]
mod tests;
