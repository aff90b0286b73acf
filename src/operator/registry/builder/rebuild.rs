//! Makes the next registry of what changed, swaps it, and reports what became of whom.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_oauth::{Registry, Tenant};

use super::RegistryBuilder;
use super::asker::Asker;
use super::memo::Change;
use super::pending::{Pending, extend};
use super::report::Report;
use super::slices::Slices;
use crate::domain::tenant::concern::Concern;
use crate::domain::unique_names::{NameReservation, Wish};
use crate::domain::verdict::{ClientVerdict, UserVerdict};
use crate::registry::{Inputs, Outputs};

/// A registry that was replaced by one with more changes than this takes milliseconds to drop.
const LARGE: usize = 1000;

/// How much was done since the builder was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// OAuthClients that were looked at.
    pub looked_at: u64,
    /// Those of them that were validated.
    pub judged: u64,
    /// OAuthTenants that were looked at.
    pub tenants: u64,
    /// OAuthUsers that were looked at.
    pub people: u64,
    /// Tenants of which the registry got another copy.
    pub copied: u64,
}

impl RegistryBuilder {
    /// Makes the registry that follows from everything seen and swaps it, then enqueues what changed. Only what changed is
    /// judged; after a list that is everything. Other tasks have turns meanwhile; they find the registry from before until
    /// it is swapped, so that of a change of a tenant nothing is in force before all of it is.
    pub async fn rebuild(&mut self, inputs: &Inputs, outputs: &Outputs) {
        let progress = outputs.readiness.progress();
        let listed = progress.clients && progress.tenants && progress.users;
        if !(listed && progress.namespaces && progress.signing_keys) {
            return;
        }
        let started = Instant::now();
        // Known beforehand, so that a registry that is reported complete holds all users with their passwords.
        let complete = inputs.cache.passwords.is_settled()
            && inputs.cache.has_settled_client_secrets()
            && inputs.root_keys.load().verifying.is_some();
        self.look_elsewhere(inputs, outputs);
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.revision += 1;
            let mut slices = Slices::begin();
            self.take_in(inputs, outputs, pending, started, &mut slices)
                .await;
            self.longest_step = slices.longest();
        }
        let readiness = &outputs.readiness;
        readiness.note(|progress| progress.registry |= complete);
    }

    async fn take_in(
        &mut self,
        inputs: &Inputs,
        outputs: &Outputs,
        mut pending: Pending,
        started: Instant,
        slices: &mut Slices,
    ) {
        self.spread_out(&mut pending, slices).await;
        let renewed = self.refresh_tenants(inputs, &pending.tenants);
        let mut tenants = renewed.reconciled;
        self.judge_again(&mut pending, renewed.concerned, slices)
            .await;
        self.decide_names(&mut pending, slices).await;
        let renewed = self.take_audiences(inputs, &pending.tenants);
        tenants.extend(renewed.reconciled);
        self.judge_again(&mut pending, renewed.concerned, slices)
            .await;
        let changes = self.judge_clients(inputs, &pending, slices).await;
        let people = self.judge_people(inputs, &pending, slices).await;
        self.serve(outputs, &pending, &changes, &people, slices)
            .await;
        let report = Report {
            inputs,
            outputs,
            pending: &pending,
            tenants,
            took: started.elapsed(),
        };
        self.report(report, changes, people, slices).await;
        self.forget_namespaces();
        for place in pending.clients.drain().chain(pending.people.drain()) {
            drop(place);
            slices.turn().await;
        }
    }

    /// The clients and people of tenants are judged again, as far as what their tenant allows may be something else.
    async fn judge_again(
        &mut self,
        pending: &mut Pending,
        concerned: Vec<(String, Concern)>,
        slices: &mut Slices,
    ) {
        for (tenant, concern) in concerned {
            if concern.clients {
                let clients = self.memos.of_tenant(&tenant);
                extend(&mut pending.clients, clients, slices).await;
            }
            if concern.people {
                let people = self.user_memos.of_tenant(&tenant);
                extend(&mut pending.people, people, slices).await;
            }
        }
    }

    /// Judges the OAuthClients that are looked at. Returns the verdicts that are others.
    async fn judge_clients(
        &mut self,
        inputs: &Inputs,
        pending: &Pending,
        slices: &mut Slices,
    ) -> Vec<Change<ClientVerdict>> {
        let mut changes = Vec::new();
        for place in &pending.clients {
            changes.extend(self.judge(inputs, place));
            slices.turn().await;
        }
        changes
    }

    /// How much was done so far.
    pub fn work(&self) -> Work {
        self.work
    }

    /// How long the last rebuild kept a thread without a turn for others.
    pub fn longest_step(&self) -> Duration {
        self.longest_step
    }

    /// Decides who has which name, as far as what changed wants one. An object that another decision concerns is judged, too.
    async fn decide_names(&mut self, pending: &mut Pending, slices: &mut Slices) {
        let mut moved: HashSet<Asker> = HashSet::new();
        for place in &pending.clients {
            let object = self.clients.get(place);
            // Most bring none, and are not unpacked for it.
            let object = object.filter(|object| object.brings_id());
            let wish = object.and_then(|object| self.id_wish(&object.object()));
            let asker = Asker::Client(place.clone());
            moved.extend(self.names.set(&asker, wish.into_iter().collect()));
            slices.turn().await;
        }
        for name in &pending.tenants {
            let object = self.states.get(name).map(|(object, _)| object);
            let claims = object
                .into_iter()
                .flat_map(|it| NameReservation::of_audiences(it));
            let wishes = claims.map(|(_, reservation)| Wish {
                reservation,
                may: true,
            });
            let (asker, wishes) = (Asker::Tenant(name.clone()), wishes.collect());
            moved.extend(self.names.set(&asker, wishes));
        }
        let mut people = HashSet::new();
        for place in &pending.people {
            let (askers, concerned) = self.decide_names_of_person(place);
            moved.extend(askers);
            people.extend(concerned);
            slices.turn().await;
        }
        pending.people.extend(people);
        for asker in moved {
            match asker {
                Asker::Client(place) => pending.clients.extend([place]),
                Asker::Person(place) => pending.people.extend([place]),
                Asker::Tenant(name) => pending.tenants.extend([name]),
            }
        }
    }

    /// Swaps the registry. What nothing changed about is shared with the one before.
    async fn serve(
        &mut self,
        outputs: &Outputs,
        pending: &Pending,
        changes: &[Change<ClientVerdict>],
        people: &[Change<UserVerdict>],
        slices: &mut Slices,
    ) {
        let mut touched: HashSet<Arc<str>> = HashSet::new();
        let heads = pending.tenants.iter();
        touched.extend(heads.map(|name| Arc::from(name.as_str())));
        let of_people = if pending.every_person {
            self.fill_user_tables(slices).await
        } else {
            self.move_people(people, slices).await
        };
        touched.extend(of_people.iter().map(|name| Arc::from(name.as_str())));
        if pending.whole {
            self.fill_tables(slices).await;
        } else {
            touched.extend(self.move_clients(changes, slices).await);
        }
        let before = outputs.registry.load_full();
        let tenants = touched.iter().map(|name| {
            let is_head = pending.tenants.contains(&**name);
            let former = before.tenants.get(name).filter(|_| !is_head);
            (name.clone(), self.next_tenant(name, former).map(Arc::new))
        });
        let tenants: Vec<_> = tenants.collect();
        self.work.copied += tenants.len() as u64;
        let keyring = self.elsewhere.keyring.clone();
        let nothing = Registry::default();
        let from = if pending.whole { &nothing } else { &*before };
        let next = from.with(self.revision, keyring, tenants);
        drop(before);
        let former = outputs.registry.swap(Arc::new(next));
        let is_large = pending.whole || changes.len() + people.len() > LARGE;
        self.retired.add(former, touched.iter(), is_large);
    }

    /// The tenant with its clients and people of now. Its head is made again unless it is the one that it was.
    fn next_tenant(&self, name: &str, former: Option<&Arc<Tenant>>) -> Option<Tenant> {
        let (_, state) = self.states.get(name)?;
        let clients = self.tables.get(name).cloned().unwrap_or_default();
        let users = self.people.get(name).cloned().unwrap_or_default();
        Some(match former {
            Some(former) => Tenant {
                clients: clients.served,
                suspended: clients.suspended,
                users,
                ..Tenant::clone(former)
            },
            None => self.tenant(name, state, clients, users),
        })
    }
}
