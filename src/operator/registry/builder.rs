//! Everything the observer has seen, and the registry that follows from it.

mod arrivals;
mod asker;
mod check;
mod clients;
mod memo;
mod memos;
mod observe;
mod pending;
mod rebuild;
mod report;
mod slices;
mod tables;
mod tenants;
mod user_tables;
pub(crate) mod users;

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::{SigningKeys, Users};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use users::UserMemos;

use crate::cache::bound::Bound;
use crate::cache::place::Place;
use asker::Asker;
use check::Cursor;
use clients::ClientMemos;
use pending::{Elsewhere, Pending};
use tables::TenantClients;

use crate::cache::object_store::{ObjectStore, Reread};
use crate::cache::objects::Objects;
use crate::cache::relist_check::{List, RelistCheck};
use crate::cache::signing_keys::Signing;
use crate::domain::kept::Keep;
use crate::domain::large::{LARGE_CLIENTS, LARGE_USERS};
use crate::domain::tenant::policy::Labels;
use crate::domain::unique_names::NameIndex;
use crate::domain::user::email::EmailAddresses;
use crate::domain::verdict::TenantState;
use crate::registry::Inputs;
use crate::registry::retired::{Large, Retired};
use crate::watch::objects::{prune_client, prune_metadata, prune_user, reread};

pub use crate::domain::tenant::signing_secret::missing_keys;
pub use rebuild::Work;

/// What was read once more has arrived.
pub enum AnyReread {
    /// OAuthClients.
    Clients(Reread<OAuthClient>),
    /// OAuthTenants.
    Tenants(Reread<OAuthTenant>),
    /// OAuthUsers.
    Users(Reread<OAuthUser>),
    /// Secrets of the operator's namespace.
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
    memos: ClientMemos,
    tables: HashMap<Arc<str>, TenantClients>,
    /// Client IDs, subjects and audiences.
    names: NameIndex<Asker>,
    user_memos: UserMemos,
    people: HashMap<String, Arc<Users>>,
    usernames: NameIndex<Place>,
    emails: EmailAddresses<Place>,
    arrivals: HashMap<String, Instant>,
    pending: Pending,
    elsewhere: Elsewhere,
    /// How many clients are served, how many OAuthClients are refused, and how many people can sign in.
    served: usize,
    refused: usize,
    registered_people: usize,
    revision: u64,
    retired: Retired,
    cursor: Cursor,
    work: Work,
    longest_step: Duration,
}

impl RegistryBuilder {
    /// Nothing seen yet.
    pub fn new(
        inputs: &Inputs,
        clients: Objects<OAuthClient>,
        tenants: Objects<OAuthTenant>,
        users: Objects<OAuthUser>,
    ) -> Self {
        let own = Api::namespaced(
            inputs.context.kube.clone(),
            &inputs.context.settings.namespace,
        );
        let signing = doubt("signing keys", inputs, own);
        Self {
            clients: listed("OAuthClient", inputs, clients, prune_client).bounded(Bound::new(
                "OAuthClient",
                LARGE_CLIENTS,
                reread(&inputs.context.kube),
            )),
            tenants: listed("OAuthTenant", inputs, tenants, prune_metadata),
            users: listed("OAuthUser", inputs, users, prune_user).bounded(Bound::new(
                "OAuthUser",
                LARGE_USERS,
                reread(&inputs.context.kube),
            )),
            namespaces: HashMap::new(),
            signing: Signing::new(signing),
            published: HashMap::new(),
            states: HashMap::new(),
            departed: HashSet::new(),
            memos: ClientMemos::default(),
            tables: HashMap::new(),
            names: NameIndex::default(),
            user_memos: UserMemos::default(),
            people: HashMap::new(),
            usernames: NameIndex::default(),
            emails: EmailAddresses::default(),
            arrivals: HashMap::new(),
            pending: Pending::default(),
            elsewhere: Elsewhere::default(),
            served: 0,
            refused: 0,
            registered_people: 0,
            revision: 0,
            retired: Retired::default(),
            cursor: Cursor::default(),
            work: Work::default(),
            longest_step: Duration::ZERO,
        }
    }

    /// What was read once more, when it has arrived.
    pub async fn confirmation(&mut self) -> AnyReread {
        tokio::select! {
            list = self.clients.confirmation() => AnyReread::Clients(list),
            list = self.tenants.confirmation() => AnyReread::Tenants(list),
            list = self.users.confirmation() => AnyReread::Users(list),
            list = self.signing.confirmation() => AnyReread::OwnSecrets(list),
        }
    }

    /// Settles a doubt.
    pub fn confirm(&mut self, confirmation: AnyReread) {
        match confirmation {
            AnyReread::Clients(read) => {
                self.pending.whole |= self.clients.confirm(read);
                self.note_changed_clients();
            }
            AnyReread::Tenants(read) => {
                self.pending.every_tenant |= self.tenants.confirm(read);
            }
            AnyReread::Users(read) => {
                self.pending.every_person |= self.users.confirm(read);
                self.note_changed_people();
            }
            AnyReread::OwnSecrets(list) => {
                self.signing.confirm(list);
                self.pending.every_tenant = true;
            }
        }
    }

    /// Clients of which more or less is kept than before are judged again.
    fn note_changed_clients(&mut self) {
        self.pending.clients.extend(self.clients.take_changed());
    }

    /// The same of people.
    fn note_changed_people(&mut self) {
        self.pending.people.extend(self.users.take_changed());
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
        self.pending.every_person |= self.users.release_guard();
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

    fn labels(&self, namespace: &str) -> Option<&Arc<Labels>> {
        self.namespaces.get(namespace)
    }
}

fn listed<K>(
    what: &'static str,
    inputs: &Inputs,
    objects: Objects<K>,
    cut: fn(K) -> K,
) -> ObjectStore<K>
where
    K: Keep + DeserializeOwned,
{
    ObjectStore::new(
        doubt(what, inputs, Api::all(inputs.context.kube.clone())),
        objects,
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

#[cfg(test)]
mod tests;
