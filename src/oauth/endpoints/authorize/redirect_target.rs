//! Who asks, and where the answer goes (RFC 6749 §3.1.2, RFC 9700 §2.1): judged before anything else, because no browser
//! may be sent to an address that is not registered, not even with an error (RFC 9700 §4.11).

use std::sync::Arc;

use super::refused::Stopped;
use super::request_object;
use super::response_mode::ResponseMode;
use crate::client::redirect_uri;
use crate::endpoints::parameters::Parameters;
use crate::form_encoding::encoded_len;
use crate::jose;
use crate::{Client, ErrorCode, OAuthError, Tenant};

/// The longest `state`, in bytes as they stand in the address of the answer.
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
    /// Whether the client asks that nothing is shown (`prompt=none`), whatever else it asks.
    pub is_silent: bool,
}

impl Destination {
    /// Judges `client_id` and `redirect_uri`. Each stands exactly once: there is no default.
    pub fn read(tenant: &Tenant, parameters: &Parameters) -> Result<Self, Stopped> {
        let id = parameters.one("client_id")?;
        let id = id.ok_or(OAuthError::invalid_request("client_id is missing"))?;
        if let Some(client) = tenant.suspended.get(id) {
            return Err(Stopped::of(SUSPENDED, client));
        }
        let client = tenant.clients.get(id).ok_or(UNKNOWN_CLIENT)?;
        let redirect_uri = registered(client, parameters);
        let redirect_uri = redirect_uri.map_err(|error| Stopped::of(error, client))?;
        let mut destination = Self {
            client: client.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: state(parameters).unwrap_or_default().map(str::to_owned),
            mode: ResponseMode::read(parameters).unwrap_or_default(),
            is_silent: parameters.one("prompt") == Ok(Some("none")),
        };
        if let Ok(Some(object)) = parameters.one("request") {
            destination.answer_as_in(object);
        }
        Ok(destination)
    }

    /// A request object is refused, and the client that sends one may say in it alone how it wants to be told. Its
    /// parameters come before those beside it (OIDC Core §6.1), and none but these two is read.
    fn answer_as_in(&mut self, object: &str) {
        let Some(claims) = request_object::unsigned(object) else {
            return;
        };
        if let Some(mode) = jose::claims::text(&claims, "response_mode") {
            self.mode = ResponseMode::named(mode).unwrap_or_default();
        }
        if let Some(state) = jose::claims::text(&claims, "state") {
            self.state = (encoded_len(state) <= MAX_STATE).then(|| state.to_owned());
        }
    }
}

/// The redirect URI of the request, if the client has registered it.
fn registered<'p>(client: &Client, parameters: &'p Parameters) -> Result<&'p str, OAuthError> {
    let asked = parameters.one("redirect_uri")?;
    let asked = asked.ok_or(OAuthError::invalid_request("redirect_uri is missing"))?;
    let mut registered = client.redirect_uris.iter();
    if asked.len() > redirect_uri::MAX_LEN
        || !registered
            .any(|registered| redirect_uri::matches(registered, asked, client.client_type))
    {
        return Err(OAuthError::invalid_request(
            "redirect_uri is not among the redirect URIs of this client, which are compared character by character",
        ));
    }
    Ok(asked)
}

/// The client is registered, and its OAuthClient says `suspended: true`.
pub const SUSPENDED: OAuthError =
    OAuthError::new(ErrorCode::UnauthorizedClient, "this client is suspended");

const UNKNOWN_CLIENT: OAuthError =
    OAuthError::new(ErrorCode::InvalidClient, "no client has this client_id");

/// `state` (RFC 6749 §4.1.1): it comes back exactly as it was sent, so what could not is an error.
pub(super) fn state(parameters: &Parameters) -> Result<Option<&str>, OAuthError> {
    let state = parameters.one("state")?;
    if state.is_some_and(|state| encoded_len(state) > MAX_STATE) {
        return Err(OAuthError::invalid_request(
            "state is longer than 2,048 bytes in percent-encoding",
        ));
    }
    Ok(state)
}
