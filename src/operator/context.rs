//! What observer and controllers share.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use kube::runtime::reflector::{ObjectRef, ObjectRefExtra, Store};
use tokio::sync::{Notify, mpsc, watch};

use super::cache::client_secrets::BroughtIndex;
use super::cache::credentials::SecretIndex;
use super::cache::passwords::{Job, PasswordIndex};
use super::domain::client::secret::digest::Digests;
use super::domain::reason::Refusal;
use super::domain::tenant::policy::TenantPolicy;
use super::events::EventSink;
use super::leader::election::Lead;
use super::metrics::ControllerMetrics;
use super::reconcile::throttle::Spacing;
use super::registry::rollout::Agreement;
use super::settings::Settings;
use super::token_review::ClusterTokens;
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::client::secret_rotation::Pace;
use clientele_oauth::client::secret_usage::Usage;
use clientele_oauth::{Client, Keyring, Registry, User};
use clientele_telemetry::audit::Audit;

/// The root keys as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct RootKeys {
    /// They verify; kept in memory when the Secret is lost while we run.
    pub verifying: Option<Arc<Keyring>>,
    /// Why nothing may be derived now.
    pub problem: Option<String>,
    /// The IDs of those that were withdrawn and still lie in a Secret of ours.
    pub left: Vec<String>,
}

impl RootKeys {
    /// Whether nothing is known of them yet.
    pub fn is_pending(&self) -> bool {
        self.verifying.is_none() && self.problem.is_none()
    }

    /// The keys that derive, or why there are none.
    pub fn deriving(&self) -> Result<&Keyring, &str> {
        match (&self.problem, &self.verifying) {
            (None, Some(keyring)) => Ok(keyring),
            (Some(problem), _) => Err(problem),
            (None, None) => Err("the root key has not been read yet"),
        }
    }
}

/// What the registry says about an object, as of one version of it.
#[derive(Debug)]
pub struct Verdict {
    /// The version that was judged.
    pub object: Arc<OAuthClient>,
    /// The client that is registered, or why none is.
    pub client: Result<Arc<Client>, Refusal>,
    /// The tenant at that time.
    pub tenant: Option<Arc<TenantState>>,
    /// Whether we have written a newer version of the object ourselves. The watch brings it, and with it
    /// the next verdict; a pass over this version would only write the same again. Shared by all verdicts
    /// about the same version.
    pub superseded: Arc<AtomicBool>,
}

/// What the registry says about a person, as of one version of the object.
#[derive(Debug)]
pub struct UserVerdict {
    /// The version that was judged.
    pub object: Arc<OAuthUser>,
    /// The person, or why there is none.
    pub person: Result<Arc<User>, Refusal>,
    /// The tenant at that time.
    pub tenant: Option<Arc<TenantState>>,
    /// Whether the password still has to be looked at or hashed. Another verdict follows in a moment.
    pub pending: bool,
    /// What began earlier is over.
    pub valid_from: Timestamp,
    /// As in [`Verdict::superseded`].
    pub superseded: Arc<AtomicBool>,
}

/// A tenant as the observer sees it.
#[derive(Debug)]
pub struct TenantState {
    /// Its rules.
    pub policy: TenantPolicy,
    /// Why it cannot issue tokens, if it cannot.
    pub problem: Option<Refusal>,
}

/// Which parts have been seen completely at least once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each seen on its own"
)]
pub struct Progress {
    /// The list of OAuthClients.
    pub clients: bool,
    /// The list of OAuthTenants.
    pub tenants: bool,
    /// The list of OAuthUsers.
    pub users: bool,
    /// The list of namespaces.
    pub namespaces: bool,
    /// The signing keys.
    pub signing_keys: bool,
    /// The registry was built from all of them, with the root keys and the passwords.
    pub registry: bool,
    /// The tenant `default` was made, or need not be.
    pub bootstrap: bool,
}

/// Everything that observer and controllers share.
pub struct Shared {
    /// The connection to the API server.
    pub kube: kube::Client,
    /// What we were told.
    pub settings: Settings,
    /// The registry that the server reads.
    pub registry: Arc<ArcSwap<Registry>>,
    /// Whether this replica writes.
    pub lead: Lead,
    /// What every replica serves.
    pub agreement: Arc<Agreement>,
    /// The root keys.
    pub root_keys: ArcSwap<RootKeys>,
    /// Held while they are read and judged, so that what was read earlier never replaces what was read later.
    pub root_key_look: tokio::sync::Mutex<()>,
    /// What the registry says about each object, by UID.
    pub verdicts: RwLock<HashMap<Arc<str>, Arc<Verdict>>>,
    /// Whether the tenant `default` was made, now or long ago; the mark of it outlives its ConfigMap here.
    pub bootstrapped: AtomicBool,
    /// What the registry says about each person, by the UID of the object.
    pub user_verdicts: RwLock<HashMap<String, Arc<UserVerdict>>>,
    /// What all replicas have seen of the use of client secrets; none while nothing is known.
    pub usage: Arc<ArcSwapOption<Usage>>,
    /// Which rotation that can wait begins when.
    pub pace: Mutex<Pace>,
    /// How often each object is written about.
    pub spacing: Mutex<Spacing>,
    /// The OAuthClients as listed and watched.
    pub clients: Store<OAuthClient>,
    /// The OAuthTenants as listed and watched.
    pub tenants: Store<OAuthTenant>,
    /// The OAuthUsers as listed and watched.
    pub users: Store<OAuthUser>,
    /// The credentials Secrets.
    pub secrets: SecretIndex,
    /// The passwords.
    pub passwords: PasswordIndex,
    /// Plaintexts to hash.
    pub password_jobs: mpsc::UnboundedSender<Job>,
    /// Secrets with passwords, by namespace and name, to read once more.
    pub password_reads: mpsc::UnboundedSender<(String, String)>,
    /// The client secrets that somebody brings.
    pub brought: BroughtIndex,
    /// What the cluster says about its own tokens.
    pub cluster: ClusterTokens,
    /// The key of the digests of Secrets.
    pub digests: Digests,
    /// OAuthClients to look at.
    pub client_queue: mpsc::UnboundedSender<ObjectRef<OAuthClient>>,
    /// OAuthTenants to look at.
    pub tenant_queue: mpsc::UnboundedSender<ObjectRef<OAuthTenant>>,
    /// OAuthUsers to look at.
    pub user_queue: mpsc::UnboundedSender<ObjectRef<OAuthUser>>,
    /// Tells the observer that something outside its watches changed.
    pub changed: Notify,
    /// What has been seen so far.
    pub progress: watch::Sender<Progress>,
    /// Events for people.
    pub events: EventSink,
    /// Numbers for machines.
    pub metrics: Arc<ControllerMetrics>,
    /// What is written down.
    pub audit: Arc<Audit>,
}

impl Shared {
    /// How long a pass over an object waits, because it was written about so often.
    pub fn wait_to_write(&self, uid: &str) -> Option<Duration> {
        let spacing = self.spacing.lock().expect("no holder of this lock panics");
        spacing.wait(uid, Instant::now())
    }

    /// Notes a write about an object.
    pub fn note_write(&self, uid: Option<&str>) {
        let mut spacing = self.spacing.lock().expect("no holder of this lock panics");
        spacing.note(uid.unwrap_or_default(), Instant::now());
    }

    /// Asks for a look at an OAuthClient.
    pub fn enqueue(&self, mut client: ObjectRef<OAuthClient>) {
        // Thousands wait at times, and nobody reads their UIDs and versions.
        client.extra = ObjectRefExtra::default();
        // Fails only when the controller has ended, and then there is nothing left to do.
        let _ = self.client_queue.send(client);
    }

    /// Asks for a look at every OAuthClient of a namespace, or of all.
    pub fn enqueue_all(&self, namespace: Option<&str>) {
        for object in self.clients.state() {
            if namespace.is_none() || object.metadata.namespace.as_deref() == namespace {
                self.enqueue(ObjectRef::from_obj(&*object));
            }
        }
    }

    /// Asks for a look at everything.
    pub fn enqueue_everything(&self) {
        for tenant in self.tenants.state() {
            // Fails only when the controller has ended, and then there is nothing left to do.
            let _ = self.tenant_queue.send(ObjectRef::from_obj(&*tenant));
        }
        self.enqueue_all(None);
        self.enqueue_users();
    }

    /// Asks for a look at every OAuthUser.
    pub fn enqueue_users(&self) {
        for object in self.users.state() {
            // Fails only when the controller has ended, and then there is nothing left to do.
            let _ = self.user_queue.send(ObjectRef::from_obj(&*object));
        }
    }

    /// Whether every client secret that is brought was looked at.
    pub fn is_brought_settled(&self) -> bool {
        let objects = self.clients.state();
        self.brought
            .is_settled(objects.iter().map(|object| &**object))
    }

    /// Whether the registry verifies with the root keys that derive now. Until then nothing is published: who reads a
    /// credentials Secret the moment it appears is accepted. When it does, every OAuthClient is looked at again.
    pub fn serves_its_root_keys(&self) -> bool {
        let (registry, keys) = (self.registry.load(), self.root_keys.load());
        match (&registry.keyring, &keys.verifying) {
            (Some(served), Some(known)) => Arc::ptr_eq(served, known),
            (None, None) => true,
            _ => false,
        }
    }

    /// Records what has been seen.
    pub fn note_progress(&self, note: impl FnOnce(&mut Progress)) {
        self.progress.send_if_modified(|progress| {
            let before = *progress;
            note(progress);
            *progress != before
        });
    }

    /// What is still missing before the server may be asked; `Ok` when nothing is.
    pub fn ready(&self) -> Result<(), String> {
        let progress = *self.progress.borrow();
        let missing = [
            (progress.clients, "OAuthClients have not been listed yet"),
            (progress.tenants, "OAuthTenants have not been listed yet"),
            (progress.users, "OAuthUsers have not been listed yet"),
            (progress.namespaces, "namespaces have not been listed yet"),
            (
                progress.signing_keys,
                "signing keys have not been listed yet",
            ),
        ];
        if let Some((_, sentence)) = missing.iter().find(|(seen, _)| !seen) {
            return Err((*sentence).to_owned());
        }
        let root_keys = self.root_keys.load();
        if root_keys.verifying.is_none() {
            let problem = root_keys.problem.as_deref();
            return Err(problem
                .unwrap_or("the root key has not been read yet")
                .to_owned());
        }
        if !self.passwords.is_settled() {
            return Err("the passwords of OAuthUsers have not been looked at yet".to_owned());
        }
        if !self.is_brought_settled() {
            return Err(
                "the client secrets that are brought have not been looked at yet".to_owned(),
            );
        }
        if !progress.registry {
            return Err("the registry has not been built yet".to_owned());
        }
        if !progress.bootstrap {
            return Err("the tenant `default` is not there yet".to_owned());
        }
        let registry = self.registry.load();
        let unsigned = registry
            .tenants
            .values()
            .find(|tenant| tenant.signing_keys.is_none());
        // One tenant without keys must not take the others out of service; all without are no service.
        match unsigned {
            Some(tenant) if registry.tenants.values().all(|t| t.signing_keys.is_none()) => {
                Err(format!(
                    "the signing keys of OAuthTenant {:?} are not loaded",
                    &*tenant.name
                ))
            }
            _ => Ok(()),
        }
    }
}
