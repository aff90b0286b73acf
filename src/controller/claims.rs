//! Who has a custom client ID: the first to claim it, stable over restarts and list order.

use std::collections::HashMap;
use std::sync::Arc;

use kube::{Resource, ResourceExt};

use super::reason::Reason;
use crate::api::OAuthClient;
use crate::api::condition::READY;

/// The holder of each custom client ID, by tenant and ID.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Claims(HashMap<(String, String), Holder>);

#[derive(Debug, PartialEq, Eq)]
struct Holder {
    uid: String,
    name: String,
}

impl Claims {
    /// Decides all claims over the objects that exist.
    pub fn new<'a>(objects: impl Iterator<Item = &'a Arc<OAuthClient>>) -> Self {
        let mut claimants: Vec<&Arc<OAuthClient>> = objects
            .filter(|object| object.spec.client_id.is_some() && !was_refused(object))
            .collect();
        claimants.sort_by_cached_key(|object| order(object));
        let mut claims = HashMap::new();
        for object in claimants {
            let id = object.spec.client_id.clone().unwrap_or_default();
            claims
                .entry((object.spec.tenant.clone(), id))
                .or_insert_with(|| Holder {
                    uid: object.uid().unwrap_or_default(),
                    name: format!(
                        "{}/{}",
                        object.namespace().unwrap_or_default(),
                        object.name_any()
                    ),
                });
        }
        Self(claims)
    }

    /// `namespace/name` of the holder of this object's ID, if it is not the object itself.
    pub fn other_holder(&self, object: &OAuthClient) -> Option<&str> {
        let id = object.spec.client_id.clone()?;
        match self.0.get(&(object.spec.tenant.clone(), id)) {
            Some(holder) if Some(&holder.uid) == object.meta().uid.as_ref() => None,
            Some(holder) => Some(&holder.name),
            None => Some("that has since been deleted or changed"),
        }
    }
}

/// A loser is not promoted silently when the holder goes: it stays refused until a person acts.
fn was_refused(object: &OAuthClient) -> bool {
    let generation = object.meta().generation;
    object.status.as_ref().is_some_and(|status| {
        status.conditions.iter().any(|condition| {
            condition.type_ == READY
                && condition.reason == Reason::ClientIdConflict.as_str()
                && condition.observed_generation == generation
        })
    })
}

/// Who was given the ID already comes first, then who came first, then a fixed order.
fn order(object: &OAuthClient) -> (bool, Option<jiff::Timestamp>, String) {
    let given = object
        .status
        .as_ref()
        .is_some_and(|status| status.client_id == object.spec.client_id);
    let created = object.meta().creation_timestamp.as_ref().map(|time| time.0);
    (!given, created, object.uid().unwrap_or_default())
}
