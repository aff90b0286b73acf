//! The root key: made once, then only ever read. Whatever a list says, it is never made again silently.

pub mod installation;
pub mod judge;
pub mod retire;
pub mod rotate;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use clientele_oauth::Keyring;
use clientele_oauth::keys::recorded_keys::{CURRENT, is_withdrawn, withdrawn};
use clientele_oauth::keys::root_keyring::{ROOT_KEY_LEN, RootKey};
use clientele_telemetry::audit::{AuditEvent, AuditRecord};
use futures::StreamExt;
use futures::stream::BoxStream;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::{ByteString, NamespaceResourceScope};
use kube::api::{ListParams, ObjectMeta};
use kube::runtime::watcher::Event;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use self::installation::{read_marks, write_marks};
use self::judge::{RootKeyJudgement, judge};
use self::rotate::Place;
use super::domain::client::secret::MANAGED_BY;
use super::error::Error;
use super::settings::INSTALLATION;
use crate::apply::params;
use crate::cache::Cache;
use crate::cache::leadership::Leader;
use crate::cache::progress::Readiness;
use crate::cache::rebuild::RebuildRequest;
use crate::cache::root_keys::{KnownRootKeys, RootKeys};
use crate::cache::work_queues::WorkQueues;
use crate::context::Context;
use crate::domain::kept::Kept;
use crate::list::read::ReadError;
use crate::root_key::installation::MARK;
use crate::watch::events::{Selection, events};

/// Which key derives since when, while there are others.
const SINCE: &str = "current-root-key";
/// How soon a failed look is repeated.
const RETRY: Duration = Duration::from_secs(3);
/// Who hears nothing of what it records looks again after this: meanwhile a key may have been withdrawn. Enough for an
/// API server that takes ten seconds for each answer.
const RECORDED: Duration = Duration::from_secs(30);

/// A Secret with a fresh root key.
pub fn fresh(namespace: &str, name: &str) -> Result<Secret, Error> {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut id = [0; 8];
    let mut key = vec![0; ROOT_KEY_LEN];
    let filled = aws_lc_rs::rand::fill(&mut id).and_then(|()| aws_lc_rs::rand::fill(&mut key));
    filled.map_err(|_| Error::Key("the random source failed; no root key was created"))?;
    let id: String = id
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    let label = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    Ok(Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: Some([label(MANAGED_BY), label(("clientele.dev/root-key", "true"))].into()),
            ..ObjectMeta::default()
        },
        type_: Some("Opaque".to_owned()),
        data: Some(
            [
                (CURRENT.to_owned(), ByteString(id.clone().into_bytes())),
                (id, ByteString(key)),
            ]
            .into(),
        ),
        ..Secret::default()
    })
}

/// Reads the root keys, creates the first one, and replaces those in memory.
pub struct RootKeyReader {
    /// The connection, the settings, and where to report.
    pub context: Arc<Context>,
    /// What is known of the cluster.
    pub cache: Arc<Cache>,
    /// The keys in memory.
    pub root_keys: Arc<RootKeys>,
    /// Whether this replica writes.
    pub leader: Arc<Leader>,
    /// What has been listed, and whether the installation was bootstrapped.
    pub readiness: Arc<Readiness>,
    /// Where every OAuthClient is enqueued when the same keys may derive again, or no longer.
    pub queues: Arc<WorkQueues>,
    /// Asks for the registry to be rebuilt with them.
    pub rebuild: Arc<RebuildRequest>,
}

/// Keeps the root keys in memory true, for ever.
pub async fn watch(reader: Arc<RootKeyReader>) {
    let mut progress = reader.readiness.subscribe();
    // Whether anything was issued is known only when the OAuthClients are.
    let _ = progress.wait_for(|progress| progress.clients).await;
    let root_key = &reader.context.settings.root_key_secret;
    let mut changes = futures::stream::select(
        changes::<Secret>(&reader, "root key", root_key),
        changes::<ConfigMap>(&reader, "marks of the installation", INSTALLATION),
    );
    let mut lead = reader.leader.subscribe();
    loop {
        let look = look(&reader).await;
        let pause = if look.is_ok() {
            Duration::from_hours(1)
        } else {
            RETRY
        };
        if let Err(error) = look {
            tracing::warn!(%error, "could not read the root key, will retry");
        }
        tokio::select! {
            change = changes.next() => if let Some(Err(error)) = change {
                reader.context.metrics.watch.errors.inc();
                tracing::warn!(%error, "a watch of the root key and its marks failed, restarting it");
            },
            // Who begins to write records what is not recorded.
            _ = lead.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// That something happens to an object of the operator's namespace.
fn changes<K>(
    reader: &RootKeyReader,
    what: &'static str,
    name: &str,
) -> BoxStream<'static, Result<(), Box<ReadError>>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Default
        + DeserializeOwned
        + Send
        + 'static,
{
    let context = &reader.context;
    let selection = Selection::<K> {
        what,
        api: Api::namespaced(context.kube.clone(), &context.settings.namespace),
        params: ListParams::default().fields(&format!("metadata.name={name}")),
        quotable: false,
    };
    let is_news = |heard| {
        std::future::ready(match heard {
            Ok(Event::Init | Event::InitApply(_)) => None,
            Ok(_) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        })
    };
    events(context, selection).filter_map(is_news).boxed()
}

/// Reads, judges and, at the first start, makes.
async fn look(reader: &RootKeyReader) -> Result<(), Error> {
    let _reading = reader.root_keys.begin_reading().await;
    match look_once(reader).await? {
        Look::Judged => Ok(()),
        // Nothing is derived before the key was read back and its fingerprint recorded.
        Look::Made => look_once(reader).await.map(drop),
    }
}

/// What became of it.
enum Look {
    Judged,
    /// A root key was made, by us or another replica.
    Made,
}

async fn look_once(reader: &RootKeyReader) -> Result<Look, Error> {
    let settings = &reader.context.settings;
    let secrets: Api<Secret> = Api::namespaced(reader.context.kube.clone(), &settings.namespace);
    let secret = secrets
        .get_opt(&settings.root_key_secret)
        .await
        .map_err(Error::api("read the root key"))?;
    let marks = read_marks(&reader.context).await?;
    let issued = reader.cache.clients.any(Kept::has_ledger);
    let place = Place {
        namespace: &settings.namespace,
        name: &settings.root_key_secret,
    };
    match judge(place, secret.as_ref(), &marks, issued) {
        // The leader makes it, and the watch tells.
        RootKeyJudgement::FirstStart if !reader.leader.is_ours() => Ok(Look::Judged),
        RootKeyJudgement::FirstStart => {
            let fresh = fresh(&settings.namespace, &settings.root_key_secret)?;
            match secrets.create(&params(), &fresh).await {
                Ok(_) => record(
                    reader,
                    AuditEvent::RootKeyMade,
                    "back up this Secret: every client secret is derived from it",
                ),
                // Another replica was first; its key is ours.
                Err(kube::Error::Api(status)) if status.is_already_exists() => {}
                Err(error) => return Err(Error::api("create the root key")(error)),
            }
            Ok(Look::Made)
        }
        RootKeyJudgement::Usable(keyring, mut unrecorded) => {
            let keyring = Arc::new(keyring);
            if reader.readiness.is_bootstrapped() && !marks.contains_key(MARK.0) {
                unrecorded.insert(MARK.0.to_owned(), MARK.1.to_owned());
            }
            if !unrecorded.is_empty() && reader.leader.is_ours() {
                forget_withdrawn(reader, &keyring);
                let written = timeout(RECORDED, write_marks(&reader.context, unrecorded)).await;
                written.map_err(|_| Error::NoAnswer("record the root key"))??;
            }
            accept(reader, keyring, left(secret.as_ref(), &marks));
            Ok(Look::Judged)
        }
        RootKeyJudgement::Refuse(problem) => {
            let in_memory = reader.root_keys.load().verifying.clone();
            let verifying = in_memory.and_then(|keyring| not_withdrawn(keyring, &marks));
            refuse(reader, verifying, problem);
            Ok(Look::Judged)
        }
    }
}

/// Reads and judges now what a watch may not have told yet. Whether other root keys are used than before; then everybody
/// is read again.
pub async fn look_again(reader: &RootKeyReader) -> Result<bool, Error> {
    let before = reader.root_keys.load_full();
    look(reader).await?;
    let now = reader.root_keys.load_full();
    let same = are_same(before.verifying.as_ref(), now.verifying.as_ref());
    Ok(!same || before.problem != now.problem)
}

/// The withdrawn keys in a Secret that is ours to write: the command that withdrew them was interrupted.
fn left(secret: Option<&Secret>, marks: &BTreeMap<String, String>) -> Vec<String> {
    let ours = secret.filter(|secret| is_ours(secret));
    let entries = ours.and_then(|secret| secret.data.as_ref());
    let ids = entries.into_iter().flatten().map(|(id, _)| id);
    ids.filter(|id| withdrawn(id, marks).is_some())
        .cloned()
        .collect()
}

/// Whether we made the Secret; an administrator writes a provided one.
fn is_ours(secret: &Secret) -> bool {
    secret
        .labels()
        .get(MANAGED_BY.0)
        .is_some_and(|by| by == MANAGED_BY.1)
}

fn accept(reader: &RootKeyReader, keyring: Arc<Keyring>, left: Vec<String>) {
    let before = reader.root_keys.load();
    let known = before.verifying.as_ref();
    let same = known.filter(|known| known.is_same(&keyring));
    reader.context.metrics.root_key_usable.set(1);
    if let Some(known) = same
        && before.problem.is_none()
    {
        if before.left != left {
            reader.root_keys.store(KnownRootKeys {
                verifying: Some(known.clone()),
                problem: None,
                left,
            });
        }
        return;
    }
    if !before.is_pending() {
        let reason = "the set of root keys in use changed";
        record(reader, AuditEvent::RootKeyAccepted, reason);
    }
    use_keys(
        reader,
        KnownRootKeys {
            verifying: Some(keyring),
            problem: None,
            left,
        },
    );
}

/// What was withdrawn stops before anything is recorded, whatever becomes of the record.
fn forget_withdrawn(reader: &RootKeyReader, keyring: &Arc<Keyring>) {
    let before = reader.root_keys.load();
    let known = before.verifying.iter().flat_map(|known| known.keys());
    let mut kept = known.map(|known| keyring.keys().iter().any(|key| key.is_same(known)));
    if !kept.all(|kept| kept) {
        let problem = format!(
            "a root key was withdrawn, and its successor is not recorded in ConfigMap {INSTALLATION:?} yet. Until then the operator issues and changes nothing; if this lasts, check why the operator cannot write that ConfigMap"
        );
        refuse(reader, Some(keyring.clone()), problem);
    }
}

/// What of the keys in memory goes on verifying.
fn not_withdrawn(keyring: Arc<Keyring>, marks: &BTreeMap<String, String>) -> Option<Arc<Keyring>> {
    let stays = |key: &RootKey| !is_withdrawn(key, marks);
    if keyring.keys().iter().all(|key| stays(key)) {
        return Some(keyring);
    }
    keyring.only(stays).map(Arc::new)
}

/// These keys go on verifying, but nothing is derived.
fn refuse(reader: &RootKeyReader, verifying: Option<Arc<Keyring>>, problem: String) {
    let before = reader.root_keys.load();
    reader.context.metrics.root_key_usable.set(0);
    let same = match (&before.verifying, &verifying) {
        (Some(known), Some(keyring)) => known.is_same(keyring),
        (known, keyring) => known.is_none() && keyring.is_none(),
    };
    if same && before.problem.as_ref() == Some(&problem) {
        return;
    }
    tracing::error!("{problem}");
    record(reader, AuditEvent::RootKeyRefused, &problem);
    use_keys(
        reader,
        KnownRootKeys {
            verifying,
            problem: Some(problem),
            left: Vec::new(),
        },
    );
}

/// With other keys the registry is made again, and then every client is enqueued; what is reconciled before could do nothing.
fn use_keys(reader: &RootKeyReader, known: KnownRootKeys) {
    let before = reader.root_keys.load_full();
    let same = are_same(before.verifying.as_ref(), known.verifying.as_ref());
    reader.root_keys.store(known);
    reader.rebuild.request();
    if same {
        reader.queues.clients.enqueue_all(None);
    }
}

/// Whether both are one keyring, or none.
fn are_same(one: Option<&Arc<Keyring>>, other: Option<&Arc<Keyring>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

fn record(reader: &RootKeyReader, act: AuditEvent, reason: &str) {
    let line = AuditRecord {
        kind: Some("Secret"),
        namespace: Some(&reader.context.settings.namespace),
        name: Some(&reader.context.settings.root_key_secret),
        reason: Some(reason),
        ..AuditRecord::default()
    };
    reader.context.audit.record(act, &line);
}

/// The fingerprint of a key.
fn fingerprint(id: &str, bytes: &[u8]) -> Result<String, Error> {
    let key = RootKey::new(id, bytes);
    let key = key.map_err(|_| Error::Key("the Secret has an entry that is not a root key"))?;
    Ok(key.fingerprint().to_owned())
}

#[cfg(test)]
mod tests;
