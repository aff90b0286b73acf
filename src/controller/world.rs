//! Everything the observer has seen, and the registry that follows from it.

mod tenants;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher;
use kube::{Resource, ResourceExt};

use super::claims::Claims;
use super::listed::Listed;
use super::observe::Observation;
use super::policy::Labels;
use super::register::{Surroundings, register};
use super::shared::{Shared, TenantState, Verdict};
use super::signing_secret;
use crate::api::{OAuthClient, OAuthTenant};
use crate::oauth::{Client, Registry, SigningKeys};
pub use tenants::missing_keys;
use tenants::{SigningState, signing_state};

/// A second list of either kind has arrived.
pub enum Confirmation {
    /// Of OAuthClients.
    Clients(Result<Vec<OAuthClient>, kube::Error>),
    /// Of OAuthTenants.
    Tenants(Result<Vec<OAuthTenant>, kube::Error>),
}

/// A judgement and what it was made of, to be made again only when that changes.
struct Memo {
    verdict: Arc<Verdict>,
    namespace: Arc<Labels>,
    id_holder: Option<String>,
}

/// What has been seen.
pub struct World {
    clients: Listed<OAuthClient>,
    tenants: Listed<OAuthTenant>,
    namespaces: HashMap<String, Arc<Labels>>,
    signing: HashMap<String, SigningState>,
    relisted_signing: HashMap<String, SigningState>,
    published: HashMap<String, Arc<SigningKeys>>,
    states: HashMap<String, (Arc<OAuthTenant>, Arc<TenantState>)>,
    memos: HashMap<String, Memo>,
    revision: u64,
}

impl World {
    /// Nothing seen yet.
    pub fn new(clients: Writer<OAuthClient>, tenants: Writer<OAuthTenant>) -> Self {
        Self {
            clients: Listed::new(clients),
            tenants: Listed::new(tenants),
            namespaces: HashMap::new(),
            signing: HashMap::new(),
            relisted_signing: HashMap::new(),
            published: HashMap::new(),
            states: HashMap::new(),
            memos: HashMap::new(),
            revision: 0,
        }
    }

    /// Takes in an observation. Returns whether the registry may have to change.
    pub fn apply(&mut self, shared: &Shared, observation: Observation) -> bool {
        match observation {
            Observation::Client(event) => {
                let changed = self.clients.apply(&shared.kube, &event);
                let complete = self.clients.is_complete();
                shared.note_progress(|progress| progress.clients = complete);
                changed
            }
            Observation::Tenant(event) => {
                let changed = self.tenants.apply(&shared.kube, &event);
                let complete = self.tenants.is_complete();
                shared.note_progress(|progress| progress.tenants = complete);
                changed
            }
            Observation::Namespace(event) => self.see_namespace(shared, event),
            Observation::OwnSecret(event) => self.see_own_secret(shared, event),
            Observation::Failed(kind, error) => {
                shared.metrics.watch_errors.inc();
                tracing::warn!(kind, %error, "a watch failed and is started again");
                false
            }
        }
    }

    fn see_namespace(
        &mut self,
        shared: &Shared,
        event: watcher::Event<PartialObjectMeta<Namespace>>,
    ) -> bool {
        match event {
            watcher::Event::Init => false,
            watcher::Event::InitApply(namespace) | watcher::Event::Apply(namespace) => {
                let labels = namespace.labels();
                let known = self.namespaces.get(&namespace.name_any());
                let changed = known.is_none_or(|known| **known != *labels);
                if changed {
                    self.namespaces
                        .insert(namespace.name_any(), Arc::new(labels.clone()));
                }
                changed
            }
            watcher::Event::InitDone => {
                shared.note_progress(|progress| progress.namespaces = true);
                true
            }
            watcher::Event::Delete(namespace) => {
                self.namespaces.remove(&namespace.name_any()).is_some()
            }
        }
    }

    fn see_own_secret(&mut self, shared: &Shared, event: watcher::Event<Secret>) -> bool {
        match event {
            watcher::Event::Init => self.relisted_signing.clear(),
            watcher::Event::InitApply(secret) => {
                self.relisted_signing.extend(signing_state(&secret));
            }
            watcher::Event::InitDone => {
                self.signing = std::mem::take(&mut self.relisted_signing);
                shared.note_progress(|progress| progress.signing_keys = true);
                return true;
            }
            watcher::Event::Apply(secret) => {
                let state = signing_state(&secret);
                let changed = state.is_some();
                self.signing.extend(state);
                return changed;
            }
            watcher::Event::Delete(secret) => {
                let name = secret.name_any();
                return signing_secret::tenant_of(&name)
                    .is_some_and(|tenant| self.signing.remove(tenant).is_some());
            }
        }
        false
    }

    /// The next second list.
    pub async fn confirmation(&mut self) -> Confirmation {
        tokio::select! {
            list = self.clients.confirmation() => Confirmation::Clients(list),
            list = self.tenants.confirmation() => Confirmation::Tenants(list),
        }
    }

    /// Settles a doubt.
    pub fn confirm(&mut self, shared: &Shared, confirmation: Confirmation) {
        match confirmation {
            Confirmation::Clients(list) => self.clients.confirm(&shared.kube, list),
            Confirmation::Tenants(list) => self.tenants.confirm(&shared.kube, list),
        }
    }

    /// When the brake lets go of something.
    pub fn brake_until(&self) -> Option<Instant> {
        [self.clients.brake_until(), self.tenants.brake_until()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Lets go of what was held for too long.
    pub fn release_brake(&mut self) {
        let released = [self.clients.release_brake(), self.tenants.release_brake()];
        if released.contains(&true) {
            tracing::warn!(
                "no second list could be read within a minute; what the first one lacked is dropped"
            );
        }
    }

    /// Builds the registry from everything seen and swaps it, then asks for a look at what changed.
    pub fn rebuild(&mut self, shared: &Shared) {
        let progress = *shared.progress.borrow();
        if !(progress.clients && progress.tenants && progress.namespaces && progress.signing_keys) {
            return;
        }
        let started = Instant::now();
        self.revision += 1;
        self.refresh_tenants(shared);
        let objects = self.clients.objects();
        let claims = Claims::new(objects.iter());
        let mut clients: HashMap<Arc<str>, HashMap<Arc<str>, Arc<Client>>> = HashMap::new();
        let mut changed = Vec::new();
        let mut alive = HashMap::with_capacity(objects.len());
        for object in objects {
            let uid = object.uid().unwrap_or_default();
            let (memo, fresh) = self.judge(&object, &uid, &claims);
            if fresh {
                changed.push(memo.verdict.clone());
            }
            if let (Some(client), Some(tenant)) = (acceptable(&memo.verdict), &memo.verdict.tenant)
            {
                let tenant = clients.entry(tenant.policy.name.clone()).or_default();
                tenant.insert(client.id.clone(), client.clone());
            }
            alive.insert(uid, memo);
        }
        let tenants = self.states.iter().map(|(name, (_, state))| {
            let clients = clients.remove(name.as_str()).unwrap_or_default();
            Arc::new(self.tenant(name, state, clients, Arc::default()))
        });
        let keyring = shared.root_keys.load().verifying.clone();
        let registry = Registry::new(self.revision, keyring, tenants.collect());
        shared
            .metrics
            .registry_clients
            .set(i64::try_from(registry.client_count()).unwrap_or(i64::MAX));
        shared.registry.store(Arc::new(registry));
        let gone = std::mem::replace(&mut self.memos, alive);
        self.report(shared, &changed, &gone, started.elapsed());
    }

    /// Judges an object again only if it, its tenant, its namespace or the holder of its ID changed.
    fn judge(&mut self, object: &Arc<OAuthClient>, uid: &str, claims: &Claims) -> (Memo, bool) {
        let tenant = self.states.get(&object.spec.tenant).map(|(_, state)| state);
        let namespace = self
            .namespaces
            .get(object.metadata.namespace.as_deref().unwrap_or_default());
        let id_holder = claims.other_holder(object);
        let before = self.memos.remove(uid);
        if let Some(memo) = &before {
            let same_tenant = match (&memo.verdict.tenant, tenant) {
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                (None, None) => true,
                _ => false,
            };
            let same_namespace =
                namespace.is_none_or(|labels| Arc::ptr_eq(labels, &memo.namespace));
            let same = Arc::ptr_eq(&memo.verdict.object, object) && same_tenant && same_namespace;
            if same && memo.id_holder.as_deref() == id_holder {
                return (before.expect("it was just looked at"), false);
            }
        }
        let superseded = before
            .as_ref()
            .filter(|memo| Arc::ptr_eq(&memo.verdict.object, object))
            .map(|memo| memo.verdict.superseded.clone())
            .unwrap_or_default();
        let namespace = namespace
            .cloned()
            .unwrap_or_else(|| Arc::new(own_name(object)));
        let around = Surroundings {
            tenant: tenant.map(|state| &state.policy),
            namespace: &namespace,
            id_holder,
        };
        let client = register(object, around).map(Arc::new);
        // The registration itself mostly stays the same; keep one copy of it.
        let client = match (client, before.map(|memo| memo.verdict.client.clone())) {
            (Ok(new), Some(Ok(old))) if new == old => Ok(old),
            (new, _) => new,
        };
        let verdict = Arc::new(Verdict {
            object: object.clone(),
            client,
            tenant: tenant.cloned(),
            superseded,
        });
        let id_holder = id_holder.map(str::to_owned);
        (
            Memo {
                verdict,
                namespace,
                id_holder,
            },
            true,
        )
    }

    fn report(
        &self,
        shared: &Shared,
        changed: &[Arc<Verdict>],
        gone: &HashMap<String, Memo>,
        took: Duration,
    ) {
        {
            let mut verdicts = shared
                .verdicts
                .write()
                .expect("no holder of this lock panics");
            for uid in gone.keys() {
                verdicts.remove(uid);
            }
            for verdict in changed {
                verdicts.insert(verdict.object.uid().unwrap_or_default(), verdict.clone());
            }
        }
        shared.note_progress(|progress| progress.registry = true);
        for verdict in changed {
            shared.enqueue(ObjectRef::from_obj(&*verdict.object));
        }
        let held = self.clients.held() + self.tenants.held();
        shared
            .metrics
            .brake_held
            .set(i64::try_from(held).unwrap_or(i64::MAX));
        shared
            .metrics
            .registry_revision
            .set(i64::try_from(self.revision).unwrap_or(i64::MAX));
        shared
            .metrics
            .registry_rebuild_seconds
            .set(took.as_secs_f64());
        tracing::debug!(
            revision = self.revision,
            changed = changed.len(),
            gone = gone.len(),
            ?took,
            "the registry was rebuilt"
        );
    }
}

/// The client of an object, unless the object is going or suspended.
fn acceptable(verdict: &Verdict) -> Option<&Arc<Client>> {
    let object = &verdict.object;
    let serves = object.meta().deletion_timestamp.is_none() && !object.spec.suspended;
    verdict.client.as_ref().ok().filter(|_| serves)
}

/// Every namespace has the label of its name, also one that has not been seen yet.
fn own_name(object: &OAuthClient) -> Labels {
    let name = object.namespace().unwrap_or_default();
    Labels::from([("kubernetes.io/metadata.name".to_owned(), name)])
}
