//! What the status of an OAuthClient says after a pass.

use std::fmt::Write;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{Resource, ResourceExt};

use super::lifetimes::shortened;
use super::reason::{Reason, Refusal};
use super::register::{client_id, ledger};
use super::secret_shape::is_bindable;
use crate::api::condition::{READY, RECONCILING, STALLED, conditions};
use crate::api::{
    ClientType, OAuthClient, OAuthClientStatus, SecretGeneration, SecretRef, ServiceBindingRef,
};
use crate::oauth::Client;

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
    object: &OAuthClient,
    registered: Option<(&Client, &str)>,
    published: Option<Published>,
    verdict: &Result<(), Refusal>,
    now: Timestamp,
) -> OAuthClientStatus {
    let previous = object.status.clone().unwrap_or_default();
    let generation_now = object.meta().generation;
    let conditions = verdict_conditions(
        &previous.conditions,
        verdict,
        || registered_message(object, registered),
        generation_now,
        now,
    );
    let mut status = OAuthClientStatus {
        observed_generation: generation_now,
        conditions,
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
        status.secret_generation = generation(object, &status, &published);
        if is_bindable(object) {
            let name = published.name.clone();
            status.binding = Some(ServiceBindingRef { name });
        }
        status.secret_name = Some(published.name);
        status.secret_uid = Some(published.uid);
    }
    status
}

/// The ledger after the Secret was seen to hold the generation that was asked for.
fn generation(
    object: &OAuthClient,
    status: &OAuthClientStatus,
    published: &Published,
) -> Option<SecretGeneration> {
    if object.spec.type_ == ClientType::Public || object.spec.secret_ref.is_some() {
        return status.secret_generation.clone();
    }
    let before = ledger(object);
    let after = before.found(before.requested);
    let since = status
        .secret_generation
        .as_ref()
        .and_then(|generation| generation.published_at.clone());
    Some(SecretGeneration {
        requested: i64::from(after.requested),
        published: i64::from(after.published),
        oldest_accepted: i64::from(after.oldest_accepted),
        published_at: if after == before {
            since
        } else {
            published.at.map(Time)
        },
    })
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

fn registered_message(object: &OAuthClient, registered: Option<(&Client, &str)>) -> String {
    let name = super::credentials_secret::name_of(object);
    let id = registered.map_or_else(|| client_id(object), |(client, _)| client.id.to_string());
    let namespace = object.namespace().unwrap_or_default();
    let mut message = match &object.spec.secret_ref {
        None => {
            format!("client {id} is registered; its credentials are in Secret {namespace}/{name}")
        }
        Some(SecretRef {
            name: brought, key, ..
        }) => format!(
            "client {id} is registered with the client secret in entry {key:?} of Secret {namespace}/{brought}; its ID and endpoints are in Secret {namespace}/{name}"
        ),
    };
    let Some((client, _)) = registered else {
        return message;
    };
    let seconds = |duration: std::time::Duration| duration.as_secs();
    for cut in shortened(object.spec.lifetimes.as_ref(), &client.lifetimes) {
        let (granted, asked) = (seconds(cut.granted), seconds(cut.asked));
        let _ = write!(
            message,
            "; its {} live {granted}s, the tenant's maximum, and not {asked}s",
            cut.what
        );
    }
    message
}
