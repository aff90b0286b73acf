//! The authorization endpoint (RFC 6749 §3.1, OIDC Core §3.1.2) as a numbered pipeline.
//!
//! 1. Who asks, and where does the answer go ([`destination`])? If that is wrong, the person is told and sent nowhere.
//! 2. What is asked ([`request`])? If that is wrong, the client is told, where it said.
//! 3. What follows from it ([`decision`]): sign in, ask, issue or refuse.
//! 4. What is granted ([`grant`]).
//! 5. How the answer travels ([`response`]).

pub mod claims_parameter;
pub mod interaction;
pub mod issue_code;
pub mod pkce;
pub mod prompt;
pub mod redirect_target;
pub mod request;
pub mod response;
pub mod response_mode;
pub mod scopes;

#[cfg(test)]
mod tests;

use super::parameters::Parameters;
use crate::{OAuthError, Tenant};
use redirect_target::Destination;
use request::AuthorizationRequest;

/// An authorization request of a registered client that is to be answered at a registered redirect URI.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asks, and where the answer goes.
    pub destination: Destination,
    /// What is asked, or what the client is told instead.
    pub request: Result<AuthorizationRequest, OAuthError>,
}

/// Reads an authorization request. An error is for the person: nobody may be sent anywhere.
///
/// `encoded` is a query or a form. It is read again whenever the flow goes on, so that it is always judged by the
/// clients that are registered then.
pub fn read(tenant: &Tenant, encoded: &str) -> Result<Asked, OAuthError> {
    let parameters = Parameters::read(encoded.as_bytes())?;
    let destination = Destination::read(tenant, &parameters)?;
    let request = if encoded.len() > request::MAX_LEN {
        Err(OAuthError::invalid_request(
            "the request is longer than 8 KiB",
        ))
    } else {
        AuthorizationRequest::read(tenant, &destination.client, &parameters)
    };
    Ok(Asked {
        destination,
        request,
    })
}
