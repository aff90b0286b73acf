//! OAuthClient: read → plan → write.

pub mod read;
pub mod write;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};

use super::client::read::{Read, read};
use super::client::write::{Written, write, write_status};
use crate::cache::namespace_access::Access;
use crate::context::{Shared, Verdict};
use crate::domain::client::plan::{Plan, Situation, plan};
use crate::domain::client::rotation;
use crate::domain::client::rotation::{Turn, why};
use crate::domain::client::status::{Published, is_ready, status, withheld};
use crate::domain::client::validate::ledger;
use crate::domain::reason::{Reason, Refusal};
use crate::error::Error;
use crate::events::Happening;
use crate::registry::rollout::Reached;
use crate::root_key;
use clientele_api::condition::{Condition, READY};
use clientele_api::{OAuthClient, OAuthClientStatus};
use clientele_oauth::client::secret_rotation::{End, Observed, Step};

/// How soon something is looked at again that nobody tells us about, such as somebody else's Secret.
const LOOK_AGAIN: Duration = Duration::from_secs(20);
/// How soon it is looked at the use of an old secret.
const HOURLY: Duration = Duration::from_hours(1);

/// One pass over one object.
pub async fn reconcile(object: Arc<OAuthClient>, shared: Arc<Shared>) -> Result<Action, Error> {
    let Some(verdict) = current_verdict(&object, &shared) else {
        return Ok(Action::await_change());
    };
    // The first tenant is made at the first start; who waits for it is not refused meanwhile.
    if verdict.tenant.is_none() && !shared.progress.borrow().bootstrap {
        return Ok(Action::await_change());
    }
    // Another verdict follows in a moment.
    if matches!(&verdict.client, Err(refusal) if refusal.reason == Reason::SecretPending) {
        return Ok(Action::await_change());
    }
    let namespace = object.namespace().unwrap_or_default();
    let access = shared.secrets.access(&namespace);
    // All three tell when they are there.
    if access == Access::Pending
        || shared.root_keys.load().is_pending()
        || !shared.serves_its_root_keys()
    {
        return Ok(Action::await_change());
    }
    if derives_from_unknown_key(&shared, &verdict) && root_key::look_again(&shared).await? {
        return Ok(Action::await_change());
    }
    let mut found = read(&shared, &object, false).await?;
    loop {
        let mut plan = make_plan(&shared, &verdict, &access, &found);
        if plan.leave {
            return Ok(Action::await_change());
        }
        wait_for_turn(&shared, &object, &mut plan.turn);
        if let Step::Ask(cause) = plan.turn.step {
            shared.metrics.rotation.begun(cause);
            return finish(&shared, &verdict, plan.verdict, None, &plan.turn).await;
        }
        match write(&shared, &object, &plan, &found).await? {
            Written::Unknown => found = read(&shared, &object, true).await?,
            Written::Terminating => return Ok(Action::await_change()),
            Written::Done(published) => {
                return finish(&shared, &verdict, plan.verdict, published, &plan.turn).await;
            }
            Written::Refused(refusal) => {
                return finish(&shared, &verdict, Err(refusal), None, &Turn::default()).await;
            }
        }
    }
}

/// Whether the secret comes from a root key that is not known here. It was withdrawn, or another replica has heard
/// earlier of a new one; the API server knows which.
fn derives_from_unknown_key(shared: &Shared, verdict: &Verdict) -> bool {
    let holds_secret = verdict
        .client
        .as_ref()
        .is_ok_and(|client| client.holds_secret());
    let root_keys = shared.root_keys.load();
    let known = |id| {
        let keyring = root_keys.verifying.as_ref();
        keyring.is_none_or(|keyring| keyring.keys().iter().any(|key| key.id() == id))
    };
    holds_secret && rotation::recorded_key(&verdict.object).is_some_and(|id| !known(id))
}

/// What the registry says about exactly this version of the object. If the registry is not there yet, or a
/// newer version is on its way, it will ask for another pass when it is.
fn current_verdict(object: &Arc<OAuthClient>, shared: &Shared) -> Option<Arc<Verdict>> {
    if object.meta().deletion_timestamp.is_some() {
        return None;
    }
    let verdicts = shared
        .verdicts
        .read()
        .expect("no holder of this lock panics");
    let verdict = verdicts.get(object.meta().uid.as_deref()?)?;
    let is_last = Arc::ptr_eq(&verdict.object, object) && !verdict.superseded.load(Relaxed);
    is_last.then(|| verdict.clone())
}

/// 2. Plan.
fn make_plan(shared: &Shared, verdict: &Verdict, access: &Access, found: &Read) -> Plan {
    let root_keys = shared.root_keys.load();
    let tenant = verdict.tenant.as_ref();
    plan(&Situation {
        object: &verdict.object,
        client: verdict.client.as_deref(),
        issuer: tenant.map_or("", |tenant| &tenant.policy.issuer),
        tenant_problem: tenant.and_then(|tenant| tenant.problem.as_ref()),
        keyring: root_keys.deriving(),
        namespace_problem: match access {
            Access::Denied(sentence) => Some(sentence),
            _ => None,
        },
        secret: found.secret.as_ref(),
        former: &found.former,
        digests: &shared.digests,
        observed: observed(shared, verdict),
        now: Timestamp::now(),
    })
}

/// What is known of the use of its secret.
fn observed(shared: &Shared, verdict: &Verdict) -> Option<Observed> {
    let client = verdict.client.as_deref().ok()?;
    let usage = shared.usage.load();
    let published = ledger(&verdict.object).published;
    usage.as_ref()?.observed(&client.uid, published)
}

/// What can wait begins when its turn has come, so that a thousand that are due do not rotate in one minute.
fn wait_for_turn(shared: &Shared, object: &OAuthClient, turn: &mut Turn) {
    let Step::Ask(cause) = turn.step else { return };
    if !cause.can_wait() {
        return;
    }
    let mut pace = shared.pace.lock().expect("no holder of this lock panics");
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    if let Err(at) = pace.admit(uid, Timestamp::now()) {
        turn.step = Step::Rest(Some(at));
    }
}

/// 4. Say how it is, if it is not said yet.
async fn finish(
    shared: &Shared,
    verdict: &Verdict,
    mut outcome: Result<(), Refusal>,
    published: Option<Published>,
    turn: &Turn,
) -> Result<Action, Error> {
    let object = &verdict.object;
    let reached = match outcome {
        Ok(()) if !is_ready(object) => shared.agreement.is_reached(object),
        _ => Reached::Yes,
    };
    if let Reached::Late(why) = &reached {
        outcome = Err(Refusal::new(Reason::ReplicasPending, &**why));
    }
    let reason = outcome
        .as_ref()
        .map_or_else(|refusal| refusal.reason, |()| Reason::Registered);
    let issuer = verdict
        .tenant
        .as_ref()
        .map_or("", |tenant| &tenant.policy.issuer);
    let registered = verdict
        .client
        .as_deref()
        .ok()
        .map(|client| (client, issuer));
    let now = Timestamp::now();
    let mut wanted = status(object, registered, published, &outcome, turn, now);
    if reached == Reached::NotYet {
        // A rotation goes on meanwhile; of a client that is new there is nothing else to say.
        if ledger(object).published == 0 {
            return Ok(Action::await_change());
        }
        wanted = withheld(object, wanted);
    }
    if object.status.as_ref() != Some(&wanted) {
        write_status(shared, verdict, &wanted).await?;
        let known = object.status.iter().flat_map(|status| &status.conditions);
        announce_refusal(shared, known, object.object_ref(&()), &outcome);
        announce_rotation(shared, object, &wanted, turn);
    }
    shared.metrics.reconciled("OAuthClient", reason.as_str());
    // Nobody tells us when somebody else's Secret goes, a quota is raised or a right is given.
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
    let overlap = wanted
        .secret_generation
        .is_some_and(|g| g.overlap.is_some());
    let due = due.map(|due| due.min(if overlap { HOURLY } else { Duration::MAX }));
    let again = due.into_iter().chain(stuck.then_some(LOOK_AGAIN)).min();
    Ok(again.map_or_else(Action::await_change, Action::requeue))
}

/// The time until then, looked at anew every day: clocks are set and machines sleep.
fn until(at: Timestamp, now: Timestamp) -> Duration {
    let left = at.duration_since(now);
    let left = Duration::try_from(left).unwrap_or_default();
    left.clamp(Duration::from_millis(1), Duration::from_hours(24))
}

/// Tells people that a secret is new, and that an old one has stopped.
fn announce_rotation(
    shared: &Shared,
    object: &OAuthClient,
    wanted: &OAuthClientStatus,
    turn: &Turn,
) {
    let Some(after) = &wanted.secret_generation else {
        return;
    };
    let before = ledger(object);
    let tell = |happening, note| {
        let about = object.object_ref(&());
        shared.events.publish(happening, about, note);
    };
    if before.published > 0 && after.published > i64::from(before.published) {
        let cause = wanted
            .rotation
            .as_ref()
            .and_then(|r| r.last_cause.as_deref());
        let old = after.overlap.as_ref().map_or_else(
            || "the old one has stopped".to_owned(),
            |overlap| {
                format!(
                    "the old one works until {} at the latest",
                    overlap.retires_at.0
                )
            },
        );
        let note = format!(
            "generation {} of the client secret is in Secret {} ({}); {old}",
            after.published,
            wanted.secret_name.as_deref().unwrap_or_default(),
            cause.unwrap_or("Requested"),
        );
        tell(Happening::Rotated(after.published), note);
    }
    if after.oldest_accepted > i64::from(before.oldest_accepted) {
        let end = match turn.step {
            Step::Retire(_, end) => end,
            _ => End::AtOnce,
        };
        let note = format!(
            "the client secret of generation {} and before has stopped: {}",
            after.oldest_accepted - 1,
            why(end, object.spec.rotation.as_deref()),
        );
        tell(Happening::Retired(after.oldest_accepted), note);
    }
}

/// Tells people of a refusal, unless its reason was told already.
pub fn announce_refusal<'a>(
    shared: &Shared,
    known: impl Iterator<Item = &'a Condition>,
    about: ObjectReference,
    outcome: &Result<(), Refusal>,
) {
    let Err(refusal) = outcome else { return };
    let reason = refusal.reason;
    let is_known =
        |condition: &Condition| condition.type_ == READY && condition.reason == reason.as_str();
    let mut known = known;
    if known.any(is_known) || reason.passes_by_itself() {
        return;
    }
    let note = refusal.message.clone();
    shared
        .events
        .publish(Happening::Refused(reason), about, note);
}
