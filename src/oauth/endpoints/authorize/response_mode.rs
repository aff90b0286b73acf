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
        match parameters.one("response_mode")? {
            None | Some("query") => Ok(Self::Query),
            Some("form_post") => Ok(Self::FormPost),
            Some(_) => Err(OAuthError::invalid_request(
                "response_mode must be query or form_post",
            )),
        }
    }
}
