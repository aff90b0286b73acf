//! What several steps look up in a client of Keycloak.

use serde_json::Value;

use crate::import::maester::strings;
use crate::objects::text;

/// What a realm says for every client.
#[derive(Default)]
pub struct Realm {
    /// In seconds.
    pub access_token: Option<u64>,
    /// In seconds.
    pub session_idle: Option<u64>,
    /// In seconds.
    pub session_max: Option<u64>,
}

impl Realm {
    /// The lifetimes of a realm.
    pub fn of(document: &Value) -> Self {
        let seconds = |field: &str| {
            document
                .get(field)
                .and_then(Value::as_u64)
                .filter(|s| *s > 0)
        };
        Self {
            access_token: seconds("accessTokenLifespan"),
            session_idle: seconds("ssoSessionIdleTimeout"),
            session_max: seconds("ssoSessionMaxLifespan"),
        }
    }
}

/// URIs, those without a scheme at the root URL.
pub fn addresses(object: &Value, field: &str) -> Vec<String> {
    let root = text(object, "/rootUrl");
    let uris = strings(object, &format!("/{field}"));
    let absolute = uris.map(|uri| {
        if uri.starts_with('/') && root.contains("://") {
            format!("{}{uri}", root.trim_end_matches('/'))
        } else {
            uri.to_owned()
        }
    });
    absolute.collect()
}

/// An attribute; empty if there is none.
pub fn attribute<'a>(object: &'a Value, name: &str) -> &'a str {
    object
        .get("attributes")
        .and_then(|map| map.get(name))
        .and_then(Value::as_str)
        .unwrap_or_default()
}
