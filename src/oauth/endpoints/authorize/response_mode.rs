//! Where the client wants the parameters of the authorization response.

use crate::OAuthError;
use crate::endpoints::parameters::Parameters;

/// `response_mode` (OAuth 2.0 Multiple Response Type Encoding Practices §2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// As a form that the browser posts to the redirect URI.
    FormPost,
}

impl ResponseMode {
    /// Reads the parameter. `fragment` is for answers that this server does not give.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let Some(name) = parameters.one("response_mode")? else {
            return Ok(Self::Query);
        };
        Self::named(name).ok_or(OAuthError::invalid_request(
            "response_mode must be query or form_post",
        ))
    }

    /// The mode of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "query" => Some(Self::Query),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}
