//! Events about an object: what was refused, rotated and retired.

use clientele_api::OAuthClientStatus;
use clientele_api::condition::{Condition, READY};
use clientele_oauth::client::secret_rotation::{End, Step};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource;

use crate::domain::client::identity::ClientObject;
use crate::domain::client::rotation::{RotationStep, why};
use crate::domain::reason::Refusal;
use crate::events::EventReason;
use crate::reconcile::Reconciler;

/// Tells people that a secret is new, and that an old one has stopped.
pub fn announce_rotation(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    wanted: &OAuthClientStatus,
    turn: &RotationStep,
) {
    let Some(after) = &wanted.secret_generation else {
        return;
    };
    let before = object.ledger;
    let tell = |event, note| {
        let about = object.object_ref(&());
        reconciler.context.events.publish(event, about, note);
    };
    if before.published > 0 && after.published > i64::from(before.published) {
        let cause = wanted
            .rotation
            .as_ref()
            .and_then(|r| r.last_cause.as_deref());
        let old = after.overlap.as_ref().map_or_else(
            || "the old one no longer works".to_owned(),
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
        tell(EventReason::Rotated(after.published), note);
    }
    if after.oldest_accepted > i64::from(before.oldest_accepted) {
        let end = match turn.step {
            Step::Retire(_, end) => end,
            _ => End::AtOnce,
        };
        let note = format!(
            "client secrets up to generation {} no longer work: {}",
            after.oldest_accepted - 1,
            why(end, object.spec.rotation.as_deref()),
        );
        tell(EventReason::Retired(after.oldest_accepted), note);
    }
}

/// Tells people of a refusal, unless its reason was told already.
pub fn announce_refusal<'a>(
    reconciler: &Reconciler,
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
    reconciler
        .context
        .events
        .publish(EventReason::Refused(reason), about, note);
}
