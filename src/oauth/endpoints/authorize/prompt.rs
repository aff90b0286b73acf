//! `prompt` (OIDC Core §3.1.2.1): what the person is to be shown.

use crate::OAuthError;
use crate::endpoints::parameters::Parameters;

/// What the client wants to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Nothing at all: `none`.
    Nothing,
    /// Whatever is due, and at least this.
    AtLeast {
        /// The page to sign in (`login`; also `select_account`, because there is one account to a session).
        login: bool,
        /// The page to consent.
        consent: bool,
    },
}

impl Prompt {
    /// Whether nothing may be shown.
    pub fn is_nothing(self) -> bool {
        self == Self::Nothing
    }

    /// Whether the person is to sign in, signed in or not.
    pub fn asks_login(self) -> bool {
        matches!(self, Self::AtLeast { login: true, .. })
    }

    /// Whether the person is to consent, asked before or not.
    pub fn asks_consent(self) -> bool {
        matches!(self, Self::AtLeast { consent: true, .. })
    }

    /// Reads the parameter, a list separated by spaces.
    pub(super) fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let values = parameters.one("prompt")?.unwrap_or_default();
        let values: Vec<&str> = values
            .split(' ')
            .filter(|value| !value.is_empty())
            .collect();
        let has = |value| values.contains(&value);
        if has("none") {
            return (values.len() == 1).then_some(Self::Nothing).ok_or(
                OAuthError::invalid_request("prompt has none beside another value"),
            );
        }
        let known = ["login", "consent", "select_account"];
        if values.iter().any(|value| !known.contains(value)) {
            return Err(OAuthError::invalid_request(
                "prompt must be none, or a list of login, consent and select_account",
            ));
        }
        Ok(Self::AtLeast {
            login: has("login") || has("select_account"),
            consent: has("consent"),
        })
    }
}
