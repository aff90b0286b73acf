//! The conditions of every kind, in the sense of kstatus.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
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

/// The condition of an object with a field that is accepted, and has no effect or not the one that was probably meant. The
/// object works; the reason and the message say which field, and what to write.
pub const ADVISORY: &str = "Advisory";

/// The message of Reconciling=False while Ready is True.
pub const NOTHING_LEFT: &str = "the operator has nothing left to do for this version of the object";
/// The message of Reconciling=False while Ready is not True.
pub const WAITS_FOR_A_CHANGE: &str =
    "the operator waits for a change that the condition Stalled describes";
/// The message of Stalled=False while Ready is True.
pub const NO_ACTION: &str = "no action is needed";
/// The message of Stalled=False while Ready is not True.
pub const NO_ACTION_YET: &str =
    "no action is needed; the operator continues by itself, as the condition Reconciling describes";

/// `metav1.Condition`, for thousands in memory: of the words that all have there is one copy, and the message can be
/// shared with the other conditions of the same object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// When the status last changed.
    pub last_transition_time: Time,
    /// For people.
    #[serde(default)]
    pub message: Message,
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

/// The sentences that nearly all objects have.
const SENTENCES: [&str; 4] = [NOTHING_LEFT, WAITS_FOR_A_CHANGE, NO_ACTION, NO_ACTION_YET];

/// The message of a condition. A sentence that nearly all objects have takes no memory of its own.
#[derive(Clone)]
pub enum Message {
    /// One of these sentences.
    Common(&'static str),
    /// Any other text.
    Own(Arc<str>),
}

impl Deref for Message {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Common(text) => text,
            Self::Own(text) => text,
        }
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        let common = SENTENCES.into_iter().find(|sentence| *sentence == text);
        common.map_or_else(|| Self::Own(text.into()), Self::Common)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::from(&*text)
    }
}

impl Default for Message {
    fn default() -> Self {
        Self::Common("")
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Message {}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        Ok(text.unwrap_or_default().into())
    }
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

/// The conditions of a status, each with the time at which it last changed. Reconciling and Stalled have a message of
/// their own while they are False.
pub fn conditions<const N: usize>(
    previous: &[Condition],
    states: [(&'static str, &'static str); N],
    reason: &'static str,
    message: &str,
    generation: Option<i64>,
    now: jiff::Timestamp,
) -> Vec<Condition> {
    let message: Message = message.into();
    let ready = states.contains(&(READY, "True"));
    states
        .into_iter()
        .map(|state| {
            let message =
                own_message(state, ready).map_or_else(|| message.clone(), Message::Common);
            condition(previous, state, reason, message, generation, now)
        })
        .collect()
}

/// What a condition says that does not hold; `None` for one whose message is that of Ready.
fn own_message((kind, status): (&str, &str), ready: bool) -> Option<&'static str> {
    match (kind, status, ready) {
        (RECONCILING, "False", true) => Some(NOTHING_LEFT),
        (RECONCILING, "False", false) => Some(WAITS_FOR_A_CHANGE),
        (STALLED, "False", true) => Some(NO_ACTION),
        (STALLED, "False", false) => Some(NO_ACTION_YET),
        _ => None,
    }
}

/// Gives the conditions that an object has had since its creation the time of that: the API server sets them by the
/// default of the definition, which cannot hold a time that is true.
pub fn since_creation(conditions: &mut [Condition], created: Option<&Time>) {
    let Some(created) = created else { return };
    for condition in conditions {
        if condition.last_transition_time.0 == jiff::Timestamp::UNIX_EPOCH {
            condition.last_transition_time = created.clone();
        }
    }
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
    message: Message,
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
        last_transition_time: before
            .map_or_else(|| in_whole_seconds(now), |c| c.last_transition_time.clone()),
    }
}

/// A time as the API server keeps it: what is written with a fraction differs from what is read, and would be written again.
pub fn in_whole_seconds(time: jiff::Timestamp) -> Time {
    Time(jiff::Timestamp::from_second(time.as_second()).unwrap_or(time))
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

    #[test]
    fn what_does_not_hold_says_what_that_means() {
        let now = jiff::Timestamp::from_second(7).unwrap();
        for (states, said) in [
            (["True", "False", "False"], ["why", NOTHING_LEFT, NO_ACTION]),
            (["False", "True", "False"], ["why", "why", NO_ACTION_YET]),
            (
                ["False", "False", "True"],
                ["why", WAITS_FOR_A_CHANGE, "why"],
            ),
        ] {
            let [ready, reconciling, stalled] = states;
            let states = [
                (READY, ready),
                (RECONCILING, reconciling),
                (STALLED, stalled),
            ];
            let conditions = conditions(&[], states, "Some", "why", None, now);
            let messages: Vec<&str> = conditions.iter().map(|c| &*c.message).collect();
            assert_eq!(messages, said);
        }
        let other = conditions(&[], [("Other", "False")], "Some", "why", None, now);
        assert_eq!(&*other[0].message, "why");
    }

    #[test]
    fn a_sentence_that_all_have_takes_no_memory() {
        let of = |text: &str| serde_json::from_value::<Message>(json!(text)).unwrap();
        for sentence in SENTENCES {
            assert!(matches!(of(sentence), Message::Common(_)), "{sentence}");
        }
        assert!(matches!(of("another"), Message::Own(_)));
    }

    #[test]
    fn the_time_of_the_default_becomes_that_of_the_creation() {
        let pending = pending_status()["conditions"].clone();
        let mut conditions: Vec<Condition> = serde_json::from_value(pending).unwrap();
        let created = Time(jiff::Timestamp::from_second(5).unwrap());
        let later = Time(jiff::Timestamp::from_second(9).unwrap());
        since_creation(&mut conditions, None);
        since_creation(&mut conditions, Some(&created));
        since_creation(&mut conditions, Some(&later));
        assert!(conditions.iter().all(|c| c.last_transition_time == created));
    }
}
