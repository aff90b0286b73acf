//! The `claims` parameter (OIDC Core §5.5).

use std::collections::BTreeSet;

use super::OAuthError;

/// The claims that a request names, beyond those that its scopes promise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// For the ID token.
    pub id_token: BTreeSet<String>,
    /// For the userinfo endpoint.
    pub userinfo: BTreeSet<String>,
    /// The subject that the ID token must have.
    pub subject: Option<String>,
}

impl ClaimsRequest {
    /// Reads the parameter.
    pub fn parse(_json: &str) -> Result<Self, OAuthError> {
        Err(OAuthError::invalid_request("claims is not supported yet"))
    }

    /// The one spelling in which it is kept.
    pub fn normal(&self) -> String {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
        let subject = self.subject.as_deref().unwrap_or_default();
        format!(
            "{}\n{}\n{subject}",
            list(&self.id_token),
            list(&self.userinfo)
        )
    }

    /// What was kept. Nothing for an empty text.
    pub fn from_normal(normal: &str) -> Self {
        let mut lines = normal.split('\n');
        let mut names = || {
            let line = lines.next().unwrap_or_default().split(' ');
            line.filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let (id_token, userinfo) = (names(), names());
        let subject = lines.next().filter(|subject| !subject.is_empty());
        Self {
            id_token,
            userinfo,
            subject: subject.map(str::to_owned),
        }
    }
}
