//! The conditions of every kind, in the sense of kstatus.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// The condition that says whether the object works.
pub const READY: &str = "Ready";
/// The condition that says whether the operator is still at work on the object.
pub const RECONCILING: &str = "Reconciling";
/// The condition that says whether a person must act.
pub const STALLED: &str = "Stalled";

/// The schema of `status.conditions`: bounded, and a map by type.
pub fn conditions_schema(generator: &mut SchemaGenerator) -> Schema {
    let item = <Condition as schemars::JsonSchema>::json_schema(generator);
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
    states: [(&str, &str); 3],
    reason: &str,
    message: &str,
    generation: Option<i64>,
    now: jiff::Timestamp,
) -> Vec<Condition> {
    states
        .into_iter()
        .map(|(kind, status)| {
            let before = previous
                .iter()
                .find(|c| c.type_ == kind && c.status == status);
            Condition {
                type_: kind.to_owned(),
                status: status.to_owned(),
                reason: reason.to_owned(),
                message: message.to_owned(),
                observed_generation: generation,
                last_transition_time: before.map_or_else(
                    || Time(jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)),
                    |c| c.last_transition_time.clone(),
                ),
            }
        })
        .collect()
}
