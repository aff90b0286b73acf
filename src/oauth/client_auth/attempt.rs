//! What a request carries to authenticate its client, taken apart once.

use std::borrow::Cow;
use std::sync::Arc;

use super::assertion;
use super::assertion::Asserted;
use super::basic;
use super::basic::BasicCredentials;
use super::secret::Presented;
use crate::endpoints::parameters::Parameters;
use crate::form_encoding::sent;
use crate::{AuthMethod, Client, OAuthError, Tenant};

/// The parameters of a form that authenticate a client. One without a value counts as omitted (RFC 6749 §3.2).
#[derive(Default)]
pub struct AuthParameters<'a> {
    /// `client_id`.
    pub client_id: Option<Cow<'a, str>>,
    /// `client_secret`.
    pub client_secret: Option<Cow<'a, str>>,
    /// `client_assertion`.
    pub client_assertion: Option<Cow<'a, str>>,
    /// `client_assertion_type`.
    pub client_assertion_type: Option<Cow<'a, str>>,
}

impl<'a> AuthParameters<'a> {
    /// The place of the parameter of this name.
    pub(crate) fn slot(&mut self, name: &str) -> Option<&mut Option<Cow<'a, str>>> {
        Some(match name {
            "client_id" => &mut self.client_id,
            "client_secret" => &mut self.client_secret,
            "client_assertion" => &mut self.client_assertion,
            "client_assertion_type" => &mut self.client_assertion_type,
            _ => return None,
        })
    }
}

/// An attempt to authenticate, by any method or by none.
#[derive(Default)]
pub struct Attempt<'a> {
    header: Header,
    form: AuthParameters<'a>,
    malformed: Option<OAuthError>,
}

/// The `Authorization` header.
#[derive(Default)]
enum Header {
    #[default]
    Absent,
    NotBasic,
    Basic(BasicCredentials),
}

/// What an attempt presents: one method and one client.
pub(super) enum Credentials<'a> {
    Secret(Presented<'a>),
    Assertion(Asserted<'a>),
}

impl<'a> Attempt<'a> {
    /// The attempt of a form and the value of the `Authorization` header.
    pub fn from(form: AuthParameters<'a>, authorization: Option<&[u8]>) -> Self {
        let header = match authorization.map(basic::decode) {
            None => Header::Absent,
            Some(None) => Header::NotBasic,
            Some(Some(credentials)) => Header::Basic(credentials),
        };
        Self {
            header,
            form,
            malformed: None,
        }
    }

    /// The same of a form that was parsed strictly: the attempt fails if one of its parameters is repeated or cannot be
    /// decoded.
    pub fn from_parameters(parameters: &'a Parameters, authorization: Option<&[u8]>) -> Self {
        let mut malformed = None;
        let mut value = |name| match parameters.one(name) {
            Ok(value) => value.map(Cow::Borrowed),
            Err(error) => {
                malformed.get_or_insert(error);
                None
            }
        };
        let form = AuthParameters {
            client_id: value("client_id"),
            client_secret: value("client_secret"),
            client_assertion: value("client_assertion"),
            client_assertion_type: value("client_assertion_type"),
        };
        Self {
            malformed,
            ..Self::from(form, authorization)
        }
    }

    /// One method per request (RFC 6749 §2.3), and one client (OAuth 2.1 §2.4).
    pub(super) fn credentials(&self) -> Result<Credentials<'_>, OAuthError> {
        if let Some(error) = self.malformed {
            return Err(error);
        }
        let (id, asserted) = (sent(self.form.client_id.as_ref()), self.asserted());
        let secret = sent(self.form.client_secret.as_ref());
        let has_header = !matches!(self.header, Header::Absent);
        if usize::from(has_header) + usize::from(secret.is_some()) + usize::from(asserted.is_some())
            > 1
        {
            return Err(OAuthError::invalid_request(
                "more than one method of client authentication in one request",
            ));
        }
        if let Some(asserted) = asserted {
            return Ok(Credentials::Assertion(asserted));
        }
        let invalid = OAuthError::invalid_client();
        let (id, secret, method) = match (&self.header, secret) {
            (Header::NotBasic, _) => return Err(invalid.because(NOT_BASIC)),
            (Header::Basic(basic), _) => {
                if id.is_some_and(|id| *id != **basic.id) {
                    return Err(OAuthError::invalid_request(
                        "client_id of the form differs from the client of the Authorization header",
                    ));
                }
                let (id, secret) = (Some(basic.id.as_str()), basic.secret.as_str());
                // Many libraries of Public clients send their ID in this way, with an empty secret: it counts as omitted.
                let method = match secret {
                    "" => AuthMethod::None,
                    _ => AuthMethod::ClientSecretBasic,
                };
                (id, secret, method)
            }
            (Header::Absent, Some(secret)) => (id, secret, AuthMethod::ClientSecretPost),
            (Header::Absent, None) => (id, "", AuthMethod::None),
        };
        let id = id.ok_or(invalid.because(NO_ID))?;
        Ok(Credentials::Secret(Presented { id, secret, method }))
    }

    /// An assertion, if either of its parameters has a value.
    fn asserted(&self) -> Option<Asserted<'_>> {
        let asserted = Asserted {
            client_id: sent(self.form.client_id.as_ref()),
            assertion: sent(self.form.client_assertion.as_ref()),
            assertion_type: sent(self.form.client_assertion_type.as_ref()),
        };
        (asserted.assertion.is_some() || asserted.assertion_type.is_some()).then_some(asserted)
    }

    /// The client whose ID was sent, if it is registered. It is not authenticated: for the audit log and CORS only.
    pub fn client_by_id<'t>(&self, tenant: &'t Tenant) -> Option<&'t Arc<Client>> {
        let id = match &self.header {
            Header::Basic(basic) => basic.id.as_str(),
            _ => sent(self.form.client_id.as_ref())?,
        };
        tenant.clients.get(id)
    }

    /// The client whose ID was sent or whose assertion was, if it is registered. It is not authenticated: for the audit
    /// log and CORS only.
    pub fn client<'t>(&self, tenant: &'t Tenant) -> Option<&'t Arc<Client>> {
        self.client_by_id(tenant)
            .or_else(|| assertion::named(tenant, sent(self.form.client_assertion.as_ref())?))
    }
}

const NOT_BASIC: &str = "the Authorization header is not Basic with the client ID and secret, each form-encoded, in base64";
const NO_ID: &str = "no client ID was sent";
