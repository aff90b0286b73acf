//! The part of the page that is about the client secret, masked unless `reveal` sets its value.

use std::sync::Arc;

use serde_json::Value;

use super::frame::{ClientHeader, Right, may_reveal};
use super::secret::{Source, source};
use crate::person::Caller;

/// The part of the page that is about the client secret.
pub struct SecretBlock {
    /// The address of the client's page.
    pub path: String,
    /// The hidden field of its forms.
    pub form_token: Arc<str>,
    /// Why there is no secret; empty if there is one.
    pub none: String,
    /// The Secret and its entry, such as `web-oauth, entry CLIENT_SECRET`.
    pub place: String,
    /// Whether the person may read the Secret.
    pub right: Right,
    /// The secret: only in the response to the POST that reveals it.
    pub value: Option<String>,
}

impl SecretBlock {
    /// The block with the secret masked.
    pub async fn masked(person: &Caller, client: &Value) -> Self {
        let (none, place) = match source(client) {
            Source::None(why) => (why, String::new()),
            Source::Derived { secret, entry } => {
                let entry = entry.map(|entry| format!(", entry {entry}"));
                (
                    String::new(),
                    format!("{secret}{}", entry.unwrap_or_default()),
                )
            }
        };
        let right = if none.is_empty() {
            may_reveal(person, client).await
        } else {
            Right::default()
        };
        Self {
            path: ClientHeader::path_of(client),
            form_token: person.form_token.clone(),
            none,
            place,
            right,
            value: None,
        }
    }
}
