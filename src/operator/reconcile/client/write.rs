//! 3. Write: the Secret, then the Secret of a former name, then the status. Nothing here decides.

use clientele_api::{OAuthClient, OAuthClientStatus};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Resource, ResourceExt};

use super::read::{Read, confirm_ledger, get};
use crate::apply::{delete, params};
use crate::cache::namespace_access::denied;
use crate::domain::client::identity::ClientObject;
use crate::domain::client::plan::{Plan, SecretStep};
use crate::domain::client::secret::DesiredSecret;
use crate::domain::client::secret::digest::SecretDigest;
use crate::domain::client::status::Published;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::verdict::ClientVerdict;
use crate::error::{Error, SecretError, secret_error};
use crate::events::EventReason;
use crate::reconcile::Reconciler;

/// How the writing ended.
pub enum Written {
    /// As planned.
    Done(Option<Published>),
    /// The credentials Secret exists, and we did not know.
    Unknown,
    /// The namespace is going.
    Terminating,
    /// A person must act.
    Refused(Refusal),
}

/// The Secrets; the status follows when it is known how that ended.
pub async fn write(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    plan: &Plan,
    found: &Read,
) -> Result<Written, Error> {
    let written = match &plan.secret {
        SecretStep::Keep => Ok(Written::Done(kept(plan, found, object))),
        SecretStep::Create(desired) => create(reconciler, object, desired).await,
        SecretStep::Repair(desired) => repair(reconciler, object, desired, found).await,
    };
    let written = match written {
        Ok(written) => written,
        Err(SecretError::Exists) => Written::Unknown,
        Err(SecretError::Terminating) => Written::Terminating,
        Err(SecretError::Refused(refusal)) => Written::Refused(refusal),
        Err(SecretError::Retry(error)) => return Err(error),
    };
    if matches!(written, Written::Done(_)) {
        for (name, uid) in &plan.remove {
            remove_former(reconciler, object, name, uid).await?;
        }
    }
    Ok(written)
}

/// A Secret that was found right; none when the plan was to leave it alone.
fn kept(plan: &Plan, found: &Read, object: &ClientObject<'_>) -> Option<Published> {
    let cared_for = match &plan.verdict {
        Ok(()) => true,
        Err(refusal) => matches!(
            refusal.reason,
            Reason::Suspended | Reason::TenantPending | Reason::TenantNotReady
        ),
    };
    found
        .secret
        .as_ref()
        .filter(|_| cared_for)
        .map(|facts| Published {
            name: object.secret_name.clone().into_owned(),
            uid: facts.uid.to_string(),
            at: facts.created_at,
        })
}

async fn create(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    desired: &DesiredSecret,
) -> Result<Written, SecretError> {
    let api: Api<Secret> = Api::namespaced(reconciler.context.kube.clone(), &desired.namespace);
    let created = api.create(&params(), &desired.to_create()).await;
    let secret = created
        .map_err(|error| api_error(reconciler, desired, error, "create the credentials Secret"))?;
    // The watch tells the index: whether the Secret was deleted meanwhile is unknown here.
    reconciler.note_write("secret_create", object.metadata.uid.as_deref());
    let was_there = object.status.as_ref().is_some_and(|status| {
        status.secret_uid.is_some() && status.secret_name.as_ref() == Some(&desired.name)
    });
    let (event, note) = if was_there {
        (
            EventReason::Restored,
            format!(
                "Secret {} was deleted; the operator created it again, with the same credentials",
                desired.name
            ),
        )
    } else {
        (
            EventReason::Issued,
            format!("credentials were written into Secret {}", desired.name),
        )
    };
    reconciler
        .context
        .events
        .publish(event, object.object_ref(&()), note);
    Ok(Written::Done(Some(published(&secret))))
}

/// Replaces a Secret of ours, with its UID and resource version as the precondition.
async fn repair(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    desired: &DesiredSecret,
    found: &Read,
) -> Result<Written, SecretError> {
    let confirmed = confirm_ledger(reconciler, object).await;
    confirmed.map_err(SecretError::Retry)?;
    let whole = match &found.whole {
        Some(whole) => whole.clone(),
        None => match get(reconciler, &desired.namespace, &desired.name)
            .await
            .map_err(SecretError::Retry)?
        {
            Some(whole) if found.is_of(&whole) => whole,
            _ => return Ok(Written::Unknown),
        },
    };
    if whole.immutable == Some(true) {
        return Err(SecretError::Refused(Refusal::new(
            Reason::SecretRefused,
            format!(
                "Secret {:?} is immutable and outdated; delete it, and the operator writes it again with the same credentials",
                desired.name
            ),
        )));
    }
    let api: Api<Secret> = Api::namespaced(reconciler.context.kube.clone(), &desired.namespace);
    let replacement = desired.to_replace(whole);
    let replaced = api.replace(&desired.name, &params(), &replacement).await;
    let secret = replaced
        .map_err(|error| api_error(reconciler, desired, error, "repair the credentials Secret"))?;
    reconciler.note_write("secret_replace", object.metadata.uid.as_deref());
    reconciler
        .cache
        .credentials
        .replaced(&secret, &reconciler.cache.digest_key);
    announce_repair(reconciler, object, desired, found);
    Ok(Written::Done(Some(published(&secret))))
}

/// An event about a Secret that another actor had changed. A change of the manifest, the generation or the root key
/// explains the write; nothing else of ours does.
fn announce_repair(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    desired: &DesiredSecret,
    found: &Read,
) {
    let observed = object
        .status
        .as_ref()
        .and_then(|status| status.observed_generation);
    let ledger = object.ledger;
    let written_by = found.secret.as_ref().and_then(SecretDigest::proof_key);
    let moves = written_by.is_some_and(|key| Some(key) != desired.proof_key());
    if object.meta().generation == observed && ledger.published == ledger.requested && !moves {
        let note = format!(
            "Secret {} was changed; the operator restored its content, with the same credentials",
            desired.name
        );
        reconciler
            .context
            .events
            .publish(EventReason::Repaired, object.object_ref(&()), note);
    }
}

/// Removes a Secret of a former name. One that the status does not name could be that of a newer manifest, which
/// another replica has seen already, so the manifest is read first.
async fn remove_former(
    reconciler: &Reconciler,
    object: &ClientObject<'_>,
    name: &str,
    uid: &str,
) -> Result<(), Error> {
    const DOING: &str = "remove the Secret of the former name";
    let namespace = object.namespace;
    let status = object.status.as_ref();
    if status.and_then(|status| status.secret_name.as_deref()) != Some(name) {
        let objects: Api<OAuthClient> = Api::namespaced(reconciler.context.kube.clone(), namespace);
        let now = objects.get_opt(&object.name_any()).await;
        let now = now.map_err(Error::api(DOING))?;
        let same = |now: &OAuthClient| {
            now.uid() == object.uid() && now.meta().generation == object.meta().generation
        };
        if !now.as_ref().is_some_and(same) {
            return Err(Error::Conflict(DOING));
        }
    }
    let api: Api<Secret> = Api::namespaced(reconciler.context.kube.clone(), namespace);
    match delete(&api, name, uid).await {
        Ok(()) => {
            reconciler.note_write("secret_delete", object.metadata.uid.as_deref());
        }
        Err(kube::Error::Api(status)) if status.is_not_found() => {}
        Err(error) => return Err(Error::api(DOING)(error)),
    }
    reconciler.cache.credentials.removed(namespace, name, uid);
    Ok(())
}

/// Writes the status of an OAuthClient; its verdict then knows that a newer version is on its way.
pub async fn write_status(
    reconciler: &Reconciler,
    (object, verdict): (&OAuthClient, &ClientVerdict),
    status: &OAuthClientStatus,
) -> Result<(), Error> {
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<OAuthClient> = Api::namespaced(reconciler.context.kube.clone(), &namespace);
    if let Some(newer) = reconciler.apply_status(&api, object, status).await? {
        let changed = newer.resource_version() != object.resource_version();
        verdict.object.set_superseded(changed);
    }
    Ok(())
}

fn published(secret: &Secret) -> Published {
    Published {
        name: secret.name_any(),
        uid: secret.uid().unwrap_or_default(),
        at: secret.creation_timestamp().map(|time| time.0),
    }
}

fn api_error(
    reconciler: &Reconciler,
    desired: &DesiredSecret,
    error: kube::Error,
    doing: &'static str,
) -> SecretError {
    secret_error(error, doing, || {
        denied(&reconciler.context.settings, &desired.namespace)
    })
}
