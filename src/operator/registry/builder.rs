//! Everything the observer has seen, and the registry that follows from it.

mod arrivals;
mod asker;
mod check;
mod clients;
mod memo;
mod memos;
mod pending;
mod rebuild;
mod tables;
mod tenants;
pub(crate) mod users;

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::{SigningKeys, Users};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::ListParams;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use users::UserMemo;

use crate::cache::place::Place;
use asker::Asker;
use check::Cursor;
use memos::Memos;
use pending::{Elsewhere, Pending};
use tables::TenantClients;

use crate::cache::object_store::{ObjectStore, Touched};
use crate::cache::relist_check::{List, RelistCheck};
use crate::cache::signing_keys::Signing;
use crate::domain::tenant::policy::Labels;
use crate::domain::tenant::signing_secret;
use crate::domain::unique_names::NameIndex;
use crate::domain::user::validate;
use crate::domain::verdict::TenantState;
use crate::registry::retired::{Large, Retired};
use crate::registry::{Inputs, Outputs};
use crate::watch::objects::{WatchEvent, prune_client, prune_metadata, prune_user};

pub use crate::domain::tenant::signing_secret::missing_keys;
pub use rebuild::Work;

/// A second list of some kind has arrived.
pub enum VerificationList {
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
pub struct RegistryBuilder {
    clients: ObjectStore<OAuthClient>,
    tenants: ObjectStore<OAuthTenant>,
    users: ObjectStore<OAuthUser>,
    namespaces: HashMap<String, Arc<Labels>>,
    signing: Signing,
    published: HashMap<String, Arc<SigningKeys>>,
    states: HashMap<String, (Arc<OAuthTenant>, Arc<TenantState>)>,
    /// Namespaces that were deleted. Their labels stay until nothing of ours lies in them: watches hear of it one by one.
    departed: HashSet<String>,
    memos: Memos,
    tables: HashMap<Arc<str>, TenantClients>,
    /// Client IDs, subjects and audiences.
    names: NameIndex<Asker>,
    user_memos: HashMap<String, UserMemo>,
    people: HashMap<String, Arc<Users>>,
    /// The namespaces and the tenants of people, and the UIDs of those who want a subject.
    people_live_in: HashSet<String>,
    people_belong_to: HashSet<String>,
    people_who_ask: HashSet<String>,
    arrivals: HashMap<String, Instant>,
    pending: Pending,
    elsewhere: Elsewhere,
    /// How many clients are served, and how many OAuthClients are refused.
    served: usize,
    refused: usize,
    revision: u64,
    retired: Retired,
    cursor: Cursor,
    work: Work,
}

impl RegistryBuilder {
    /// Nothing seen yet.
    pub fn new(
        inputs: &Inputs,
        clients: Writer<OAuthClient>,
        tenants: Writer<OAuthTenant>,
        users: Writer<OAuthUser>,
    ) -> Self {
        let own = Api::namespaced(
            inputs.context.kube.clone(),
            &inputs.context.settings.namespace,
        );
        let signing = doubt("signing keys", inputs, own);
        Self {
            clients: listed("OAuthClient", inputs, clients, prune_client),
            tenants: listed("OAuthTenant", inputs, tenants, prune_metadata),
            users: listed("OAuthUser", inputs, users, prune_user),
            namespaces: HashMap::new(),
            signing: Signing::new(signing),
            published: HashMap::new(),
            states: HashMap::new(),
            departed: HashSet::new(),
            memos: Memos::default(),
            tables: HashMap::new(),
            names: NameIndex::default(),
            user_memos: HashMap::new(),
            people: HashMap::new(),
            people_live_in: HashSet::new(),
            people_belong_to: HashSet::new(),
            people_who_ask: HashSet::new(),
            arrivals: HashMap::new(),
            pending: Pending::default(),
            elsewhere: Elsewhere::default(),
            served: 0,
            refused: 0,
            revision: 0,
            retired: Retired::default(),
            cursor: Cursor::default(),
            work: Work::default(),
        }
    }

    /// Takes in an observation. Returns whether the registry may have to change.
    pub fn apply(&mut self, inputs: &Inputs, outputs: &Outputs, observation: WatchEvent) -> bool {
        match observation {
            WatchEvent::Client(event) => self.see_client(inputs, outputs, &event),
            WatchEvent::Tenant(event) => self.see_tenant(outputs, &event),
            WatchEvent::User(event) => {
                let touched = self.users.apply(&event);
                self.want_passwords(inputs, &event);
                let complete = self.users.is_complete();
                outputs.readiness.note(|progress| progress.users = complete);
                self.pending.people |= touched != Touched::Nothing;
                touched != Touched::Nothing
            }
            WatchEvent::Namespace(event) => self.see_namespace(outputs, event),
            WatchEvent::OwnSecret(event) => self.see_own_secret(outputs, event),
            WatchEvent::Failed(kind, error) => {
                inputs.context.metrics.watch.errors.inc();
                tracing::warn!(kind, %error, "a watch failed, restarting it");
                false
            }
        }
    }

    fn see_client(
        &mut self,
        inputs: &Inputs,
        outputs: &Outputs,
        event: &watcher::Event<OAuthClient>,
    ) -> bool {
        use watcher::Event::{Apply, Delete, InitApply};
        if let Apply(object) | InitApply(object) | Delete(object) = event {
            let version = object.metadata.resource_version.as_deref();
            inputs.cache.clients_revision.note(version);
        }
        self.note_arrival(event);
        let touched = self.clients.apply(event);
        let complete = self.clients.is_complete();
        let readiness = &outputs.readiness;
        readiness.note(|progress| progress.clients = complete);
        match &touched {
            Touched::Nothing => {}
            Touched::One(name) => {
                self.pending.clients.insert(Place::of_reference(name));
            }
            Touched::All => self.pending.whole = true,
        }
        touched != Touched::Nothing
    }

    fn see_tenant(&mut self, outputs: &Outputs, event: &watcher::Event<OAuthTenant>) -> bool {
        let touched = self.tenants.apply(event);
        let complete = self.tenants.is_complete();
        let readiness = &outputs.readiness;
        readiness.note(|progress| progress.tenants = complete);
        match &touched {
            Touched::Nothing => {}
            Touched::One(name) => {
                self.pending.tenants.insert(name.name.clone());
            }
            Touched::All => self.pending.every_tenant = true,
        }
        touched != Touched::Nothing
    }

    fn see_own_secret(&mut self, outputs: &Outputs, event: watcher::Event<Secret>) -> bool {
        let complete = matches!(event, watcher::Event::InitDone);
        self.pending.every_tenant |= complete;
        let tenant = match &event {
            watcher::Event::Apply(secret) | watcher::Event::Delete(secret) => {
                signing_secret::tenant_of(&secret.name_any()).map(str::to_owned)
            }
            _ => None,
        };
        let changed = self.signing.apply(event);
        if let Some(tenant) = tenant {
            // Other keys, such as those of a backup, may be ones that a request has withdrawn.
            if changed {
                outputs.queues.tenants.enqueue(ObjectRef::new(&tenant));
            }
            self.pending.tenants.insert(tenant);
        }
        let readiness = &outputs.readiness;
        readiness.note(|progress| progress.signing_keys |= complete);
        changed
    }

    /// Says which entries of Secrets are looked at, before anybody is known to have been listed.
    fn want_passwords(&self, inputs: &Inputs, event: &watcher::Event<OAuthUser>) {
        match event {
            watcher::Event::Apply(user) => want_password(inputs, user),
            watcher::Event::InitDone => {
                for user in self.users.objects() {
                    want_password(inputs, &user);
                }
            }
            _ => {}
        }
    }

    fn see_namespace(
        &mut self,
        outputs: &Outputs,
        event: watcher::Event<PartialObjectMeta<Namespace>>,
    ) -> bool {
        match event {
            watcher::Event::Init => false,
            watcher::Event::InitApply(namespace) | watcher::Event::Apply(namespace) => {
                let labels = namespace.labels();
                let known = self.namespaces.get(&namespace.name_any());
                let changed = known.is_none_or(|known| **known != *labels);
                self.departed.remove(&namespace.name_any());
                if changed {
                    self.namespaces
                        .insert(namespace.name_any(), Arc::new(labels.clone()));
                    self.pending.namespaces.insert(namespace.name_any());
                }
                changed
            }
            watcher::Event::InitDone => {
                outputs
                    .readiness
                    .note(|progress| progress.namespaces = true);
                true
            }
            watcher::Event::Delete(namespace) => {
                self.departed.insert(namespace.name_any());
                self.pending.namespaces.insert(namespace.name_any());
                true
            }
        }
    }

    /// The next second list.
    pub async fn confirmation(&mut self) -> VerificationList {
        tokio::select! {
            list = self.clients.confirmation() => VerificationList::Clients(list),
            list = self.tenants.confirmation() => VerificationList::Tenants(list),
            list = self.users.confirmation() => VerificationList::Users(list),
            list = self.signing.confirmation() => VerificationList::OwnSecrets(list),
        }
    }

    /// Settles a doubt.
    pub fn confirm(&mut self, confirmation: VerificationList) {
        match confirmation {
            VerificationList::Clients(list) => {
                self.clients.confirm(list);
                self.pending.whole = true;
            }
            VerificationList::Tenants(list) => {
                self.tenants.confirm(list);
                self.pending.every_tenant = true;
            }
            VerificationList::Users(list) => {
                self.users.confirm(list);
                self.pending.people = true;
            }
            VerificationList::OwnSecrets(list) => {
                self.signing.confirm(list);
                self.pending.every_tenant = true;
            }
        }
    }

    /// When the brake lets go of something.
    pub fn guard_until(&self) -> Option<Instant> {
        let each = [
            self.clients.guard_until(),
            self.tenants.guard_until(),
            self.users.guard_until(),
            self.signing.guard_until(),
        ];
        each.into_iter().flatten().min()
    }

    /// Lets go of what was held for too long.
    pub fn release_guard(&mut self) {
        self.pending.whole |= self.clients.release_guard();
        self.pending.every_tenant |= self.tenants.release_guard();
        self.pending.people |= self.users.release_guard();
        self.pending.every_tenant |= self.signing.release_guard();
    }

    /// Drops registries that were replaced and that no request reads any more. What is large is returned, to be dropped
    /// where no request waits.
    pub fn sweep(&mut self) -> Option<Large> {
        self.retired.sweep()
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
}

fn listed<K>(
    what: &'static str,
    inputs: &Inputs,
    writer: Writer<K>,
    cut: fn(K) -> K,
) -> ObjectStore<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    ObjectStore::new(
        doubt(what, inputs, Api::all(inputs.context.kube.clone())),
        writer,
        cut,
    )
}

fn doubt<K, V>(
    what: &'static str,
    inputs: &Inputs,
    api: Api<DeserializeGuard<K>>,
) -> RelistCheck<K, V>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    RelistCheck::new(
        what,
        api,
        ListParams::default(),
        &inputs.context.metrics.watch.held(what),
    )
}

/// Records which entry of a Secret is read.
fn want_password(inputs: &Inputs, user: &OAuthUser) {
    let Some(place) = validate::place(user) else {
        return;
    };
    if inputs.cache.passwords.want(&place) {
        inputs.requests.read_later((place.namespace, place.secret));
    }
}

#[cfg(test)]
mod tests;
