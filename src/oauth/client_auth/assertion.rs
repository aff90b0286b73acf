//! Client authentication by a signed assertion instead of a secret (RFC 7521 §4.2, RFC 7523 §2.2).
//!
//! Who issued the assertion decides which rules apply, and none falls through to another: the cluster's issuer is a
//! ServiceAccount, the client itself is `private_key_jwt`. Whatever this server issued is never an assertion.

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
    let invalid = OAuthError::invalid_client();
    let assertion = asserted
        .assertion
        .filter(|_| asserted.assertion_type == Some(JWT_BEARER));
    let assertion = assertion.ok_or(invalid.because(NO_ASSERTION))?;
    let jws = Jws::read(assertion).ok_or(invalid.because(NO_JWT))?;
    let issuer = jws.text("iss").ok_or(invalid.because(NO_ISSUER))?;
    if issuer == &*tenant.issuer {
        return Err(invalid.because(OUR_OWN));
    }
    let named = asserted.client_id.and_then(|id| tenant.clients.get(id));
    let (client, evidence) = if tenant.cluster_issuer.as_deref() == Some(issuer) {
        // A ServiceAccount may prove several clients: the request says which.
        let client = named.ok_or(invalid.because(NO_CLIENT))?;
        let evidence = service_account::judge(tenant, client, (assertion, &jws), now);
        (client, evidence)
    } else if let Some(client) = tenant.clients.get(issuer) {
        let same = asserted.client_id.is_none_or(|id| *id == *client.id);
        let evidence = private_key_jwt::judge(tenant, client, &jws, now);
        (client, if same { evidence } else { Err(OTHER_CLIENT) })
    } else {
        return Err(of_unknown_issuer(tenant, named));
    };
    match evidence {
        Ok(evidence) => Ok((client, evidence)),
        Err(cause) => Err(invalid.because(cause)),
    }
}

const NO_ASSERTION: &str =
    "client_assertion is missing, or client_assertion_type is not the one of RFC 7523";
const NO_JWT: &str = "the client assertion is not a signed JWT of a form that is understood";
const NO_ISSUER: &str = "the client assertion has no iss";
const OUR_OWN: &str = "the client assertion is a token of this server, which proves no client";
const NO_CLIENT: &str = "client_id must stand beside the token of a ServiceAccount, and name a client that is served here";
const OTHER_CLIENT: &str = "client_id is not the client that the assertion is of";
const NO_SUCH_ISSUER: &str =
    "iss of the client assertion is neither a client that is served here nor the cluster";

/// Nothing is fetched from an issuer that nobody knows. As long as the cluster's is not known either, it may be that one.
fn of_unknown_issuer(tenant: &Tenant, named: Option<&Arc<Client>>) -> OAuthError {
    let may_be = named.is_some_and(|client| client.allows_method(AuthMethod::ServiceAccount));
    if may_be && tenant.cluster_issuer.is_none() {
        CLUSTER_SILENT
    } else {
        OAuthError::invalid_client().because(NO_SUCH_ISSUER)
    }
}

/// The client that an assertion names, rightly or not, if it is registered: for the log.
pub fn named<'t>(tenant: &'t Tenant, assertion: &str) -> Option<&'t Arc<Client>> {
    tenant.clients.get(Jws::read(assertion)?.text("iss")?)
}

#[cfg(test)]
mod tests;
