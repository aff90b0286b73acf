//! Refusals of an authorization request: those that the client is told, and those that only the person sees.

use std::sync::Arc;

use crate::{Client, OAuthError};

/// The longest part of a scope that a refusal names.
const MAX_NAMED: usize = 64;

/// A refusal that is sent to the client, at its redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Code and rule: constants.
    pub error: OAuthError,
    /// `error_description`: the rule, and the scope that breaks it.
    pub description: String,
}

impl Refused {
    /// A refusal because of a scope. [`crate::scope::parse`] has judged its characters, so that all of them may stand in
    /// an `error_description` (RFC 6749 §4.1.2.1).
    pub fn because_of_scope(error: OAuthError, scope: &str) -> Self {
        let named = scope.get(..MAX_NAMED).unwrap_or(scope);
        let more = if named.len() < scope.len() { "..." } else { "" };
        Self {
            error,
            description: format!("{}: {named}{more}", error.description),
        }
    }
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        let description = error.description.to_owned();
        Self { error, description }
    }
}

/// A request that is answered with a page, because it does not say reliably where else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Code and rule.
    pub error: OAuthError,
    /// The client that the request names, if it is registered.
    pub client: Option<Arc<Client>>,
}

impl Stopped {
    /// The client is known.
    pub fn of(error: OAuthError, client: &Arc<Client>) -> Self {
        let client = Some(client.clone());
        Self { error, client }
    }
}

impl From<OAuthError> for Stopped {
    fn from(error: OAuthError) -> Self {
        Self {
            error,
            client: None,
        }
    }
}
