//! OAuthTenant: read → plan → write. Signing keys are made, announced, used and removed here.

use std::sync::Arc;
use std::time::Duration;

use clientele_api::condition::{
    Condition, READY, RECONCILING, SERVES_EVERY_NAMESPACE, STALLED, conditions, in_whole_seconds,
    since_creation, warning,
};
use clientele_api::tenant::SigningKeyStatus;
use clientele_api::{OAuthTenant, OAuthTenantStatus};
use clientele_oauth::keys::signing_key_schedule;
use clientele_oauth::keys::signing_key_schedule::{Change, KeyRecord};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::ObjectMeta;
use kube::{Api, Resource, ResourceExt};

use crate::apply::params;
use crate::domain::advice::advisory;
use crate::domain::client::secret::MANAGED_BY;
use crate::domain::kept::Kept;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::admissible;
use crate::domain::tenant::advice::advice;
use crate::domain::tenant::openness;
use crate::domain::tenant::policy::{self, TenantPolicy};
use crate::domain::tenant::signing_secret;
use crate::domain::tenant::signing_secret::{
    Removal, StoredKeys, answer, belongs_to, had_keys, name_of, unanswered,
};
use crate::error::Error;
use crate::events::EventReason;
use crate::reconcile::Reconciler;
use crate::reconcile::action::Action;
use crate::reconcile::announce::announce_refusal;
use crate::reconcile::signing_key::generate;
use crate::registry::builder::missing_keys;

/// How soon damaged keys are looked at again, beside the watch.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// One pass over one tenant.
pub async fn reconcile(
    kept: Arc<Kept<OAuthTenant>>,
    reconciler: Arc<Reconciler>,
) -> Result<Action, Error> {
    let tenant = kept.object();
    if TenantPolicy::is_deleted(&tenant) {
        return Ok(Action::await_change());
    }
    let settings = &reconciler.context.settings;
    let policy = TenantPolicy::new(&tenant, &settings.public_url, settings.publish_ahead);
    let now = Timestamp::now();
    // 1. Read
    let secret = read(&reconciler, &tenant).await?;
    // 2. Plan
    let stored = judge(&reconciler, &tenant, secret.as_ref());
    // 3. Write
    let stored = match stored {
        Ok(stored) => {
            Ok(bring_up_to_date(&reconciler, &tenant, &policy, secret, stored, now).await?)
        }
        Err(refusal) => Err(refusal),
    };
    let outcome = outcome(&reconciler, &policy, &stored);
    write_status(&reconciler, &tenant, &policy, (&stored, &outcome), now).await?;
    let reason = outcome.map_or_else(|refusal| refusal.reason, |()| Reason::Available);
    reconciler
        .context
        .metrics
        .reconciled("OAuthTenant", reason.as_str());
    Ok(Action::requeue(match &stored {
        Ok(stored) => until_next_change(stored, &policy, now),
        Err(_) => LOOK_AGAIN,
    }))
}

/// What the status says: whether there are keys, whether the manifest is as the schema demands, and whether the tenant has
/// every audience that it declares. The registry knows what others use as another kind of name; it serves the rest.
fn outcome(
    reconciler: &Reconciler,
    policy: &TenantPolicy,
    stored: &Result<StoredKeys, Refusal>,
) -> Result<(), Refusal> {
    stored.as_ref().map_err(Clone::clone)?;
    let served = reconciler.verdicts.tenants.latest(&policy.name);
    let policy = served.as_ref().map_or(policy, |state| &state.policy);
    admissible::verdict(&policy.problems, &policy.audiences.refused)
}

async fn read(reconciler: &Reconciler, tenant: &OAuthTenant) -> Result<Option<Secret>, Error> {
    secrets(reconciler)
        .get_opt(&name_of(&tenant.name_any()))
        .await
        .map_err(Error::api("read the signing keys"))
}

fn secrets(reconciler: &Reconciler) -> Api<Secret> {
    Api::namespaced(
        reconciler.context.kube.clone(),
        &reconciler.context.settings.namespace,
    )
}

/// The keys that are there; `None` before the first. Lost or damaged keys are never replaced silently.
fn judge(
    reconciler: &Reconciler,
    tenant: &OAuthTenant,
    secret: Option<&Secret>,
) -> Result<Option<StoredKeys>, Refusal> {
    let name = tenant.name_any();
    let secret_name = format!(
        "Secret {}/{}",
        reconciler.context.settings.namespace,
        name_of(&name)
    );
    let refuse = |message: String| Err(Refusal::new(Reason::SigningKeysUnavailable, message));
    match secret {
        None if had_keys(tenant) => refuse(missing_keys(&secret_name, &name)),
        None => Ok(None),
        Some(secret) if !belongs_to(secret, &tenant.uid().unwrap_or_default()) => refuse(format!(
            "{secret_name} does not belong to this OAuthTenant: it has the keys of an earlier one, and Kubernetes removes it shortly; if another user created it, delete it"
        )),
        Some(secret) => match signing_secret::parse(secret) {
            Ok(stored) => Ok(Some(stored)),
            Err(problem) => refuse(format!("{secret_name} {problem}; restore it from a backup")),
        },
    }
}

/// What was heard of a tenant may be from before its first keys: if those were lost since, none are made in their place.
async fn confirm_first(reconciler: &Reconciler, tenant: &OAuthTenant) -> Result<(), Error> {
    const DOING: &str = "create the first signing keys";
    let tenants: Api<OAuthTenant> = Api::all(reconciler.context.kube.clone());
    let now = tenants.get_opt(&tenant.name_any()).await;
    let now = now.map_err(Error::api(DOING))?;
    let same = now.is_some_and(|now| now.uid() == tenant.uid() && !had_keys(&now));
    same.then_some(()).ok_or(Error::Conflict(DOING))
}

/// Makes, extends and removes keys as the schedule says.
async fn bring_up_to_date(
    reconciler: &Reconciler,
    tenant: &OAuthTenant,
    policy: &TenantPolicy,
    secret: Option<Secret>,
    stored: Option<StoredKeys>,
    now: Timestamp,
) -> Result<StoredKeys, Error> {
    let records = stored.as_ref().map_or(&[][..], |stored| &stored.records);
    let asked = stored
        .as_ref()
        .and_then(|stored| unanswered(tenant, stored));
    let changes = signing_key_schedule::changes(records, &policy.keys, asked, now);
    if let (Some(stored), true) = (&stored, changes.is_empty() && asked.is_none()) {
        return Ok(stored.clone());
    }
    if secret.is_none() {
        confirm_first(reconciler, tenant).await?;
    }
    let data = {
        let (secret, records) = (secret.clone(), records.to_vec());
        let (changes, keys) = (changes.clone(), policy.keys);
        let session = policy.session.absolute;
        let removal = Removal { now, session };
        // An RSA key takes a while to find.
        let change = move || {
            let secret = secret.as_ref();
            signing_secret::changed(secret, &records, &changes, &keys, removal, generate)
        };
        let made = tokio::task::spawn_blocking(change).await;
        made.map_err(|_| Error::Key("could not create a signing key"))?
            .map_err(Error::Key)?
    };
    let api = secrets(reconciler);
    let written = match secret {
        // Created once; when another replica was first, the next pass reads its keys.
        None => {
            let mut fresh = empty_secret(tenant);
            fresh.data = Some(data);
            answer(&mut fresh, tenant);
            api.create(&params(), &fresh).await
        }
        // The resource version read is the precondition.
        Some(mut secret) => {
            secret.data = Some(data);
            secret.metadata.managed_fields = None;
            if asked.is_some() {
                answer(&mut secret, tenant);
            }
            api.replace(&secret.name_any(), &params(), &secret).await
        }
    };
    let written = written.map_err(Error::api("write the signing keys"))?;
    reconciler.context.metrics.wrote("signing_keys");
    announce(reconciler, tenant, &changes);
    signing_secret::parse(&written)
        .map_err(|_| Error::Key("the signing keys that were written cannot be read back"))
}

fn empty_secret(tenant: &OAuthTenant) -> Secret {
    let name = tenant.name_any();
    let labels = [
        (MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned()),
        ("clientele.dev/signing-keys".to_owned(), name.clone()),
    ];
    Secret {
        metadata: ObjectMeta {
            name: Some(name_of(&name)),
            labels: Some(labels.into()),
            owner_references: Some(vec![OwnerReference {
                api_version: OAuthTenant::api_version(&()).into_owned(),
                kind: OAuthTenant::kind(&()).into_owned(),
                uid: tenant.uid().unwrap_or_default(),
                name,
                controller: Some(true),
                block_owner_deletion: Some(false),
            }]),
            ..ObjectMeta::default()
        },
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    }
}

fn announce(reconciler: &Reconciler, tenant: &OAuthTenant, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    let notes = changes.iter().map(|change| match change {
        Change::Generate {
            algorithm,
            activates_at,
        } => {
            let algorithm = algorithm.as_str();
            format!("a signing key for {algorithm} was published and signs from {activates_at}")
        }
        Change::Extend { key_id } => {
            format!("signing key {key_id} can sign tokens with longer lifetimes")
        }
        Change::Remove { key_id } => {
            format!("signing key {key_id} was removed; its last token has expired")
        }
        Change::Withdraw { key_id } => {
            format!("signing key {key_id} was withdrawn; its tokens are refused from now on")
        }
    });
    let note: Vec<String> = notes.collect();
    reconciler.context.events.publish(
        EventReason::KeysRotated,
        tenant.object_ref(&()),
        note.join("; "),
    );
}

fn until_next_change(stored: &StoredKeys, policy: &TenantPolicy, now: Timestamp) -> Duration {
    let at = signing_key_schedule::next_change(&stored.records, &policy.keys);
    let wait = at.and_then(|at| Duration::try_from(at.duration_since(now)).ok());
    // A long sleep would not survive a clock that jumps; a short one would spin.
    wait.unwrap_or_default()
        .clamp(Duration::from_millis(200), Duration::from_mins(10))
}

async fn write_status(
    reconciler: &Reconciler,
    tenant: &OAuthTenant,
    policy: &TenantPolicy,
    (stored, outcome): (&Result<StoredKeys, Refusal>, &Result<(), Refusal>),
    now: Timestamp,
) -> Result<(), Error> {
    let wanted = status(tenant, policy, (stored, outcome), now);
    if tenant.status.as_ref() == Some(&wanted) {
        return Ok(());
    }
    let api: Api<OAuthTenant> = Api::all(reconciler.context.kube.clone());
    reconciler.apply_status(&api, tenant, &wanted).await?;
    let known = tenant.status.iter().flat_map(|status| &status.conditions);
    announce_refusal(reconciler, known, tenant.object_ref(&()), outcome);
    Ok(())
}

fn status(
    tenant: &OAuthTenant,
    policy: &TenantPolicy,
    (stored, outcome): (&Result<StoredKeys, Refusal>, &Result<(), Refusal>),
    now: Timestamp,
) -> OAuthTenantStatus {
    let mut previous = tenant.status.clone().unwrap_or_default();
    let created = tenant.meta().creation_timestamp.as_ref();
    since_creation(&mut previous.conditions, created);
    let (ready, stalled, reason, message) = match outcome {
        Ok(()) => (
            "True",
            "False",
            Reason::Available,
            format!("tokens are issued by {}", policy.issuer),
        ),
        Err(refusal) => ("False", "True", refusal.reason, refusal.message.clone()),
    };
    let states = [(READY, ready), (RECONCILING, "False"), (STALLED, stalled)];
    let generation = tenant.meta().generation;
    let known = &previous.conditions;
    let mut conditions = conditions(known, states, reason.as_str(), &message, generation, now);
    conditions.extend(warnings(tenant, outcome.is_ok(), known, now));
    OAuthTenantStatus {
        observed_generation: generation,
        issuer: Some(policy.issuer.to_string()),
        key_ids: match stored {
            Ok(stored) => stored
                .records
                .iter()
                .map(|record| record.key_id.clone())
                .collect(),
            Err(_) => previous.key_ids,
        },
        signing_keys: match stored {
            Ok(stored) => stored.records.iter().map(signing_key).collect(),
            Err(_) => previous.signing_keys,
        },
        last_handled_request_id: match stored {
            Ok(stored) => stored.answered.clone(),
            Err(_) => previous.last_handled_request_id,
        },
        conditions,
    }
}

/// The conditions beside Ready, Reconciling and Stalled: what an administrator should know.
fn warnings(
    tenant: &OAuthTenant,
    works: bool,
    known: &[Condition],
    now: Timestamp,
) -> Vec<Condition> {
    let generation = tenant.meta().generation;
    let (kind, reason) = (SERVES_EVERY_NAMESPACE, "NoSelector");
    let open = openness::warning(tenant);
    let open = open.map(|message| warning(known, kind, reason, message, generation, now));
    let advised = if works { advice(tenant) } else { Vec::new() };
    let advised = advisory(&advised, known, generation, now);
    open.into_iter().chain(advised).collect()
}

fn signing_key(record: &KeyRecord) -> SigningKeyStatus {
    SigningKeyStatus {
        key_id: record.key_id.clone(),
        algorithm: policy::name_of(record.algorithm),
        signs_from: in_whole_seconds(record.activates_at),
    }
}
