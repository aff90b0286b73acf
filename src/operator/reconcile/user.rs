//! OAuthUser: read → plan → write. Only the status is ever written.

use std::sync::Arc;
use std::time::Duration;

use clientele_api::OAuthUser;
use clientele_api::user::PASSWORD_TYPE;
use jiff::Timestamp;
use kube::{Api, Resource, ResourceExt};

use super::client::read::get;
use crate::domain::kept::Kept;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::user::status::{outcome, status};
use crate::domain::user::validate::{password_entry, wrong_type};
use crate::error::Error;
use crate::reconcile::Reconciler;
use crate::reconcile::action::Action;
use crate::reconcile::announce::announce_refusal;

/// How soon an object without a watch is read again, such as a Secret that is not for us.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// One pass over one object.
pub async fn reconcile(
    kept: Arc<Kept<OAuthUser>>,
    reconciler: Arc<Reconciler>,
) -> Result<Action, Error> {
    let Some(verdict) = reconciler.verdicts.users.current(&kept) else {
        return Ok(Action::await_change());
    };
    let object = kept.object();
    // Another verdict follows in a moment, and so does the first tenant at the first start.
    let early = verdict.tenant.is_none() && !reconciler.readiness.progress().bootstrap;
    if verdict.details.pending || early {
        return Ok(Action::await_change());
    }
    // 1. Read
    let Some(outcome) = explain(&reconciler, &object, outcome(&verdict)).await? else {
        // If it goes again before the watch was looked at, no event tells.
        return Ok(Action::requeue(LOOK_AGAIN));
    };
    // 2. Plan
    let person = verdict.registered.as_deref().ok();
    let wanted = status(&object, person, verdict.details, &outcome, Timestamp::now());
    // 3. Write
    if object.status.as_ref() != Some(&wanted) {
        let namespace = object.namespace().unwrap_or_default();
        let api: Api<OAuthUser> = Api::namespaced(reconciler.context.kube.clone(), &namespace);
        if let Some(newer) = reconciler.apply_status(&api, &*object, &wanted).await? {
            let changed = newer.resource_version() != object.resource_version();
            verdict.object.set_superseded(changed);
        }
        let known = object.status.iter().flat_map(|status| &status.conditions);
        announce_refusal(&reconciler, known, object.object_ref(&()), &outcome);
    }
    let reason = outcome.map_or_else(|refusal| refusal.reason, |()| Reason::Registered);
    reconciler
        .context
        .metrics
        .reconciled("OAuthUser", reason.as_str());
    Ok(match reason {
        Reason::PasswordSecretWrongType => Action::requeue(LOOK_AGAIN),
        _ => Action::await_change(),
    })
}

/// A Secret that is missing among those with passwords may be there under another type: its type is read,
/// nothing else. `None` if it is one with a password, which the watch has not told yet.
async fn explain(
    reconciler: &Reconciler,
    object: &OAuthUser,
    outcome: Result<(), Refusal>,
) -> Result<Option<Result<(), Refusal>>, Error> {
    let missing = outcome
        .as_ref()
        .is_err_and(|refusal| refusal.reason == Reason::PasswordSecretNotFound);
    let Some(entry) = password_entry(object).filter(|_| missing) else {
        return Ok(Some(outcome));
    };
    let secret = get(reconciler, &entry.namespace, &entry.secret).await?;
    Ok(match secret.map(|secret| secret.type_) {
        None => Some(outcome),
        Some(type_) if type_.as_deref() == Some(PASSWORD_TYPE) => None,
        Some(_) => Some(Err(wrong_type(&entry))),
    })
}
