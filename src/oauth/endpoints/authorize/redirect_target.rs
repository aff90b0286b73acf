//! Who asks, and where the answer goes (RFC 6749 §3.1.2, RFC 9700 §2.1): judged before anything else, because nobody
//! may be sent to an address that is not registered, not even with an error (RFC 9700 §4.11).

use std::sync::Arc;

use super::response_mode::ResponseMode;
use crate::client::redirect_uri;
use crate::endpoints::parameters::Parameters;
use crate::{Client, ErrorCode, OAuthError, Tenant};

/// The longest `state`, in bytes.
const MAX_STATE: usize = 2048;

/// Where an authorization request is answered, be it with a code or with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Who asks.
    pub client: Arc<Client>,
    /// The redirect URI, as it was asked for and registered.
    pub redirect_uri: String,
    /// `state`, to be given back; none if it was not sent or cannot be given back.
    pub state: Option<String>,
    /// How the answer travels; by query if that cannot be read.
    pub mode: ResponseMode,
}

impl Destination {
    /// Judges `client_id` and `redirect_uri`. Each stands exactly once: there is no default.
    pub fn read(tenant: &Tenant, parameters: &Parameters) -> Result<Self, OAuthError> {
        let id = parameters.one("client_id")?;
        let id = id.ok_or(OAuthError::invalid_request("client_id is missing"))?;
        let asked = parameters.one("redirect_uri")?;
        let client = tenant.clients.get(id).ok_or(UNKNOWN_CLIENT)?;
        let asked = asked.ok_or(OAuthError::invalid_request("redirect_uri is missing"))?;
        let mut registered = client.redirect_uris.iter();
        if !registered
            .any(|registered| redirect_uri::matches(registered, asked, client.client_type))
        {
            return Err(OAuthError::invalid_request(
                "redirect_uri is not among the redirect URIs of this client, which are compared character by character",
            ));
        }
        Ok(Self {
            client: client.clone(),
            redirect_uri: asked.to_owned(),
            state: state(parameters).unwrap_or_default().map(str::to_owned),
            mode: ResponseMode::read(parameters).unwrap_or_default(),
        })
    }
}

const UNKNOWN_CLIENT: OAuthError =
    OAuthError::new(ErrorCode::InvalidClient, "no client has this client_id");

/// `state` (RFC 6749 §4.1.1): it comes back exactly as it was sent, so what could not is an error.
pub(super) fn state(parameters: &Parameters) -> Result<Option<&str>, OAuthError> {
    parameters.at_most("state", MAX_STATE)
}
