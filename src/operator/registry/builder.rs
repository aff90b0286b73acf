//! Everything the observer has seen, and the registry that follows from it.

mod arrivals;
mod clients;
mod tenants;
pub(crate) mod users;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::ListParams;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::observer::{Observation, slim, slim_client, slim_user};
use crate::cache::object_store::Listed;
use crate::cache::relist_check::{Doubt, List};
use crate::cache::signing_keys::Signing;
use crate::context::{Shared, TenantState, Verdict};
use crate::domain::tenant::policy::Labels;
use crate::domain::user::validate;
use arrivals::record_client_gone;
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::{Client, Registry, SigningKeys, Users};
use clients::{Memo, acceptable, key, unsaid};
pub use tenants::missing_keys;
use users::{Judged, UserMemo};

/// A second list of some kind has arrived.
pub enum Confirmation {
    /// Of OAuthClients.
    Clients(List<OAuthClient>),
    /// Of OAuthTenants.
    Tenants(List<OAuthTenant>),
    /// Of OAuthUsers.
    Users(List<OAuthUser>),
    /// Of Secrets of the operator's namespace.
    OwnSecrets(List<Secret>),
}

/// What has been seen.
pub struct World {
    clients: Listed<OAuthClient>,
    tenants: Listed<OAuthTenant>,
    users: Listed<OAuthUser>,
    namespaces: HashMap<String, Arc<Labels>>,
    signing: Signing,
    published: HashMap<String, Arc<SigningKeys>>,
    states: HashMap<String, (Arc<OAuthTenant>, Arc<TenantState>)>,
    memos: HashMap<Arc<str>, Memo>,
    user_memos: HashMap<String, UserMemo>,
    people: HashMap<String, Arc<Users>>,
    arrivals: HashMap<String, Instant>,
    revision: u64,
}

impl World {
    /// Nothing seen yet.
    pub fn new(
        shared: &Shared,
        clients: Writer<OAuthClient>,
        tenants: Writer<OAuthTenant>,
        users: Writer<OAuthUser>,
    ) -> Self {
        let own = Api::namespaced(shared.kube.clone(), &shared.settings.namespace);
        let signing = doubt("signing keys", shared, own);
        Self {
            clients: listed("OAuthClient", shared, clients, slim_client),
            tenants: listed("OAuthTenant", shared, tenants, slim),
            users: listed("OAuthUser", shared, users, slim_user),
            namespaces: HashMap::new(),
            signing: Signing::new(signing),
            published: HashMap::new(),
            states: HashMap::new(),
            memos: HashMap::new(),
            user_memos: HashMap::new(),
            people: HashMap::new(),
            arrivals: HashMap::new(),
            revision: 0,
        }
    }

    /// Takes in an observation. Returns whether the registry may have to change.
    pub fn apply(&mut self, shared: &Shared, observation: Observation) -> bool {
        match observation {
            Observation::Client(event) => {
                self.note_arrival(&event);
                let changed = self.clients.apply(&event);
                let complete = self.clients.is_complete();
                shared.note_progress(|progress| progress.clients = complete);
                changed
            }
            Observation::Tenant(event) => {
                let changed = self.tenants.apply(&event);
                let complete = self.tenants.is_complete();
                shared.note_progress(|progress| progress.tenants = complete);
                changed
            }
            Observation::User(event) => {
                let changed = self.users.apply(&event);
                self.want_passwords(shared, &event);
                let complete = self.users.is_complete();
                shared.note_progress(|progress| progress.users = complete);
                changed
            }
            Observation::Namespace(event) => self.see_namespace(shared, event),
            Observation::OwnSecret(event) => {
                let complete = matches!(event, watcher::Event::InitDone);
                let changed = self.signing.apply(event);
                shared.note_progress(|progress| progress.signing_keys |= complete);
                changed
            }
            Observation::Failed(kind, error) => {
                shared.metrics.watch_errors.inc();
                tracing::warn!(kind, %error, "a watch failed and is started again");
                false
            }
        }
    }

    /// Says which entries of Secrets are looked at, before anybody is known to have been listed.
    fn want_passwords(&self, shared: &Shared, event: &watcher::Event<OAuthUser>) {
        match event {
            watcher::Event::Apply(user) => want_password(shared, user),
            watcher::Event::InitDone => {
                for user in self.users.objects() {
                    want_password(shared, &user);
                }
            }
            _ => {}
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

    /// The next second list.
    pub async fn confirmation(&mut self) -> Confirmation {
        tokio::select! {
            list = self.clients.confirmation() => Confirmation::Clients(list),
            list = self.tenants.confirmation() => Confirmation::Tenants(list),
            list = self.users.confirmation() => Confirmation::Users(list),
            list = self.signing.confirmation() => Confirmation::OwnSecrets(list),
        }
    }

    /// Settles a doubt.
    pub fn confirm(&mut self, confirmation: Confirmation) {
        match confirmation {
            Confirmation::Clients(list) => self.clients.confirm(list),
            Confirmation::Tenants(list) => self.tenants.confirm(list),
            Confirmation::Users(list) => self.users.confirm(list),
            Confirmation::OwnSecrets(list) => self.signing.confirm(list),
        }
    }

    /// When the brake lets go of something.
    pub fn brake_until(&self) -> Option<Instant> {
        let each = [
            self.clients.brake_until(),
            self.tenants.brake_until(),
            self.users.brake_until(),
            self.signing.brake_until(),
        ];
        each.into_iter().flatten().min()
    }

    /// Lets go of what was held for too long.
    pub fn release_brake(&mut self) {
        self.clients.release_brake();
        self.tenants.release_brake();
        self.users.release_brake();
        self.signing.release_brake();
    }

    /// Builds the registry from everything seen and swaps it, then asks for a look at what changed.
    pub fn rebuild(&mut self, shared: &Shared) {
        let progress = *shared.progress.borrow();
        let listed = progress.clients && progress.tenants && progress.users;
        if !(listed && progress.namespaces && progress.signing_keys) {
            return;
        }
        let started = Instant::now();
        // Known beforehand, so that a registry that is said to be complete holds everybody with their passwords.
        let complete = shared.passwords.is_settled()
            && shared.is_brought_settled()
            && shared.root_keys.load().verifying.is_some();
        self.revision += 1;
        self.refresh_tenants(shared);
        let objects = self.clients.objects();
        let names = self.names();
        let people = self.judge_people(shared, &names);
        let mut clients: HashMap<Arc<str>, HashMap<Arc<str>, Arc<Client>>> = HashMap::new();
        let mut changed = Vec::new();
        for object in objects {
            let (verdict, fresh) = self.judge(shared, &object, &names.ids);
            if let (Some(client), Some(tenant)) = (acceptable(&verdict), &verdict.tenant) {
                let name = &tenant.policy.name;
                let tenant = clients.entry(name.clone());
                let tenant = tenant.or_insert_with(|| HashMap::with_capacity(served(shared, name)));
                tenant.insert(client.id.clone(), client.clone());
            }
            changed.extend(fresh.then_some(verdict));
        }
        let issuer = shared.cluster.issuer();
        let tenants = self.states.iter().map(|(name, (_, state))| {
            let clients = clients.remove(name.as_str()).unwrap_or_default();
            let people = self.people.get(name).cloned().unwrap_or_default();
            Arc::new(self.tenant(name, state, clients, people, issuer.clone()))
        });
        let keyring = shared.root_keys.load().verifying.clone();
        let registry = Registry::new(self.revision, keyring, tenants.collect());
        let other_keys = !shared.serves_its_root_keys();
        shared
            .metrics
            .registry_clients
            .set(i64::try_from(registry.client_count()).unwrap_or(i64::MAX));
        shared.registry.store(Arc::new(registry));
        // Kept in place and not collected anew: a table of thousands for every rebuild leaves holes in the heap.
        let revision = self.revision;
        let gone = self.memos.extract_if(|_, memo| memo.seen != revision);
        let gone: HashMap<_, _> = gone.collect();
        self.tell_served(shared);
        self.count_arrivals(shared);
        let refused = self
            .memos
            .values()
            .filter(|memo| memo.verdict.client.is_err())
            .count();
        shared
            .metrics
            .registry_refused
            .set(i64::try_from(refused).unwrap_or(i64::MAX));
        self.report(shared, &changed, &gone, started.elapsed());
        if other_keys {
            shared.enqueue_all(None);
        } else {
            for verdict in &changed {
                shared.enqueue(ObjectRef::from_obj(&*verdict.object));
            }
        }
        report_people(shared, &people);
        shared.note_progress(|progress| progress.registry |= complete);
    }

    fn tell_served(&self, shared: &Shared) {
        let memos = self.memos.values();
        let served = memos.filter_map(|memo| unsaid(&memo.verdict));
        shared.agreement.serve(served);
    }

    fn tenant_state(&self, name: &str) -> Option<&Arc<TenantState>> {
        self.states.get(name).map(|(_, state)| state)
    }

    fn tenant_uid(&self, name: &str) -> String {
        let object = self.states.get(name).map(|(object, _)| object);
        object.and_then(|object| object.uid()).unwrap_or_default()
    }

    fn labels(&self, namespace: Option<&str>) -> Option<&Arc<Labels>> {
        self.namespaces.get(namespace?)
    }

    fn report(
        &self,
        shared: &Shared,
        changed: &[Arc<Verdict>],
        gone: &HashMap<Arc<str>, Memo>,
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
                verdicts.insert(key(verdict), verdict.clone());
            }
        }
        for memo in gone.values() {
            record_client_gone(shared, memo);
        }
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

fn listed<K>(what: &'static str, shared: &Shared, writer: Writer<K>, cut: fn(K) -> K) -> Listed<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    Listed::new(
        doubt(what, shared, Api::all(shared.kube.clone())),
        writer,
        cut,
    )
}

fn doubt<K, V>(what: &'static str, shared: &Shared, api: Api<DeserializeGuard<K>>) -> Doubt<K, V>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    Doubt::new(what, api, ListParams::default(), &shared.metrics.brake_held)
}

/// How many clients of a tenant are served so far: mostly as many as will be.
fn served(shared: &Shared, tenant: &str) -> usize {
    let registry = shared.registry.load();
    let tenant = registry.tenants.get(tenant);
    tenant.map_or(0, |tenant| tenant.clients.len())
}

fn report_people(shared: &Shared, people: &Judged) {
    let mut verdicts = shared
        .user_verdicts
        .write()
        .expect("no holder of this lock panics");
    for uid in &people.gone {
        verdicts.remove(uid);
    }
    for verdict in &people.changed {
        let uid = verdict.object.uid().unwrap_or_default();
        verdicts.insert(uid, verdict.clone());
    }
    drop(verdicts);
    for verdict in &people.changed {
        // Fails only when the controller has ended, and then there is nothing left to do.
        let _ = shared
            .user_queue
            .send(ObjectRef::from_obj(&*verdict.object));
    }
}

/// Says which entry of a Secret is looked at.
fn want_password(shared: &Shared, user: &OAuthUser) {
    let Some(place) = validate::place(user) else {
        return;
    };
    if shared.passwords.want(&place) {
        // Fails only when the controller has ended, and then there is nothing left to do.
        let _ = shared.password_reads.send((place.namespace, place.secret));
    }
}
