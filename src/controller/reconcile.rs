//! OAuthClient: read → plan → write.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::controller::Action;
use kube::{Api, Resource, ResourceExt};
use serde_json::json;

use super::credentials_secret::{Desired, name_of};
use super::events::Happening;
use super::facts::Facts;
use super::failure::{Error, SecretTrouble, secret_trouble};
use super::plan::{Found, Plan, SecretStep, Situation, plan};
use super::reason::{Reason, Refusal};
use super::register::ledger;
use super::secret_index::Access;
use super::secret_watch::denied;
use super::settings::FIELD_MANAGER;
use super::shared::{Shared, Verdict};
use super::status::{Published, status};
use crate::api::condition::READY;
use crate::api::{OAuthClient, OAuthClientStatus};

/// How soon something is looked at again that nobody tells us about, such as somebody else's Secret.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// The Secrets that a pass is about.
#[derive(Default)]
struct Read {
    secret: Option<Facts>,
    /// The whole Secret, when it was read from the API server and not from memory.
    whole: Option<Secret>,
    former: Option<Facts>,
}

/// How the writing ended.
enum Written {
    /// As planned.
    Done(Option<Published>),
    /// The credentials Secret exists, and we did not know.
    Unknown,
    /// The namespace is going.
    Terminating,
    /// A person must act.
    Refused(Refusal),
}

/// One pass over one object.
pub async fn reconcile(object: Arc<OAuthClient>, shared: Arc<Shared>) -> Result<Action, Error> {
    let Some(verdict) = current_verdict(&object, &shared) else {
        return Ok(Action::await_change());
    };
    // The first tenant is made at the first start; who waits for it is not refused meanwhile.
    if verdict.tenant.is_none() && !shared.progress.borrow().bootstrap {
        return Ok(Action::await_change());
    }
    let namespace = object.namespace().unwrap_or_default();
    let access = shared.secrets.access(&namespace);
    // Both tell when they are there.
    if access == Access::Pending || shared.root_keys.load().is_pending() {
        return Ok(Action::await_change());
    }
    let mut found = read(&shared, &object, false).await?;
    loop {
        let plan = make_plan(&shared, &verdict, &access, &found);
        if plan.leave {
            return Ok(Action::await_change());
        }
        match write(&shared, &object, &plan, &found).await? {
            Written::Unknown => found = read(&shared, &object, true).await?,
            Written::Terminating => return Ok(Action::await_change()),
            Written::Done(published) => {
                return finish(&shared, &verdict, plan.verdict, published).await;
            }
            Written::Refused(refusal) => {
                return finish(&shared, &verdict, Err(refusal), None).await;
            }
        }
    }
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

/// 1. Read. Memory is asked first; the API server only when memory does not know or something is wrong.
async fn read(shared: &Shared, object: &OAuthClient, exact: bool) -> Result<Read, Error> {
    let namespace = object.namespace().unwrap_or_default();
    let name = name_of(object);
    let mut found = Read {
        secret: shared.secrets.get(&namespace, &name),
        ..Read::default()
    };
    let status = object.status.as_ref();
    let expected = status.is_some_and(|status| {
        status.secret_uid.is_some() && status.secret_name.as_deref() == Some(&name)
    });
    // A Secret that we wrote and do not see may have lost its label; creating it would tell, by a failed write.
    if exact || (expected && found.secret.is_none()) {
        found.whole = get(shared, &namespace, &name).await?;
        found.secret = found
            .whole
            .as_ref()
            .map(|secret| Facts::new(secret, &shared.digests));
        if expected && found.secret.is_none() {
            confirm_ledger(shared, object).await?;
        }
    }
    if let Some(former) = status
        .and_then(|status| status.secret_name.as_deref())
        .filter(|former| *former != name)
    {
        found.former = shared.secrets.get(&namespace, former);
    }
    Ok(found)
}

/// A Secret that was there comes back in the generation that the ledger names, so a ledger that is no longer
/// true must not be followed.
async fn confirm_ledger(shared: &Shared, object: &OAuthClient) -> Result<(), Error> {
    const DOING: &str = "restore the credentials Secret";
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<OAuthClient> = Api::namespaced(shared.kube.clone(), &namespace);
    let current = api
        .get_opt(&object.name_any())
        .await
        .map_err(Error::api(DOING))?;
    let same = current.is_some_and(|current| {
        current.meta().uid == object.meta().uid && ledger(&current) == ledger(object)
    });
    same.then_some(()).ok_or(Error::Conflict(DOING))
}

async fn get(shared: &Shared, namespace: &str, name: &str) -> Result<Option<Secret>, Error> {
    let api: Api<Secret> = Api::namespaced(shared.kube.clone(), namespace);
    match api.get_opt(name).await {
        // Without rights there is nothing to be seen, and the write will say so.
        Err(kube::Error::Api(status)) if status.is_forbidden() => Ok(None),
        answer => answer.map_err(Error::api("read the credentials Secret")),
    }
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
        secret: found.secret.as_ref().map_or(Found::Nothing, Found::Secret),
        former: found.former.as_ref().map_or(Found::Nothing, Found::Secret),
        digests: &shared.digests,
    })
}

/// 3. Write: the Secret, then the Secret of a former name. The status follows in `finish`.
async fn write(
    shared: &Shared,
    object: &OAuthClient,
    plan: &Plan,
    found: &Read,
) -> Result<Written, Error> {
    let written = match &plan.secret {
        SecretStep::Keep => Ok(Written::Done(kept(plan, found, object))),
        SecretStep::Create(desired) => create(shared, object, desired).await,
        SecretStep::Repair(desired) => repair(shared, object, desired, found).await,
    };
    let written = match written {
        Ok(written) => written,
        Err(SecretTrouble::Exists) => Written::Unknown,
        Err(SecretTrouble::Terminating) => Written::Terminating,
        Err(SecretTrouble::Refused(refusal)) => Written::Refused(refusal),
        Err(SecretTrouble::Retry(error)) => return Err(error),
    };
    if plan.remove_former && matches!(written, Written::Done(_)) {
        remove_former(shared, object, found).await?;
    }
    Ok(written)
}

/// A Secret that was found right; none when the plan was to leave it alone.
fn kept(plan: &Plan, found: &Read, object: &OAuthClient) -> Option<Published> {
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
            name: name_of(object),
            uid: facts.uid.to_string(),
            at: facts.created_at,
        })
}

async fn create(
    shared: &Shared,
    object: &OAuthClient,
    desired: &Desired,
) -> Result<Written, SecretTrouble> {
    let api: Api<Secret> = Api::namespaced(shared.kube.clone(), &desired.namespace);
    let created = api.create(&params(), &desired.to_create()).await;
    let secret = created
        .map_err(|error| trouble(shared, desired, error, "create the credentials Secret"))?;
    shared.metrics.wrote("secret_create");
    shared.secrets.put(&secret, &shared.digests);
    let was_there = object.status.as_ref().is_some_and(|status| {
        status.secret_uid.is_some() && status.secret_name.as_ref() == Some(&desired.name)
    });
    let (happening, note) = if was_there {
        (
            Happening::Restored,
            format!(
                "Secret {} was deleted and is back with the same credentials",
                desired.name
            ),
        )
    } else {
        (
            Happening::Issued,
            format!("credentials were written into Secret {}", desired.name),
        )
    };
    shared
        .events
        .publish(happening, object.object_ref(&()), note);
    Ok(Written::Done(Some(published(&secret))))
}

/// Replaces a Secret of ours, with its UID and resource version as the precondition.
async fn repair(
    shared: &Shared,
    object: &OAuthClient,
    desired: &Desired,
    found: &Read,
) -> Result<Written, SecretTrouble> {
    let whole = match &found.whole {
        Some(whole) => whole.clone(),
        None => match get(shared, &desired.namespace, &desired.name)
            .await
            .map_err(SecretTrouble::Retry)?
        {
            Some(whole)
                if whole.meta().uid.as_deref()
                    == found.secret.as_ref().map(|facts| &*facts.uid) =>
            {
                whole
            }
            _ => {
                shared.secrets.remove(&desired.namespace, &desired.name);
                return Ok(Written::Unknown);
            }
        },
    };
    if whole.immutable == Some(true) {
        return Err(SecretTrouble::Refused(Refusal::new(
            Reason::SecretRefused,
            format!(
                "Secret {:?} was made immutable and is no longer right; delete it and it will be written anew with the same credentials",
                desired.name
            ),
        )));
    }
    let api: Api<Secret> = Api::namespaced(shared.kube.clone(), &desired.namespace);
    let replaced = api
        .replace(&desired.name, &params(), &desired.to_replace(whole))
        .await;
    let secret = replaced
        .map_err(|error| trouble(shared, desired, error, "repair the credentials Secret"))?;
    shared.metrics.wrote("secret_replace");
    shared.secrets.put(&secret, &shared.digests);
    if object.meta().generation
        == object
            .status
            .as_ref()
            .and_then(|status| status.observed_generation)
    {
        let note = format!(
            "Secret {} had been changed and was put right, with the same credentials",
            desired.name
        );
        shared
            .events
            .publish(Happening::Repaired, object.object_ref(&()), note);
    }
    Ok(Written::Done(Some(published(&secret))))
}

async fn remove_former(shared: &Shared, object: &OAuthClient, found: &Read) -> Result<(), Error> {
    let (Some(facts), Some(name)) = (
        &found.former,
        object
            .status
            .as_ref()
            .and_then(|status| status.secret_name.as_deref()),
    ) else {
        return Ok(());
    };
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<Secret> = Api::namespaced(shared.kube.clone(), &namespace);
    let only_this = DeleteParams::default().preconditions(Preconditions {
        uid: Some(facts.uid.to_string()),
        resource_version: None,
    });
    match api.delete(name, &only_this).await {
        Ok(_) => shared.metrics.wrote("secret_delete"),
        Err(kube::Error::Api(status)) if status.is_not_found() => {}
        Err(error) => return Err(Error::api("remove the Secret of the former name")(error)),
    }
    shared.secrets.remove(&namespace, name);
    Ok(())
}

/// 4. Say how it is, if it is not said yet.
async fn finish(
    shared: &Shared,
    verdict: &Verdict,
    outcome: Result<(), Refusal>,
    published: Option<Published>,
) -> Result<Action, Error> {
    let object = &verdict.object;
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
    let wanted = status(object, registered, published, &outcome, Timestamp::now());
    if object.status.as_ref() != Some(&wanted) {
        write_status(shared, verdict, &wanted).await?;
        announce_refusal(shared, object, &outcome);
    }
    shared.metrics.reconciled("OAuthClient", reason.as_str());
    Ok(match reason {
        // Nobody tells us when somebody else's Secret goes, or a quota is raised.
        Reason::SecretNotOwned | Reason::QuotaExceeded | Reason::SecretRefused => {
            Action::requeue(LOOK_AGAIN)
        }
        Reason::NamespaceNotEnabled => Action::requeue(LOOK_AGAIN),
        _ => Action::await_change(),
    })
}

/// Server-side apply by one field manager; the UID keeps it from an object that was recreated.
async fn write_status(
    shared: &Shared,
    verdict: &Verdict,
    status: &OAuthClientStatus,
) -> Result<(), Error> {
    let object = &verdict.object;
    let name = object.name_any();
    let api: Api<OAuthClient> =
        Api::namespaced(shared.kube.clone(), &object.namespace().unwrap_or_default());
    let patch = json!({
        "apiVersion": OAuthClient::api_version(&()),
        "kind": OAuthClient::kind(&()),
        "metadata": { "name": name, "uid": object.uid() },
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    match api.patch_status(&name, &params, &Patch::Apply(patch)).await {
        Ok(newer) => {
            shared.metrics.wrote("status");
            let changed = newer.resource_version() != object.resource_version();
            verdict.superseded.store(changed, Relaxed);
        }
        // Deleted in the meantime: the watch will tell.
        Err(kube::Error::Api(status)) if status.is_not_found() => {}
        Err(error) => return Err(Error::api("write the status")(error)),
    }
    Ok(())
}

fn announce_refusal(shared: &Shared, object: &OAuthClient, outcome: &Result<(), Refusal>) {
    let Err(refusal) = outcome else { return };
    let known = object
        .status
        .iter()
        .flat_map(|status| &status.conditions)
        .any(|condition| condition.type_ == READY && condition.reason == refusal.reason.as_str());
    if known || refusal.reason.passes_by_itself() {
        return;
    }
    let happening = Happening::Refused(refusal.reason);
    let note = refusal.message.clone();
    shared
        .events
        .publish(happening, object.object_ref(&()), note);
}

fn params() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}

fn published(secret: &Secret) -> Published {
    Published {
        name: secret.name_any(),
        uid: secret.uid().unwrap_or_default(),
        at: secret.creation_timestamp().map(|time| time.0),
    }
}

fn trouble(
    shared: &Shared,
    desired: &Desired,
    error: kube::Error,
    doing: &'static str,
) -> SecretTrouble {
    secret_trouble(error, doing, || {
        denied(&shared.settings, &desired.namespace)
    })
}
