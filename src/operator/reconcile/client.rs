//! OAuthClient: read → plan → write.

pub mod read;
pub mod write;

use std::sync::Arc;
use std::time::Duration;

use clientele_api::{OAuthClient, OAuthClientStatus};
use clientele_oauth::client::secret_rotation::{Observed, Step};
use jiff::Timestamp;
use kube::Resource;

use super::client::read::{Read, read};
use super::client::write::{Written, write, write_status};
use crate::cache::namespace_access::Access;
use crate::cache::rollout::RolloutStatus;
use crate::domain::client::identity::ClientObject;
use crate::domain::client::last_use::differs_otherwise;
use crate::domain::client::plan::{Plan, Situation, plan};
use crate::domain::client::rotation;
use crate::domain::client::rotation::RotationStep;
use crate::domain::client::status::{Published, is_ready, status, withheld};
use crate::domain::kept::Kept;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::verdict::ClientVerdict;
use crate::error::Error;
use crate::reconcile::Reconciler;
use crate::reconcile::action::Action;
use crate::reconcile::announce::{announce_refusal, announce_rotation};
use crate::root_key;

/// How soon an object without a watch is read again, such as a Secret of another owner.
const LOOK_AGAIN: Duration = Duration::from_secs(20);
/// How soon the use of an old secret is read again.
const HOURLY: Duration = Duration::from_hours(1);

/// Reconciles one object.
pub async fn reconcile(
    kept: Arc<Kept<OAuthClient>>,
    reconciler: Arc<Reconciler>,
) -> Result<Action, Error> {
    let Some(verdict) = reconciler.verdicts.clients.current(&kept) else {
        return Ok(Action::await_change());
    };
    let object = kept.object();
    let object = ClientObject::parse(&object);
    let access = reconciler.cache.credentials.access(object.namespace);
    if is_too_early(&reconciler, &verdict, &access) {
        return Ok(Action::await_change());
    }
    if derives_from_unknown_key(&reconciler, &object, &verdict)
        && root_key::look_again(&reconciler.root_key_reader).await?
    {
        return Ok(Action::await_change());
    }
    let mut found = read(&reconciler, &object, false).await?;
    loop {
        let mut plan = make_plan(&reconciler, &object, &verdict, &access, &found);
        if plan.leave {
            return Ok(Action::await_change());
        }
        wait_for_turn(&reconciler, &object, &mut plan.turn);
        if let Step::Ask(cause) = plan.turn.step {
            reconciler.context.metrics.rotation.begun(cause);
            let outcome = Outcome::of(plan, None);
            return finish(&reconciler, &object, &verdict, outcome).await;
        }
        let outcome = match write(&reconciler, &object, &plan, &found).await? {
            Written::Unknown => {
                found = read(&reconciler, &object, true).await?;
                continue;
            }
            Written::Terminating => return Ok(Action::await_change()),
            Written::Done(published) => Outcome::of(plan, published),
            Written::Refused(refusal) => Outcome::refused(refusal),
        };
        return finish(&reconciler, &object, &verdict, outcome).await;
    }
}

/// Whether something that this needs is not loaded yet. Each part enqueues the object once it is.
fn is_too_early(reconciler: &Reconciler, verdict: &ClientVerdict, access: &Access) -> bool {
    // The default tenant is created at the first start; until then TenantNotFound is not reported.
    if verdict.tenant.is_none() && !reconciler.readiness.progress().bootstrap {
        return true;
    }
    // Another verdict follows in a moment.
    if matches!(&verdict.registered, Err(refusal) if refusal.reason == Reason::SecretPending) {
        return true;
    }
    let root_keys = reconciler.root_keys.load();
    *access == Access::Pending
        || root_keys.is_pending()
        || !root_keys.are_served(&reconciler.registry.load())
}

/// What a reconcile came to, before it is in the status.
struct Outcome {
    verdict: Result<(), Refusal>,
    published: Option<Published>,
    turn: RotationStep,
}

impl Outcome {
    fn of(plan: Plan, published: Option<Published>) -> Self {
        Self {
            verdict: plan.verdict,
            published,
            turn: plan.turn,
        }
    }

    fn refused(refusal: Refusal) -> Self {
        Self {
            verdict: Err(refusal),
            published: None,
            turn: RotationStep::default(),
        }
    }
}

/// Whether the secret comes from a root key that is not known here. It was withdrawn, or another replica has heard
/// earlier of a new one; the API server knows which.
fn derives_from_unknown_key(
    reconciler: &Reconciler,
    object: &OAuthClient,
    verdict: &ClientVerdict,
) -> bool {
    let holds_secret = verdict
        .registered
        .as_ref()
        .is_ok_and(|client| client.holds_secret());
    let root_keys = reconciler.root_keys.load();
    let known = |id| {
        let keyring = root_keys.verifying.as_ref();
        keyring.is_none_or(|keyring| keyring.keys().iter().any(|key| key.id() == id))
    };
    holds_secret && rotation::recorded_key(object).is_some_and(|id| !known(id))
}

/// 2. Plan.
fn make_plan(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    verdict: &ClientVerdict,
    access: &Access,
    found: &Read,
) -> Plan {
    let root_keys = reconciler.root_keys.load();
    let tenant = verdict.tenant.as_ref();
    let owner = secret_owner(reconciler, object, found);
    plan(&Situation {
        object,
        client: verdict.registered.as_deref(),
        issuer: tenant.map_or("", |tenant| &tenant.policy.issuer),
        tenant_problem: tenant.and_then(|tenant| tenant.problem.as_ref()),
        keyring: root_keys.deriving(),
        namespace_problem: match access {
            Access::Denied(sentence) => Some(sentence),
            _ => None,
        },
        secret: found.secret.as_ref(),
        secret_owner: owner.as_deref(),
        former: &found.former,
        digests: &reconciler.cache.digest_key,
        observed: observed(reconciler, object, verdict),
        now: Timestamp::now(),
    })
}

/// The other client of the namespace whose Secret the operator recorded this one to be. Clients are searched only for one
/// that was not recorded as this client's own.
fn secret_owner(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    found: &Read,
) -> Option<String> {
    let uid = &found.secret.as_ref()?.uid;
    let status = object.status.as_ref();
    let recorded = status.and_then(|status| status.secret_uid.as_deref());
    if recorded.is_some_and(|recorded| *uid == *recorded) {
        return None;
    }
    let clients = reconciler.cache.clients.within(Some(object.namespace));
    let owner = clients.iter().find(|client| client.has_secret_uid(uid));
    owner.map(|client| client.name().to_string())
}

/// What is known of the use of its secret.
fn observed(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    verdict: &ClientVerdict,
) -> Option<Observed> {
    let client = verdict.registered.as_deref().ok()?;
    let usage = reconciler.usage.load();
    let published = object.ledger.published;
    usage.as_ref()?.observed(&client.uid, published)
}

/// What can wait begins when its turn has come, so that a thousand that are due do not rotate in one minute.
fn wait_for_turn(reconciler: &Reconciler, object: &ClientObject<'_>, turn: &mut RotationStep) {
    let Step::Ask(cause) = turn.step else { return };
    if !cause.can_wait() {
        return;
    }
    let pace = &reconciler.rotation_throttle;
    let mut pace = pace.lock().expect("no holder of this lock panics");
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    if let Err(at) = pace.admit(uid, Timestamp::now()) {
        turn.step = Step::Rest(Some(at));
    }
}

/// 4. Write the status, if it does not say so yet.
async fn finish(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    verdict: &ClientVerdict,
    outcome: Outcome,
) -> Result<Action, Error> {
    let Outcome {
        verdict: mut outcome,
        published,
        turn,
    } = outcome;
    let reached = match outcome {
        Ok(()) if !is_ready(object) => reconciler.rollout.is_reached(object),
        _ => RolloutStatus::Yes,
    };
    if let RolloutStatus::Late(why) = &reached {
        outcome = Err(Refusal::new(Reason::ReplicasPending, &**why));
    }
    let tenant = verdict.tenant.as_ref();
    let issuer = tenant.map_or("", |tenant| &tenant.policy.issuer);
    let client = verdict.registered.as_deref().ok();
    let registered = client.map(|client| (client, issuer));
    let now = Timestamp::now();
    let mut wanted = status(object, registered, published, &outcome, &turn, now);
    if reached == RolloutStatus::NotYet {
        // A rotation goes on meanwhile; of a client that is new there is nothing else to report.
        if object.ledger.published == 0 {
            return Ok(Action::await_change());
        }
        wanted = withheld(object, wanted);
    }
    if is_to_be_written(reconciler, object, &wanted) {
        write_status(reconciler, (object, verdict), &wanted).await?;
        let known = object.status.iter().flat_map(|status| &status.conditions);
        announce_refusal(reconciler, known, object.object_ref(&()), &outcome);
        announce_rotation(reconciler, object, &wanted, &turn);
    }
    let reason = outcome.map_or_else(|refusal| refusal.reason, |()| Reason::Registered);
    let metrics = &reconciler.context.metrics;
    metrics.reconciled("OAuthClient", reason.as_str());
    Ok(requeue(reason, &wanted, &turn, now))
}

/// Whether the status says something else so far. That the client was used is written only when it has its turn, or together
/// with something else.
fn is_to_be_written(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    wanted: &OAuthClientStatus,
) -> bool {
    let known = object.status.as_ref();
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    known != Some(wanted)
        && (differs_otherwise(known, wanted) || reconciler.last_use_turns.take(uid))
}

/// When the object is reconciled again even if nothing changes.
fn requeue(
    reason: Reason,
    wanted: &OAuthClientStatus,
    turn: &RotationStep,
    now: Timestamp,
) -> Action {
    // No watch reports that another owner's Secret was deleted, a quota raised or a right granted.
    let stuck = matches!(
        reason,
        Reason::SecretNotOwned
            | Reason::QuotaExceeded
            | Reason::SecretRefused
            | Reason::NamespaceNotEnabled
    );
    let due = match turn.step {
        Step::Rest(Some(at)) => Some(until(at, now)),
        _ => None,
    };
    // During an overlap the status says within the hour when the old secret was used last.
    let generation = wanted.secret_generation.as_ref();
    let overlap = generation.is_some_and(|generation| generation.overlap.is_some());
    let due = due.map(|due| due.min(if overlap { HOURLY } else { Duration::MAX }));
    let again = due.into_iter().chain(stuck.then_some(LOOK_AGAIN)).min();
    again.map_or_else(Action::await_change, Action::requeue)
}

/// The time until then, computed again every day: clocks are set and machines sleep.
fn until(at: Timestamp, now: Timestamp) -> Duration {
    let left = at.duration_since(now);
    let left = Duration::try_from(left).unwrap_or_default();
    left.clamp(Duration::from_millis(1), Duration::from_hours(24))
}
