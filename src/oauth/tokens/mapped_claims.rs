//! The claims of an access token that a tenant maps for its audiences.

use serde_json::{Map, Value};

use crate::client::Audience;
use crate::client::claim_mapping::{ClaimMapping, ClaimSource};
use crate::user::claims;
use crate::{OAuthError, User};

/// The most bytes that these claims take up in a token, as JSON.
pub const MAX_LEN: usize = 4 * 1024;

const TOO_LARGE: OAuthError = OAuthError::invalid_target(
    "the claims about this person that the OAuthTenant maps for this resource exceed 4 KiB: its administrator can filter them by prefix (spec.audiences[].claims)",
);

/// The claims of a token for these audiences: those that all of them map in the same way.
///
/// A person whose claims do not fit gets no token. One that lacks some of them could mean more than the whole, where an
/// API denies by group.
pub fn of(audiences: &[&Audience], user: Option<&User>) -> Result<Map<String, Value>, OAuthError> {
    let Some((first, others)) = audiences.split_first() else {
        return Ok(Map::new());
    };
    let shared =
        |mapping: &&ClaimMapping| others.iter().all(|other| other.claims.contains(mapping));
    let mut mapped = Map::new();
    for mapping in first.claims.iter().filter(shared) {
        if claims::OF_THE_PROTOCOL.contains(&&*mapping.name) {
            continue;
        }
        if let Some(value) = value(&mapping.source, user) {
            mapped.insert(mapping.name.to_string(), value);
        }
    }
    if !mapped.is_empty() && serde_json::to_string(&mapped).map_or(0, |json| json.len()) > MAX_LEN {
        return Err(TOO_LARGE);
    }
    Ok(mapped)
}

fn value(source: &ClaimSource, user: Option<&User>) -> Option<Value> {
    let (name, prefix, rename) = match source {
        ClaimSource::Constant(text) => return Some(Value::from(&**text)),
        ClaimSource::Attribute {
            name,
            prefix,
            rename,
        } => (name, prefix.as_deref(), rename),
    };
    let kept = |text: &str| {
        let kept = prefix.is_none_or(|prefix| text.starts_with(prefix));
        let renamed = rename.iter().find(|(from, _)| **from == *text);
        kept.then(|| Value::from(renamed.map_or(text, |(_, to)| to)))
    };
    match claims::attribute(user?, name)? {
        Value::String(text) => kept(&text),
        Value::Array(values) => {
            let mut list: Vec<Value> = Vec::with_capacity(values.len());
            for value in values {
                let value = match value {
                    Value::String(text) => kept(&text),
                    other => Some(other).filter(|_| prefix.is_none()),
                };
                list.extend(value.filter(|value| !list.contains(value)));
            }
            Some(Value::Array(list))
        }
        other => Some(other).filter(|_| prefix.is_none()),
    }
}

#[cfg(test)]
mod tests;
