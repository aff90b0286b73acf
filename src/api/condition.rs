//! The conditions of every kind, in the sense of kstatus.

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{self, Time};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// The condition that says whether the object works.
pub const READY: &str = "Ready";
/// The condition that says whether the operator is still at work on the object.
pub const RECONCILING: &str = "Reconciling";
/// The condition that says whether a person must act.
pub const STALLED: &str = "Stalled";

/// The condition of an OAuthTenant that does not say which namespaces may have clients in it.
pub const SERVES_EVERY_NAMESPACE: &str = "ServesEveryNamespace";

/// `metav1.Condition`, for thousands in memory: of the words that all have there is one copy, and the message can be
/// shared with the other conditions of the same object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// When the status last changed.
    pub last_transition_time: Time,
    /// For people.
    #[serde(default, serialize_with = "as_text", deserialize_with = "message")]
    pub message: Arc<str>,
    /// The generation of the spec that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// For machines.
    #[serde(default, deserialize_with = "word")]
    pub reason: Cow<'static, str>,
    /// True, False or Unknown.
    #[serde(default, deserialize_with = "word")]
    pub status: Cow<'static, str>,
    /// What it is about.
    #[serde(default, rename = "type", deserialize_with = "word")]
    pub type_: Cow<'static, str>,
}

/// What the conditions of nearly all objects consist of.
const WORDS: [&str; 8] = [
    READY,
    RECONCILING,
    STALLED,
    "True",
    "False",
    "Unknown",
    "Pending",
    "Registered",
];

fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Cow<'static, str>, D::Error> {
    let text = Option::<String>::deserialize(from)?.unwrap_or_default();
    let known = WORDS.into_iter().find(|word| *word == text);
    Ok(known.map_or(Cow::Owned(text), Cow::Borrowed))
}

fn message<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.unwrap_or_default().into())
}

fn as_text<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

/// Keeps one copy of a message that is said more than once.
pub fn share_messages(conditions: &mut [Condition]) {
    let Some((first, others)) = conditions.split_first_mut() else {
        return;
    };
    for other in others {
        if other.message == first.message {
            other.message = first.message.clone();
        }
    }
}

/// The schema of `status.conditions`: bounded, and a map by type.
pub fn conditions_schema(generator: &mut SchemaGenerator) -> Schema {
    let item = <v1::Condition as schemars::JsonSchema>::json_schema(generator);
    json_schema!({
        "type": "array",
        "description": "Ready, Reconciling and Stalled. Ready=True means that the object works; Stalled=True means that a person must act, and the message says how.",
        "maxItems": 8,
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    })
}

/// The status that the API server gives to an object that no operator has seen yet: without it,
/// tools that follow kstatus would take an object without conditions for ready.
pub fn pending_status() -> Value {
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind,
            "status": status,
            "reason": "Pending",
            "message": "waiting for the operator",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
            "observedGeneration": 0,
        })
    };
    json!({
        "observedGeneration": 0,
        "conditions": [
            condition(READY, "Unknown"),
            condition(RECONCILING, "True"),
            condition(STALLED, "False"),
        ],
    })
}

/// The three conditions of a status, each with the time at which it last changed.
pub fn conditions(
    previous: &[Condition],
    states: [(&'static str, &'static str); 3],
    reason: &'static str,
    message: &str,
    generation: Option<i64>,
    now: jiff::Timestamp,
) -> Vec<Condition> {
    let message: Arc<str> = message.into();
    states
        .into_iter()
        .map(|state| condition(previous, state, reason, message.clone(), generation, now))
        .collect()
}

/// A further condition that is True and no obstacle: the object works, and a person should know something.
pub fn warning(
    previous: &[Condition],
    kind: &'static str,
    reason: &'static str,
    message: String,
    generation: Option<i64>,
    now: jiff::Timestamp,
) -> Condition {
    condition(
        previous,
        (kind, "True"),
        reason,
        message.into(),
        generation,
        now,
    )
}

fn condition(
    previous: &[Condition],
    (kind, status): (&'static str, &'static str),
    reason: &'static str,
    message: Arc<str>,
    generation: Option<i64>,
    now: jiff::Timestamp,
) -> Condition {
    let before = previous
        .iter()
        .find(|c| c.type_ == kind && c.status == status);
    Condition {
        type_: kind.into(),
        status: status.into(),
        reason: reason.into(),
        message,
        observed_generation: generation,
        last_transition_time: before.map_or_else(
            || Time(jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)),
            |c| c.last_transition_time.clone(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_written_and_read_as_that_of_kubernetes() {
        let time = Time(jiff::Timestamp::UNIX_EPOCH);
        let theirs = v1::Condition {
            type_: READY.to_owned(),
            status: "Maybe".to_owned(),
            reason: "Registered".to_owned(),
            message: "well".to_owned(),
            observed_generation: Some(3),
            last_transition_time: time,
        };
        for generation in [None, Some(3)] {
            let theirs = v1::Condition {
                observed_generation: generation,
                ..theirs.clone()
            };
            let json = serde_json::to_string(&theirs).unwrap();
            let ours: Condition = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&ours).unwrap(), json);
        }
    }
}
