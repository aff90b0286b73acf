//! The status of an OAuthClient as it is kept: what others have as well is shared with them, and what follows from the name
//! of the object is not kept.

use std::sync::Arc;

use clientele_api::condition::{Condition, Message};
use clientele_api::{
    OAuthClientStatus, OverlapStatus, RotationStatus, SecretGeneration, ServiceBindingRef,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Head;
use super::words::{State, Words};
use crate::domain::client::identity::{usual_client_id, usual_secret_name};
use crate::domain::client::last_use::LastUse;
use crate::domain::uid::Uid;

/// A status.
#[derive(Debug)]
pub(super) struct PackedStatus {
    observed_generation: Option<i64>,
    client_id: Name,
    issuer: Option<Arc<str>>,
    secret_name: Name,
    pub(super) secret_uid: Option<Uid>,
    pub(super) generation: Option<Box<PackedGeneration>>,
    pub(super) rotation: Option<Box<RotationStatus>>,
    pub(super) last_use: LastUse,
    binding: Option<Box<ServiceBindingRef>>,
    conditions: Box<[PackedCondition]>,
}

/// A name that mostly follows from that of the object.
#[derive(Debug)]
enum Name {
    None,
    Usual,
    Other(Box<str>),
}

impl Name {
    fn of(name: Option<String>, usual: &str) -> Self {
        match name {
            None => Self::None,
            Some(name) if name == usual => Self::Usual,
            Some(name) => Self::Other(name.into()),
        }
    }

    fn text(&self, usual: impl FnOnce() -> String) -> Option<String> {
        match self {
            Self::None => None,
            Self::Usual => Some(usual()),
            Self::Other(name) => Some(name.to_string()),
        }
    }
}

/// The ledger of secret generations.
#[derive(Debug)]
pub(super) struct PackedGeneration {
    requested: i64,
    pub(super) published: i64,
    oldest_accepted: i64,
    pub(super) published_at: Option<Time>,
    pub(super) overlap: Option<Box<OverlapStatus>>,
    root_key: Option<Arc<str>>,
    older_root_keys: Box<[Arc<str>]>,
}

/// A condition.
#[derive(Debug)]
struct PackedCondition {
    last_transition_time: Time,
    observed_generation: Option<i64>,
    message: Message,
    state: Arc<State>,
}

impl PackedStatus {
    pub(super) fn pack(status: OAuthClientStatus, name: (&str, &str), words: &mut Words) -> Self {
        // Every field is named, so that a new one is kept before this compiles.
        let OAuthClientStatus {
            observed_generation,
            client_id,
            issuer,
            secret_name,
            secret_uid,
            secret_generation,
            rotation,
            last_used_at,
            unused_since,
            binding,
            conditions,
        } = status;
        let (namespace, name) = name;
        let generation =
            secret_generation.map(|generation| PackedGeneration::pack(generation, words));
        let conditions = conditions.into_iter();
        Self {
            observed_generation,
            client_id: Name::of(client_id, &usual_client_id(namespace, name)),
            issuer: issuer.map(|issuer| words.shared(&issuer)),
            secret_name: Name::of(secret_name, &usual_secret_name(name)),
            secret_uid: secret_uid.as_deref().map(Uid::from),
            generation: generation.map(Box::new),
            rotation,
            last_use: LastUse {
                last_used_at,
                unused_since,
            },
            binding: binding.map(Box::new),
            conditions: conditions
                .map(|condition| PackedCondition::pack(condition, words))
                .collect(),
        }
    }

    pub(super) fn unpack(&self, head: &Head) -> OAuthClientStatus {
        let (namespace, name) = (head.namespace(), head.name());
        let generation = self.generation.as_deref();
        OAuthClientStatus {
            observed_generation: self.observed_generation,
            client_id: self.client_id.text(|| usual_client_id(namespace, name)),
            issuer: self.issuer.as_deref().map(str::to_owned),
            secret_name: self.secret_name.text(|| usual_secret_name(name)),
            secret_uid: self.secret_uid.as_ref().map(Uid::to_string),
            secret_generation: generation.map(PackedGeneration::unpack),
            rotation: self.rotation.clone(),
            last_used_at: self.last_use.last_used_at.clone(),
            unused_since: self.last_use.unused_since.clone(),
            binding: self.binding.as_deref().cloned(),
            conditions: self
                .conditions
                .iter()
                .map(PackedCondition::unpack)
                .collect(),
        }
    }
}

impl PackedGeneration {
    fn pack(generation: SecretGeneration, words: &mut Words) -> Self {
        let SecretGeneration {
            requested,
            published,
            oldest_accepted,
            published_at,
            overlap,
            root_key,
            older_root_keys,
        } = generation;
        let older = older_root_keys.iter();
        Self {
            requested,
            published,
            oldest_accepted,
            published_at,
            overlap,
            root_key: root_key.map(|id| words.shared(&id)),
            older_root_keys: older.map(|id| words.shared(id)).collect(),
        }
    }

    pub(super) fn may_derive_from(&self, root_key: &str) -> bool {
        let ids = || self.root_key.iter().chain(&self.older_root_keys);
        self.root_key.is_none() || ids().any(|id| **id == *root_key)
    }

    fn unpack(&self) -> SecretGeneration {
        let older = self.older_root_keys.iter();
        SecretGeneration {
            requested: self.requested,
            published: self.published,
            oldest_accepted: self.oldest_accepted,
            published_at: self.published_at.clone(),
            overlap: self.overlap.clone(),
            root_key: self.root_key.as_deref().map(str::to_owned),
            older_root_keys: older.map(ToString::to_string).collect(),
        }
    }
}

impl PackedCondition {
    fn pack(condition: Condition, words: &mut Words) -> Self {
        let Condition {
            last_transition_time,
            message,
            observed_generation,
            reason,
            status,
            type_,
        } = condition;
        Self {
            last_transition_time,
            observed_generation,
            message,
            state: words.state(State {
                type_,
                status,
                reason,
            }),
        }
    }

    fn unpack(&self) -> Condition {
        let State {
            type_,
            status,
            reason,
        } = &*self.state;
        Condition {
            last_transition_time: self.last_transition_time.clone(),
            message: self.message.clone(),
            observed_generation: self.observed_generation,
            reason: reason.clone(),
            status: status.clone(),
            type_: type_.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 100,000 clients each byte here is 100 kB, or 300 kB.
    #[test]
    fn a_status_stays_small() {
        let sizes = [
            size_of::<PackedStatus>(),
            size_of::<PackedGeneration>(),
            size_of::<PackedCondition>(),
        ];
        assert_eq!(sizes, [192, 88, 64]);
    }
}
