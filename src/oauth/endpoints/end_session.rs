//! Signing out at a client's request (OIDC RP-Initiated Logout §2, §3).

use std::sync::Arc;

use super::authorize::refused::Stopped;
use super::authorize::response::with_query;
use super::parameters::Parameters;
use crate::form_encoding::encoded_len;
use crate::grant::Session;
use crate::jose;
use crate::tokens::issued_jwt;
use crate::{Client, ErrorCode, OAuthError, Tenant};

/// The longest `state`, and the longest value that is read and not acted on.
const MAX_LEN: usize = 2048;

/// A request to sign out that may be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogoutRequest {
    /// Who asks.
    pub client: Option<Arc<Client>>,
    /// Where the person goes afterwards: registered, and without `state`.
    pub redirect_uri: Option<String>,
    /// Given back with the redirect.
    pub state: Option<String>,
    /// Whom the ID token is about that the client sent.
    pub hint: Option<Hint>,
    /// Why the person cannot go where the request says: never a redirect there.
    pub wrong_address: Option<OAuthError>,
}

/// What an ID token proves about who is to be signed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The subject.
    pub subject: String,
    /// The session (OIDC Front-Channel Logout §3).
    pub sid: Option<String>,
}

/// What follows from a request to sign out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The session ends: who asks has proved that it is theirs to end.
    SignOut,
    /// The person is asked: anybody can send a browser here.
    Ask,
    /// No person is signed in.
    NobodyThere,
    /// The address is wrong, and nothing proves who asks.
    Refuse(OAuthError),
}

impl LogoutRequest {
    /// Reads a request. An error is for the person: the browser must not be redirected.
    pub fn read(tenant: &Tenant, encoded: &str) -> Result<Self, Stopped> {
        let parameters = Parameters::read(encoded.as_bytes())?;
        let claims = match parameters.one("id_token_hint")? {
            None => None,
            Some(token) => Some(issued_jwt::verify_hint(tenant, token).ok_or(BAD_HINT)?),
        };
        let mut audiences = claims.iter().flat_map(jose::claims::audiences);
        let client = match parameters.one("client_id")? {
            None => audiences.next().and_then(|id| tenant.clients.get(id)),
            Some(id) => {
                if claims.is_some() && !audiences.any(|audience| audience == id) {
                    return Err(WRONG_CLIENT.into());
                }
                Some(tenant.clients.get(id).ok_or(UNKNOWN_CLIENT)?)
            }
        };
        for ignored in ["logout_hint", "ui_locales"] {
            parameters.at_most(ignored, MAX_LEN)?;
        }
        let text = |claims: &_, name| jose::claims::text(claims, name).map(str::to_owned);
        let hint = claims.as_ref().and_then(|claims| {
            let (subject, sid) = (text(claims, "sub")?, text(claims, "sid"));
            Some(Hint { subject, sid })
        });
        let (redirect_uri, wrong_address) =
            match redirect_uri(&parameters, client, claims.is_some())? {
                Address::Registered(uri) => (Some(uri), None),
                Address::None => (None, None),
                Address::Wrong(error) => (None, Some(error)),
            };
        Ok(Self {
            redirect_uri,
            wrong_address,
            state: state(&parameters)?.map(str::to_owned),
            client: client.cloned(),
            hint,
        })
    }

    /// Decides: only who sends an ID token of this very session is believed at once.
    pub fn decide(&self, session: Option<&Session>) -> Decision {
        let proves = |session: &Session| {
            let hint = self.hint.as_ref();
            hint.is_some_and(|hint| {
                hint.subject == session.subject && hint.sid.as_ref() == Some(&session.sid)
            })
        };
        match (session, self.wrong_address) {
            (Some(session), _) if proves(session) => Decision::SignOut,
            (_, Some(error)) => Decision::Refuse(error),
            (Some(_), None) => Decision::Ask,
            (None, None) => Decision::NobodyThere,
        }
    }

    /// Where the person goes afterwards, with `state`.
    pub fn location(&self) -> Option<String> {
        let uri = self.redirect_uri.as_ref()?;
        Some(match &self.state {
            Some(state) => with_query(uri, &[("state", state)]),
            None => uri.clone(),
        })
    }

    /// What of the request still matters once the person has agreed, in the form of a query.
    pub fn to_query(&self) -> String {
        let Some(client) = &self.client else {
            return String::new();
        };
        let mut fields = vec![("client_id", &*client.id)];
        let uri = self.redirect_uri.as_deref();
        fields.extend(uri.map(|uri| ("post_logout_redirect_uri", uri)));
        fields.extend(self.state.as_deref().map(|state| ("state", state)));
        with_query("?", &fields)[1..].to_owned()
    }
}

/// `state`, as long as at the authorization endpoint.
fn state(parameters: &Parameters) -> Result<Option<&str>, OAuthError> {
    let state = parameters.one("state")?;
    if state.is_some_and(|state| encoded_len(state) > MAX_LEN) {
        return Err(OAuthError::invalid_request(
            "state is longer than 2,048 bytes in percent-encoding",
        ));
    }
    Ok(state)
}

/// What the request says of where the person goes afterwards.
enum Address {
    None,
    Registered(String),
    Wrong(OAuthError),
}

/// Compared exactly. Without any word of who asks it is passed over (§2: it then belongs to no client).
fn redirect_uri(
    parameters: &Parameters,
    client: Option<&Arc<Client>>,
    hinted: bool,
) -> Result<Address, OAuthError> {
    let Some(asked) = parameters.one("post_logout_redirect_uri")? else {
        return Ok(Address::None);
    };
    let Some(client) = client else {
        return Ok(if hinted {
            Address::Wrong(WRONG_CLIENT)
        } else {
            Address::None
        });
    };
    let mut registered = client.post_logout_redirect_uris.iter();
    Ok(if registered.any(|registered| **registered == *asked) {
        Address::Registered(asked.to_owned())
    } else {
        Address::Wrong(UNKNOWN_ADDRESS)
    })
}

const UNKNOWN_ADDRESS: OAuthError = OAuthError::invalid_request(
    "post_logout_redirect_uri is not among the postLogoutRedirectUris of this client, which are compared character by character",
);

const BAD_HINT: OAuthError =
    OAuthError::invalid_request("id_token_hint is not an ID token of this issuer");
const WRONG_CLIENT: OAuthError = OAuthError::invalid_request(
    "id_token_hint was issued to another client, or to one that was deleted",
);
const UNKNOWN_CLIENT: OAuthError =
    OAuthError::new(ErrorCode::InvalidClient, "no client has this client_id");
