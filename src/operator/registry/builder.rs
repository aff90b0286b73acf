//! Everything the observer has seen, and the registry that follows from it.

mod arrivals;
mod clients;
mod memo;
mod rebuild;
mod tenants;
pub(crate) mod users;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use clientele_oauth::{SigningKeys, Users};
use clients::ClientMemo;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::ListParams;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use users::UserMemo;

use crate::cache::object_store::ObjectStore;
use crate::cache::relist_check::{List, RelistCheck};
use crate::cache::signing_keys::Signing;
use crate::domain::tenant::policy::Labels;
use crate::domain::user::validate;
use crate::domain::verdict::TenantState;
use crate::registry::{Inputs, Outputs};
use crate::watch::objects::{WatchEvent, prune_client, prune_metadata, prune_user};

pub use crate::domain::tenant::signing_secret::missing_keys;

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
    memos: HashMap<Arc<str>, ClientMemo>,
    user_memos: HashMap<String, UserMemo>,
    people: HashMap<String, Arc<Users>>,
    arrivals: HashMap<String, Instant>,
    revision: u64,
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
            memos: HashMap::new(),
            user_memos: HashMap::new(),
            people: HashMap::new(),
            arrivals: HashMap::new(),
            revision: 0,
        }
    }

    /// Takes in an observation. Returns whether the registry may have to change.
    pub fn apply(&mut self, inputs: &Inputs, outputs: &Outputs, observation: WatchEvent) -> bool {
        match observation {
            WatchEvent::Client(event) => {
                self.note_arrival(&event);
                let changed = self.clients.apply(&event);
                let complete = self.clients.is_complete();
                outputs
                    .readiness
                    .note(|progress| progress.clients = complete);
                changed
            }
            WatchEvent::Tenant(event) => {
                let changed = self.tenants.apply(&event);
                let complete = self.tenants.is_complete();
                outputs
                    .readiness
                    .note(|progress| progress.tenants = complete);
                changed
            }
            WatchEvent::User(event) => {
                let changed = self.users.apply(&event);
                self.want_passwords(inputs, &event);
                let complete = self.users.is_complete();
                outputs.readiness.note(|progress| progress.users = complete);
                changed
            }
            WatchEvent::Namespace(event) => self.see_namespace(outputs, event),
            WatchEvent::OwnSecret(event) => {
                let complete = matches!(event, watcher::Event::InitDone);
                let changed = self.signing.apply(event);
                outputs
                    .readiness
                    .note(|progress| progress.signing_keys |= complete);
                changed
            }
            WatchEvent::Failed(kind, error) => {
                inputs.context.metrics.watch.errors.inc();
                tracing::warn!(kind, %error, "a watch failed, restarting it");
                false
            }
        }
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
                if changed {
                    self.namespaces
                        .insert(namespace.name_any(), Arc::new(labels.clone()));
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
                self.namespaces.remove(&namespace.name_any()).is_some()
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
            VerificationList::Clients(list) => self.clients.confirm(list),
            VerificationList::Tenants(list) => self.tenants.confirm(list),
            VerificationList::Users(list) => self.users.confirm(list),
            VerificationList::OwnSecrets(list) => self.signing.confirm(list),
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
        self.clients.release_guard();
        self.tenants.release_guard();
        self.users.release_guard();
        self.signing.release_guard();
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
