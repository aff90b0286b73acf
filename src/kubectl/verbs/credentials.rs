//! The credentials of a client, as its Secret holds them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::Value;

use crate::connect::Session;
use crate::failure::Failure;
use crate::objects::{Kind, reason, text};

/// What every derived client secret begins with.
const DERIVED: &str = "clt_";

/// A client with the entries of its Secret.
pub struct Credentials {
    /// The OAuthClient.
    pub object: Value,
    /// The name of its credentials Secret.
    pub secret_name: String,
    /// The entries of that Secret as text. What is not text is left out.
    pub entries: BTreeMap<String, String>,
}

impl Credentials {
    /// Reads the client and its Secret.
    pub async fn read(session: &Session, name: &str) -> Result<Self, Failure> {
        let object = session.get(Kind::Client, name).await?;
        let secret_name = text(&object, "/status/secretName").to_owned();
        if secret_name.is_empty() {
            return Err(Failure::new(format!(
                "OAuthClient {name} has no Secret yet ({}); `kubectl clientele why {name}` says why",
                reason(&object)
            )));
        }
        let entries = entries(session, &secret_name).await?;
        Ok(Self {
            object,
            secret_name,
            entries,
        })
    }

    /// The client ID.
    pub fn client_id(&self) -> &str {
        text(&self.object, "/status/clientId")
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        text(&self.object, "/status/issuer")
    }

    /// The name of the entry with the client secret, and the secret, where one is derived.
    pub fn client_secret(&self) -> Option<(&str, &str)> {
        let mut entries = self.entries.iter();
        let whole =
            |value: &str| value.starts_with(DERIVED) && !value.contains(char::is_whitespace);
        let found = entries.find(|(_, value)| whole(value));
        found.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The client secret: the derived one, or the one that `secretRef` names.
    pub async fn any_secret(&self, session: &Session) -> Result<Option<String>, Failure> {
        let brought = text(&self.object, "/spec/secretRef/name");
        if brought.is_empty() {
            return Ok(self.client_secret().map(|(_, secret)| secret.to_owned()));
        }
        let key = match text(&self.object, "/spec/secretRef/key") {
            "" => "client-secret",
            key => key,
        };
        let entries = entries(session, brought).await?;
        // The line break at the end of a file is not part of it.
        let value = entries
            .get(key)
            .map(|value| value.trim_end_matches(['\r', '\n']));
        Ok(value.map(str::to_owned))
    }

    /// Whether an entry may be shown to a bystander.
    pub fn is_public(&self, value: &str) -> bool {
        let issuer = self.issuer();
        value == self.client_id()
            || (!issuer.is_empty()
                && value.starts_with(issuer)
                && !value.contains(char::is_whitespace))
            || matches!(value, "true" | "oauth2" | "clientele")
    }
}

/// The entries of a Secret as text.
pub async fn entries(session: &Session, name: &str) -> Result<BTreeMap<String, String>, Failure> {
    let secrets: Api<Secret> = Api::namespaced(session.client.clone(), &session.namespace);
    let what = format!("get secret {name} in namespace {}", session.namespace);
    let secret = secrets
        .get_opt(name)
        .await
        .map_err(|error| session.explain(&error, &what))?
        .ok_or_else(|| {
            Failure::new(format!(
                "there is no Secret {name:?} in namespace {}; the operator writes it again in a moment, unless it does not run",
                session.namespace
            ))
        })?;
    let data = secret.data.unwrap_or_default().into_iter();
    let texts = data.filter_map(|(name, value)| Some((name, String::from_utf8(value.0).ok()?)));
    Ok(texts.collect())
}

/// What stands in place of a secret.
pub const MASK: &str = "••••••••";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_secret_is_found_whatever_its_entry_is_called() {
        let entries = [
            ("app.id", "apps.web"),
            ("app.secret", "clt_abc"),
            ("config.json", "{ \"secret\": \"clt_abc\" }"),
            ("issuer", "https://id.example"),
            ("jwks", "https://id.example/jwks"),
        ];
        let credentials = Credentials {
            object: json!({ "status": { "clientId": "apps.web", "issuer": "https://id.example" } }),
            secret_name: "web-oauth".to_owned(),
            entries: entries.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        };
        assert_eq!(credentials.client_secret(), Some(("app.secret", "clt_abc")));
        let public: Vec<&str> = credentials
            .entries
            .iter()
            .filter(|(_, value)| credentials.is_public(value))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(public, ["app.id", "issuer", "jwks"]);
    }
}
