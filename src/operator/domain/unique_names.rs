//! Names that only one may have: the first to claim one has it, stable over restarts and list order.
//!
//! In a tenant a client ID, a subject or a username that is brought has one holder. In the whole installation a value is
//! a client ID, a subject or an audience, and never two of them ([`super::names`]): the first to claim it decides which,
//! and then tenants may have it side by side. What is derived needs no claim, because nothing that is brought may have
//! its form.

mod index;

use std::collections::HashMap;

use clientele_api::condition::{Condition, READY};
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::uri::name_key;
use kube::{Resource, ResourceExt};

use super::reason::Reason;

pub use index::{NameIndex, Wish};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    ClientId,
    Subject,
    Audience,
    Username,
}

/// How certain it is that a claim was honored before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Precedence {
    /// The status says so.
    Given,
    /// No status says which audiences a tenant has. An audience takes nothing from a holder of a name, and who was
    /// given none yet takes nothing from an audience.
    Declared,
    /// Nothing is known of it.
    New,
}

/// The claim of an object to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameReservation {
    /// The tenant.
    tenant: String,
    kind: Kind,
    /// What is equal for names that count as one.
    name: String,
    /// Who claims it: the UID.
    uid: String,
    /// Who claims it, for people.
    by: String,
    precedence: Precedence,
    created: Option<jiff::Timestamp>,
    /// Whether it was refused to this version of the object: a loser is not promoted silently when the holder
    /// goes, it stays refused until a person acts.
    lost: bool,
}

/// A holder of whom nothing is known any more.
const GONE: &str = "an object that has since been deleted or changed";

/// What a claimant is told who came too late. Of a holder that was deleted there is nothing to avoid.
pub fn lost(what: &str, holder: &str, remedy: &str) -> String {
    if holder == GONE {
        return format!(
            "{what} was claimed first, by {GONE}, and is not transferred automatically; edit the spec of this object to claim it again"
        );
    }
    format!("{what} belongs to {holder}, which claimed it first; {remedy}")
}

/// The holder of each name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NameReservations {
    /// By tenant, kind and name.
    holders: HashMap<(String, Kind, String), Holder>,
    /// What a name stands for in the installation, and who decided it.
    kinds: HashMap<String, (Kind, Holder)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Holder {
    uid: String,
    by: String,
}

impl NameReservations {
    /// Decides all claims.
    pub fn decide(claims: impl Iterator<Item = NameReservation>) -> Self {
        let mut claims: Vec<NameReservation> = claims.filter(|claim| !claim.lost).collect();
        claims.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut decided = Self::default();
        for claim in claims {
            let holder = Holder {
                uid: claim.uid,
                by: claim.by,
            };
            let first = decided.kinds.entry(claim.name.clone());
            let (kind, _) = first.or_insert_with(|| (claim.kind, holder.clone()));
            if *kind == claim.kind {
                let name = (claim.tenant, claim.kind, claim.name);
                decided.holders.entry(name).or_insert(holder);
            }
        }
        decided
    }

    /// The kind, namespace and name of the holder of this name, if it is not the claimant itself.
    pub fn other_holder(&self, claim: &NameReservation) -> Option<&str> {
        let name = (claim.tenant.clone(), claim.kind, claim.name.clone());
        match (self.holders.get(&name), self.kinds.get(&claim.name)) {
            (Some(holder), _) if holder.uid == claim.uid => None,
            (Some(holder), _) => Some(&holder.by),
            (None, Some((kind, holder))) if *kind != claim.kind => Some(&holder.by),
            (None, _) => Some(GONE),
        }
    }
}

impl NameReservation {
    /// The claim to a client ID that a client brings.
    pub fn of_client_id(object: &OAuthClient) -> Option<Self> {
        let status = object.status.as_ref();
        Some(Self {
            tenant: object.spec.tenant.clone(),
            kind: Kind::ClientId,
            name: name_key(object.spec.client_id.as_deref()?),
            precedence: Precedence::of(
                status.is_some_and(|status| status.client_id == object.spec.client_id),
            ),
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
            kind: Kind::Subject,
            name: name_key(object.spec.subject.as_deref()?),
            precedence: Precedence::of(
                status.is_some_and(|status| status.subject == object.spec.subject),
            ),
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
            precedence: Precedence::of(given == Some(object.spec.username.as_str())),
            lost: status.is_some_and(|status| {
                was_refused(object, &status.conditions, Reason::UsernameConflict)
            }),
            ..Self::of(object)
        }
    }

    /// The claims to the audiences that a tenant declares, each with its URI.
    pub fn of_audiences(object: &OAuthTenant) -> impl Iterator<Item = (&str, Self)> {
        let audiences = object.spec.audiences.iter();
        audiences.map(|audience| {
            let claim = Self {
                tenant: object.name_any(),
                kind: Kind::Audience,
                name: name_key(&audience.uri),
                precedence: Precedence::Declared,
                ..Self::of(object)
            };
            (&*audience.uri, claim)
        })
    }

    fn of<K: Resource<DynamicType = ()>>(object: &K) -> Self {
        let place = object.namespace().map(|namespace| format!("{namespace}/"));
        let place = place.unwrap_or_default();
        Self {
            tenant: String::new(),
            kind: Kind::Username,
            name: String::new(),
            uid: object.uid().unwrap_or_default(),
            by: format!("{} {place}{}", K::kind(&()), object.name_any()),
            precedence: Precedence::New,
            created: object.meta().creation_timestamp.as_ref().map(|time| time.0),
            lost: false,
        }
    }

    /// Who was given the name already comes first, then who came first, then a fixed order.
    fn order(&self) -> (Precedence, Option<jiff::Timestamp>, &str) {
        (self.precedence, self.created, &self.uid)
    }
}

impl Precedence {
    fn of(is_given: bool) -> Self {
        if is_given { Self::Given } else { Self::New }
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
