//! What was sent to the token endpoint.

use std::borrow::Cow;

use url::form_urlencoded;

use crate::client_auth::{Attempt, AuthParameters};
use crate::endpoints::resource_indicators;
use crate::form_encoding::sent;
use crate::{ErrorCode, GrantType, OAuthError};

/// A token request: the attempt to authenticate, and the parameters of the grants, borrowed from the form where nothing
/// was escaped.
#[derive(Default)]
pub struct TokenRequest<'a> {
    attempt: Attempt<'a>,
    grant_type: Option<Cow<'a, str>>,
    scope: Option<Cow<'a, str>>,
    code: Option<Cow<'a, str>>,
    redirect_uri: Option<Cow<'a, str>>,
    code_verifier: Option<Cow<'a, str>>,
    refresh_token: Option<Cow<'a, str>>,
    pub(super) resources: Vec<Cow<'a, str>>,
}

impl<'a> TokenRequest<'a> {
    /// Parses a form. A parameter that stands twice is an error (RFC 6749 §3.2), except `resource`
    /// (RFC 8707 §2); an unknown one is ignored.
    pub fn parse(form: &'a [u8], authorization: Option<&[u8]>) -> Result<Self, OAuthError> {
        let mut request = Self::default();
        let mut auth = AuthParameters::default();
        for (name, value) in form_urlencoded::parse(form) {
            if name == "resource" {
                request.add_resource(value)?;
                continue;
            }
            let Some(slot) = auth.slot(&name).or_else(|| request.slot(&name)) else {
                continue;
            };
            if slot.replace(value).is_some() {
                return Err(OAuthError::invalid_request("a parameter is repeated"));
            }
        }
        request.attempt = Attempt::from(auth, authorization);
        Ok(request)
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<Cow<'a, str>>> {
        Some(match name {
            "grant_type" => &mut self.grant_type,
            "scope" => &mut self.scope,
            "code" => &mut self.code,
            "redirect_uri" => &mut self.redirect_uri,
            "code_verifier" => &mut self.code_verifier,
            "refresh_token" => &mut self.refresh_token,
            _ => return None,
        })
    }

    fn add_resource(&mut self, value: Cow<'a, str>) -> Result<(), OAuthError> {
        if value.is_empty() {
            return Ok(());
        }
        if self.resources.len() == resource_indicators::MAX_RESOURCES {
            return Err(OAuthError::invalid_target("more than 16 resources"));
        }
        self.resources.push(value);
        Ok(())
    }

    /// The attempt to authenticate the client.
    pub(crate) fn attempt(&self) -> &Attempt<'a> {
        &self.attempt
    }

    /// The grant type, which is validated before the client is authenticated.
    pub(super) fn grant_type(&self) -> Result<GrantType, OAuthError> {
        match sent(self.grant_type.as_ref()) {
            None => Err(OAuthError::invalid_request("grant_type is missing")),
            Some("client_credentials") => Ok(GrantType::ClientCredentials),
            Some("authorization_code") => Ok(GrantType::AuthorizationCode),
            Some("refresh_token") => Ok(GrantType::RefreshToken),
            Some(_) => Err(OAuthError::new(
                ErrorCode::UnsupportedGrantType,
                "grant_type must be authorization_code, refresh_token or client_credentials",
            )),
        }
    }

    pub(super) fn scope(&self) -> &str {
        sent(self.scope.as_ref()).unwrap_or_default()
    }

    pub(super) fn code(&self) -> Option<&str> {
        sent(self.code.as_ref())
    }

    pub(super) fn redirect_uri(&self) -> Option<&str> {
        sent(self.redirect_uri.as_ref())
    }

    pub(super) fn code_verifier(&self) -> Option<&str> {
        sent(self.code_verifier.as_ref())
    }

    pub(super) fn refresh_token(&self) -> Option<&str> {
        sent(self.refresh_token.as_ref())
    }
}
