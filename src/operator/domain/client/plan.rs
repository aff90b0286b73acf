//! What to do for one OAuthClient: pure and infallible. Whatever a person can write ends in a plan.
//!
//! The order of writes is fixed: the Secret, then the Secret of a former name, then the status. The server
//! accepts the credential before any of them, because the registry was replaced before this plan was made.

use clientele_api::condition::READY;
use clientele_oauth::client::secret_rotation::Observed;
use clientele_oauth::{Client, Keyring};
use jiff::Timestamp;
use kube::ResourceExt;

use super::rotation::{RotationStep, turn};
use super::secret::DesiredSecret;
use super::secret::digest::{DigestKey, SecretDigest};
use crate::domain::client::identity::ClientObject;
use crate::domain::reason::{Reason, Refusal};

/// Everything a plan depends on.
pub struct Situation<'a> {
    /// What was written.
    pub object: &'a ClientObject<'a>,
    /// What the registry says about it.
    pub client: Result<&'a Client, &'a Refusal>,
    /// The issuer of its tenant.
    pub issuer: &'a str,
    /// Why the tenant cannot issue tokens, if it cannot.
    pub tenant_problem: Option<&'a Refusal>,
    /// The root keys, or why nothing may be derived now.
    pub keyring: Result<&'a Keyring, &'a str>,
    /// Why Secrets of the namespace are out of reach, if they are.
    pub namespace_problem: Option<&'a str>,
    /// The credentials Secret.
    pub secret: Option<&'a SecretDigest>,
    /// The name of the other OAuthClient that the credentials Secret belongs to, if it does.
    pub secret_owner: Option<&'a str>,
    /// Secrets of other names that may be of this client.
    pub former: &'a [(String, SecretDigest)],
    /// The key of the digests in the facts.
    pub digests: &'a DigestKey,
    /// What is known of the use of its secret.
    pub observed: Option<Observed>,
    /// The time.
    pub now: Timestamp,
}

/// What to do about the credentials Secret.
pub enum SecretStep {
    /// It is right, or must not be touched.
    Keep,
    /// Create it; no other owner may have it.
    Create(Box<DesiredSecret>),
    /// Put it right.
    Repair(Box<DesiredSecret>),
}

/// The plan.
pub struct Plan {
    /// First: the credentials Secret.
    pub secret: SecretStep,
    /// Then: Secrets of former names go, if they are ours. Name and UID of each.
    pub remove: Vec<(String, String)>,
    /// Then: what the status says.
    pub verdict: Result<(), Refusal>,
    /// What is due of a rotation. If the next generation is to be asked for, that is written alone; the rest follows
    /// in the pass after it.
    pub turn: RotationStep,
    /// Nothing is written at all, and what the status said before stays said.
    pub leave: bool,
}

impl Plan {
    fn refuse(refusal: Refusal) -> Self {
        Self {
            secret: SecretStep::Keep,
            remove: Vec::new(),
            verdict: Err(refusal),
            turn: RotationStep::default(),
            leave: false,
        }
    }
}

/// Decides.
pub fn plan(now: &Situation<'_>) -> Plan {
    let client = match now.client {
        Ok(client) => client,
        Err(refusal) => return Plan::refuse(refusal.clone()),
    };
    let keyring = match now.keyring {
        Ok(keyring) => keyring,
        Err(problem) => {
            // It verifies from memory, so a client goes on as long as its Secret is where it was.
            let leave = is_settled(now) && is_where_it_was(now);
            let refusal = Refusal::new(Reason::RootKeyUnavailable, problem);
            return Plan {
                leave,
                ..Plan::refuse(refusal)
            };
        }
    };
    if let Some(problem) = now.namespace_problem {
        // Where the Secret is cannot be seen; an API server that has just started refuses everybody.
        let leave = is_settled(now);
        let refusal = Refusal::new(Reason::NamespaceNotEnabled, problem);
        return Plan {
            leave,
            ..Plan::refuse(refusal)
        };
    }
    let turn = turn(
        now.object,
        client,
        now.secret,
        keyring,
        now.observed,
        now.now,
    );
    // A generation stays with the root key that made it.
    let own = turn.root_key.as_deref().and_then(|id| keyring.under(id));
    let deriving = own.as_ref().unwrap_or(keyring);
    let desired = DesiredSecret::new(now.object, client, now.issuer, deriving);
    match secret_step(now, client, keyring, desired) {
        Ok(secret) => Plan {
            secret,
            remove: former_of_ours(now, client, keyring),
            verdict: verdict(now),
            turn,
            leave: false,
        },
        Err(refusal) => Plan::refuse(refusal),
    }
}

/// Whether the object was given its Secret in this generation. What keeps us from writing changes nothing of
/// that: the credentials go on, and when the problem is over everything is as it was before.
fn is_settled(now: &Situation<'_>) -> bool {
    let Some(status) = &now.object.status else {
        return false;
    };
    let passing = [Reason::RootKeyUnavailable, Reason::NamespaceNotEnabled].map(Reason::as_str);
    let refused_before = status
        .conditions
        .iter()
        .any(|condition| condition.type_ == READY && passing.contains(&&*condition.reason));
    status.observed_generation == now.object.metadata.generation
        && status.secret_uid.is_some()
        && !refused_before
}

fn is_where_it_was(now: &Situation<'_>) -> bool {
    let recorded = now
        .object
        .status
        .as_ref()
        .and_then(|status| status.secret_uid.as_deref());
    matches!((now.secret, recorded), (Some(facts), Some(uid)) if facts.uid == *uid)
}

fn secret_step(
    now: &Situation<'_>,
    client: &Client,
    keyring: &Keyring,
    desired: DesiredSecret,
) -> Result<SecretStep, Refusal> {
    let Some(facts) = now.secret else {
        return Ok(SecretStep::Create(Box::new(desired)));
    };
    let known = now
        .object
        .status
        .as_ref()
        .and_then(|status| status.secret_uid.as_deref());
    if !facts.is_ours(
        known,
        keyring,
        &desired.namespace,
        &desired.name,
        &client.uid,
    ) {
        return Err(not_owned(now, facts));
    }
    if facts.fulfil(&desired, now.digests) {
        return Ok(SecretStep::Keep);
    }
    if !facts.has_type(&desired, now.digests) {
        return Err(Refusal::new(
            Reason::SecretRefused,
            format!(
                "the type of Secret {:?} is not {:?}, and the type of a Secret cannot change; delete the Secret, and the operator writes it again with the same credentials",
                desired.name, desired.type_
            ),
        ));
    }
    Ok(SecretStep::Repair(Box::new(desired)))
}

/// What another client needs is not to be deleted, so its refusal has no command.
fn not_owned(now: &Situation<'_>, facts: &SecretDigest) -> Refusal {
    let object = now.object;
    let (name, namespace) = (&object.secret_name, object.namespace);
    if let Some(owner) = now.secret_owner {
        return Refusal::new(
            Reason::SecretNotOwned,
            format!(
                "Secret {name:?} belongs to OAuthClient {owner:?}; it was not touched. Set spec.secret.name of this OAuthClient to a free name"
            ),
        );
    }
    let whose = if facts.says_it_is_of(object.name, now.digests) {
        "was written for another OAuthClient of this name, one that was deleted, restored from a backup or copied from another cluster; its credentials are refused here, and it"
    } else {
        "belongs to another owner; it"
    };
    Refusal::new(
        Reason::SecretNotOwned,
        format!(
            "Secret {name:?} exists and {whose} was not touched. Set spec.secret.name to a free name, or delete that Secret with `kubectl -n {namespace} delete secret {name}` if it is not needed"
        ),
    )
}

/// A name in the status or a label proves nothing: only a Secret that carries our proof is removed.
fn former_of_ours(
    now: &Situation<'_>,
    client: &Client,
    keyring: &Keyring,
) -> Vec<(String, String)> {
    let namespace = now.object.namespace().unwrap_or_default();
    let id = &client.uid;
    let ours = now
        .former
        .iter()
        .filter(|(name, facts)| facts.is_ours(None, keyring, &namespace, name, id));
    ours.map(|(name, facts)| (name.clone(), facts.uid.to_string()))
        .collect()
}

fn verdict(now: &Situation<'_>) -> Result<(), Refusal> {
    if now.object.spec.suspended {
        return Err(Refusal::new(
            Reason::Suspended,
            "every request of this client is refused, because spec.suspended is true; its credentials are kept and work again when it is set to false",
        ));
    }
    match now.tenant_problem {
        Some(problem) => Err(problem.clone()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
