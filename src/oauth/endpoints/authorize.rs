//! The authorization endpoint (RFC 6749 §3.1, OIDC Core §3.1.2) as a numbered pipeline.
//!
//! 1. Who asks, and where does the answer go (`destination`)? If that is wrong, the person is told and sent nowhere.
//! 2. What is asked ([`request`])? If that is wrong, the client is told, where it said.
//! 3. What follows from it (`decision`): sign in, ask, issue or refuse.
//! 4. What is granted (`grant`).
//! 5. How the answer travels ([`response`]).

pub mod claims_parameter;
pub mod interaction;
pub mod issue_code;
pub mod pkce;
pub mod prompt;
pub mod redirect_target;
pub mod refused;
pub mod request;
pub(crate) mod request_object;
pub mod response;
pub mod response_mode;
pub mod scopes;

#[cfg(test)]
mod tests;

use super::parameters::Parameters;
use crate::{OAuthError, Tenant};
use redirect_target::Destination;
use refused::{Refused, Stopped};
use request::AuthorizationRequest;
use response::{Answer, fields, with_query};
use response_mode::ResponseMode;

/// The longest address with a code, in bytes: with the other headers it fits into the 4 KiB of a proxy.
const MAX_LOCATION: usize = 3500;

/// An authorization request of a registered client that is to be answered at a registered redirect URI.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asks, and where the answer goes.
    pub destination: Destination,
    /// What is asked, or what the client is told instead.
    pub request: Result<AuthorizationRequest, Refused>,
}

/// Reads an authorization request. An error is for the person: the browser must not be redirected.
///
/// `encoded` is a query or a form. It is read again whenever the flow goes on, so that it is always judged by the
/// clients that are registered then.
pub fn read(tenant: &Tenant, encoded: &str) -> Result<Asked, Stopped> {
    let parameters = Parameters::read(encoded.as_bytes())?;
    let mut destination = Destination::read(tenant, &parameters)?;
    let request = if encoded.len() > request::MAX_LEN {
        Err(OAuthError::invalid_request("the request is longer than 9 KiB").into())
    } else if code_len(&tenant.issuer, &destination) > MAX_LOCATION {
        destination.state = None;
        Err(OAuthError::invalid_request(
            "the answer would be longer than 3,500 bytes: send a shorter state",
        )
        .into())
    } else {
        AuthorizationRequest::read(tenant, &destination.client, &parameters)
    };
    Ok(Asked {
        destination,
        request,
    })
}

/// How long the address will be at which a code is answered; no longer than the redirect URI if a form carries it.
fn code_len(issuer: &str, destination: &Destination) -> usize {
    let code = "c".repeat(issue_code::CODE_LEN);
    match destination.mode {
        ResponseMode::FormPost => destination.redirect_uri.len(),
        ResponseMode::Query => {
            let fields = fields(issuer, destination, Answer::Code(&code));
            with_query(&destination.redirect_uri, &fields).len()
        }
    }
}
