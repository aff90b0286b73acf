//! Names that only one may have in a tenant: the first to claim one has it, stable over restarts and list order.
//!
//! Client IDs that are brought and subjects that are brought are one kind of name: nobody may be taken for somebody
//! else. Usernames are another.

use std::collections::HashMap;

use clientele_api::condition::{Condition, READY};
use clientele_api::{OAuthClient, OAuthUser};
use kube::{Resource, ResourceExt};

use super::reason::Reason;

/// Somebody's claim to a name.
#[derive(Clone, Debug)]
pub struct NameReservation {
    /// The tenant.
    tenant: String,
    /// The name that is claimed.
    name: String,
    /// Who claims it: the UID.
    uid: String,
    /// Who claims it, for people.
    by: String,
    /// Whether the status says that it was given already.
    given: bool,
    created: Option<jiff::Timestamp>,
    /// Whether it was refused to this version of the object: a loser is not promoted silently when the holder
    /// goes, it stays refused until a person acts.
    lost: bool,
}

/// A holder of whom nothing is known any more.
const GONE: &str = "somebody that has since been deleted or changed";

/// What a claimant is told who came too late. Of a holder that was deleted there is nothing to avoid.
pub fn lost(what: &str, holder: &str, remedy: &str) -> String {
    if holder == GONE {
        return format!(
            "{what} was claimed first, by {GONE}, and does not pass on by itself; change anything in the spec of this object to claim it anew"
        );
    }
    format!("{what} belongs to {holder}, which claimed it first; {remedy}")
}

/// The holder of each name, by tenant and name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NameReservations(HashMap<(String, String), Holder>);

#[derive(Debug, PartialEq, Eq)]
struct Holder {
    uid: String,
    by: String,
}

impl NameReservations {
    /// Decides all claims.
    pub fn decide(claims: impl Iterator<Item = NameReservation>) -> Self {
        let mut claims: Vec<NameReservation> = claims.filter(|claim| !claim.lost).collect();
        claims.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut holders = HashMap::new();
        for claim in claims {
            holders.entry((claim.tenant, claim.name)).or_insert(Holder {
                uid: claim.uid,
                by: claim.by,
            });
        }
        Self(holders)
    }

    /// The kind, namespace and name of the holder of this name, if it is not the claimant itself.
    pub fn other_holder(&self, claim: &NameReservation) -> Option<&str> {
        match self.0.get(&(claim.tenant.clone(), claim.name.clone())) {
            Some(holder) if holder.uid == claim.uid => None,
            Some(holder) => Some(&holder.by),
            None => Some(GONE),
        }
    }
}

impl NameReservation {
    /// The claim to a client ID that a client brings.
    pub fn of_client_id(object: &OAuthClient) -> Option<Self> {
        let status = object.status.as_ref();
        Some(Self {
            tenant: object.spec.tenant.clone(),
            name: object.spec.client_id.clone()?,
            given: status.is_some_and(|status| status.client_id == object.spec.client_id),
            lost: status.is_some_and(|status| {
                was_refused(object, &status.conditions, Reason::ClientIdConflict)
            }),
            ..Self::of(object)
        })
    }

    /// The claim to a subject that a person brings.
    pub fn of_subject(object: &OAuthUser) -> Option<Self> {
        let status = object.status.as_ref();
        Some(Self {
            tenant: object.spec.tenant.clone(),
            name: object.spec.subject.clone()?,
            given: status.is_some_and(|status| status.subject == object.spec.subject),
            lost: status.is_some_and(|status| {
                was_refused(object, &status.conditions, Reason::SubjectConflict)
            }),
            ..Self::of(object)
        })
    }

    /// The claim to a username.
    pub fn of_username(object: &OAuthUser) -> Self {
        let status = object.status.as_ref();
        let given = status.and_then(|status| status.username.as_deref());
        Self {
            tenant: object.spec.tenant.clone(),
            name: object.spec.username.clone(),
            given: given == Some(object.spec.username.as_str()),
            lost: status.is_some_and(|status| {
                was_refused(object, &status.conditions, Reason::UsernameConflict)
            }),
            ..Self::of(object)
        }
    }

    fn of<K: Resource<DynamicType = ()>>(object: &K) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        Self {
            tenant: String::new(),
            name: String::new(),
            uid: object.uid().unwrap_or_default(),
            by: format!("{} {namespace}/{}", K::kind(&()), object.name_any()),
            given: false,
            created: object.meta().creation_timestamp.as_ref().map(|time| time.0),
            lost: false,
        }
    }

    /// Who was given the name already comes first, then who came first, then a fixed order.
    fn order(&self) -> (bool, Option<jiff::Timestamp>, &str) {
        (!self.given, self.created, &self.uid)
    }
}

fn was_refused<K: Resource>(object: &K, conditions: &[Condition], reason: Reason) -> bool {
    let generation = object.meta().generation;
    conditions.iter().any(|condition| {
        condition.type_ == READY
            && condition.reason == reason.as_str()
            && condition.observed_generation == generation
    })
}

#[cfg(test)]
mod tests;
