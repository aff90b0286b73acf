//! What changed since the registry was made last, and what has to be looked at because of it.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_api::OAuthTenant;
use clientele_oauth::Keyring;

use super::RegistryBuilder;
use super::slices::Slices;
use crate::cache::place::Place;
use crate::domain::secret_entry::SecretEntry;
use crate::domain::tenant::policy::TenantPolicy;
use crate::domain::unique_names::NameIndex;
use crate::registry::{Inputs, Outputs};

/// What changed, or what has to be looked at.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a kind of change, and several come together"
)]
pub(super) struct Pending {
    /// Everything, as after a list: nothing that was made before is relied on.
    pub(super) whole: bool,
    /// OAuthClients by place, with the Secrets that they refer to.
    pub(super) clients: HashSet<Place>,
    /// Tenants by name, with their signing keys.
    pub(super) tenants: HashSet<String>,
    /// Every tenant: of signing keys there was a list.
    pub(super) every_tenant: bool,
    /// Namespaces whose labels changed.
    pub(super) namespaces: HashSet<String>,
    /// OAuthUsers by place.
    pub(super) people: HashSet<Place>,
    /// Every OAuthUser, as after a list.
    pub(super) every_person: bool,
    /// Entries of Secrets that an OAuthUser referred to since.
    pub(super) entries: HashSet<SecretEntry>,
    /// The root keys.
    pub(super) keyring: bool,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        let objects = self.clients.is_empty() && self.people.is_empty();
        let others = self.tenants.is_empty() && self.namespaces.is_empty();
        let flags = self.whole || self.every_tenant || self.every_person || self.keyring;
        objects && others && !flags
    }
}

/// What the registry was made of, beside what the watches of the observer say.
#[derive(Default)]
pub(super) struct Elsewhere {
    issuer: Option<Arc<str>>,
    /// The root keys that the next registry verifies with. Read once for a rebuild: keys that come meanwhile are for the next.
    pub(super) keyring: Option<Arc<Keyring>>,
}

impl RegistryBuilder {
    /// Notes what changed beside the watches of the observer. Each of these is written by a task of its own.
    pub(super) fn look_elsewhere(&mut self, inputs: &Inputs, outputs: &Outputs) {
        let secrets = inputs.cache.client_secrets.take_changes();
        let clients = self.memos.concerned_by(&secrets);
        self.pending.clients.extend(clients);
        let passwords = inputs.cache.passwords.take_changes();
        let people = self.user_memos.concerned_by(&passwords);
        self.pending.people.extend(people);
        let root_keys = inputs.root_keys.load_full();
        if !root_keys.are_served(&outputs.registry.load()) {
            self.pending.keyring = true;
            self.pending.every_person = true;
        }
        self.elsewhere.keyring.clone_from(&root_keys.verifying);
        let issuer = inputs.cache.service_accounts.issuer();
        if issuer != self.elsewhere.issuer {
            self.elsewhere.issuer = issuer;
            self.pending.every_tenant = true;
        }
    }

    pub(super) fn cluster_issuer(&self) -> Option<Arc<str>> {
        self.elsewhere.issuer.clone()
    }

    /// Names everything that is meant by what changed. Of a whole, what was made before is forgotten.
    pub(super) async fn spread_out(&mut self, pending: &mut Pending, slices: &mut Slices) {
        if pending.whole {
            self.names = NameIndex::default();
            self.tables.clear();
            (self.served, self.refused) = (0, 0);
            let objects = self.clients.all();
            let there = objects.iter().map(|object| Place::of_kept(object));
            extend(&mut pending.clients, there, slices).await;
            let known = self.memos.iter().map(|(place, _)| place.clone());
            extend(&mut pending.clients, known, slices).await;
            (pending.every_tenant, pending.every_person) = (true, true);
        }
        if pending.every_person {
            let objects = self.users.all();
            let there = objects.iter().map(|object| Place::of_kept(object));
            extend(&mut pending.people, there, slices).await;
            let known = self.usernames.askers().cloned();
            extend(&mut pending.people, known, slices).await;
        }
        if pending.every_tenant {
            let objects = self.tenants.all();
            let there = objects.iter().map(|tenant| tenant.name().to_string());
            pending.tenants.extend(there);
            pending.tenants.extend(self.states.keys().cloned());
        }
        for namespace in &pending.namespaces {
            pending
                .clients
                .extend(self.memos.of_namespace(namespace).cloned());
            pending
                .people
                .extend(self.user_memos.of_namespace(namespace).cloned());
        }
    }

    /// The tenant, if it counts.
    pub(super) fn tenant_object(&self, name: &str) -> Option<Arc<OAuthTenant>> {
        let object = self.tenants.get(&Place::of_cluster(name))?.object();
        (!TenantPolicy::is_deleted(&object)).then_some(object)
    }

    /// Lets go of the labels of namespaces that were deleted, once nothing of ours lies in them any more.
    pub(super) fn forget_namespaces(&mut self) {
        // No person was judged yet, so it is not known where people live.
        if self.elsewhere.keyring.is_none() {
            return;
        }
        let (memos, people) = (&self.memos, &self.user_memos);
        let gone = self.departed.extract_if(|namespace| {
            let is_empty = people.of_namespace(namespace).next().is_none();
            is_empty && memos.of_namespace(namespace).next().is_none()
        });
        for namespace in gone {
            self.namespaces.remove(&namespace);
        }
    }
}

/// Takes in places, with room for all of them: a set that grows moves what it has.
pub(super) async fn extend(
    places: &mut HashSet<Place>,
    more: impl Iterator<Item = Place> + Send,
    slices: &mut Slices,
) {
    places.reserve(more.size_hint().0);
    for place in more {
        places.insert(place);
        slices.turn().await;
    }
}
