//! What the status of an OAuthClient says after a reconcile.

use std::fmt::Write;

use clientele_api::condition::{
    Condition, READY, RECONCILING, STALLED, conditions, since_creation,
};
use clientele_api::{
    ClientType, OAuthClient, OAuthClientStatus, SecretGeneration, SecretRef, ServiceBindingRef,
};
use clientele_oauth::Client;
use clientele_oauth::client::secret_rotation::Step;
use jiff::Timestamp;
use kube::{Resource, ResourceExt};

use super::advice::advice;
use super::last_use::LastUse;
use super::rotation::{self, RotationStep};
use super::secret::entries::is_bindable;
use crate::domain::advice::advisory;
use crate::domain::client::identity::ClientObject;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::lifetimes::shortened;

/// The credentials Secret as it now is.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// When its present generation was written.
    pub at: Option<Timestamp>,
}

/// The status that the object shall have. Equal to the one it has when nothing moved.
pub fn status(
    object: &ClientObject<'_>,
    registered: Option<(&Client, &str)>,
    published: Option<Published>,
    verdict: &Result<(), Refusal>,
    turn: &RotationStep,
    now: Timestamp,
) -> OAuthClientStatus {
    let mut previous = object.status.clone().unwrap_or_default();
    let created = object.meta().creation_timestamp.as_ref();
    since_creation(&mut previous.conditions, created);
    let generation_now = object.meta().generation;
    let generation = generation(object, published.as_ref(), turn, now);
    let mut conditions = verdict_conditions(
        &previous.conditions,
        verdict,
        || registered_message(object, registered, generation.as_ref()),
        generation_now,
        now,
    );
    if verdict.is_ok() {
        let (advised, known) = (advice(object), &previous.conditions);
        conditions.extend(advisory(&advised, known, generation_now, now));
    }
    let used = registered.and_then(|(client, _)| client.uses.days().last());
    let last_use = LastUse::new(&LastUse::of(&previous), used, verdict.is_ok(), now);
    let mut status = OAuthClientStatus {
        observed_generation: generation_now,
        conditions,
        last_used_at: last_use.last_used_at,
        unused_since: last_use.unused_since,
        rotation: rotation::rotation_status(object, generation.as_ref(), turn),
        secret_generation: generation,
        ..previous
    };
    if let Some((client, issuer)) = registered {
        status.client_id = Some(client.id.to_string());
        status.issuer = Some(issuer.to_owned());
    }
    if !is_bindable(object) {
        status.binding = None;
    }
    if let Some(published) = published {
        if is_bindable(object) {
            let name = published.name.clone();
            status.binding = Some(ServiceBindingRef { name });
        }
        status.secret_name = Some(published.name);
        status.secret_uid = Some(published.uid);
    }
    status
}

/// Whether the status says that this version of the object is ready.
pub fn is_ready(object: &OAuthClient) -> bool {
    let ready = |condition: &Condition| condition.type_ == READY && condition.status == "True";
    object.status.as_ref().is_some_and(|status| {
        status.observed_generation == object.meta().generation
            && status.conditions.iter().any(ready)
    })
}

/// The status without a word of what its conditions would say: they stay, and so does the generation that they are about.
pub fn withheld(object: &OAuthClient, wanted: OAuthClientStatus) -> OAuthClientStatus {
    let said = object.status.clone().unwrap_or_default();
    OAuthClientStatus {
        observed_generation: said.observed_generation,
        conditions: said.conditions,
        ..wanted
    }
}

/// The ledger: after the next generation was asked for, or after the Secret was seen to hold the one that was.
fn generation(
    object: &ClientObject<'_>,
    published: Option<&Published>,
    turn: &RotationStep,
    now: Timestamp,
) -> Option<SecretGeneration> {
    if matches!(turn.step, Step::Ask(_)) {
        return Some(rotation::asked(object, turn));
    }
    match published {
        Some(published) if derives(object) => {
            Some(rotation::published(object, turn, published.at, now))
        }
        _ => object.status.as_ref()?.secret_generation.clone(),
    }
}

/// Whether the client secret is one that we derive.
fn derives(object: &OAuthClient) -> bool {
    object.spec.type_ == ClientType::Confidential && object.spec.secret_ref.is_none()
}

/// The three conditions that a verdict makes.
pub fn verdict_conditions(
    previous: &[Condition],
    verdict: &Result<(), Refusal>,
    message: impl FnOnce() -> String,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let (ready, reconciling, stalled) = match verdict {
        Ok(()) => ("True", "False", "False"),
        Err(refusal) if refusal.reason.passes_by_itself() => ("False", "True", "False"),
        Err(_) => ("False", "False", "True"),
    };
    let (reason, message) = match verdict {
        Ok(()) => (Reason::Registered, message()),
        Err(refusal) => (refusal.reason, refusal.message.clone()),
    };
    let states = [
        (READY, ready),
        (RECONCILING, reconciling),
        (STALLED, stalled),
    ];
    let reason = reason.as_str();
    conditions(previous, states, reason, &message, generation, now)
}

fn registered_message(
    object: &ClientObject<'_>,
    registered: Option<(&Client, &str)>,
    generation: Option<&SecretGeneration>,
) -> String {
    let name = &object.secret_name;
    let id = registered.map_or_else(
        || object.client_id.to_string(),
        |(client, _)| client.id.to_string(),
    );
    let namespace = object.namespace().unwrap_or_default();
    let mut message = match object.spec.secret_ref.as_deref() {
        None => {
            format!("client {id} is registered; its credentials are in Secret {namespace}/{name}")
        }
        Some(SecretRef {
            name: brought, key, ..
        }) => format!(
            "client {id} is registered with the client secret in entry {key:?} of Secret {namespace}/{brought}; its ID and endpoints are in Secret {namespace}/{name}"
        ),
    };
    // The ledger outlives the secret: a Public client has generations, and none of them works.
    let has_secret = registered.is_none_or(|(client, _)| client.holds_secret());
    if let Some(clause) = rotation::progress(object, generation).filter(|_| has_secret) {
        let _ = write!(message, "; {clause}");
    }
    let Some((client, _)) = registered else {
        return message;
    };
    let seconds = |duration: std::time::Duration| duration.as_secs();
    for cut in shortened(object.spec.lifetimes.as_deref(), &client.lifetimes) {
        let (granted, asked) = (seconds(cut.granted), seconds(cut.asked));
        let _ = write!(
            message,
            "; its {} live {granted}s, the tenant's maximum, and not {asked}s",
            cut.what
        );
    }
    message
}

#[cfg(test)]
mod tests;
