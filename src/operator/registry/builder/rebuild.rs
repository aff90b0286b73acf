//! Makes the next registry of what changed, swaps it, and reports what became of whom.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_oauth::{Registry, Tenant};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::RegistryBuilder;
use super::arrivals::{record_client_gone, record_person_gone};
use super::asker::Asker;
use super::clients::{key, unsaid};
use super::memo::Change;
use super::pending::Pending;
use crate::cache::namespace_access::Access;
use crate::domain::unique_names::{NameReservation, Wish};
use crate::domain::verdict::{ClientVerdict, UserVerdict};
use crate::metrics::count;
use crate::registry::{Inputs, Outputs};

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
    /// judged; after a list that is everything.
    pub fn rebuild(&mut self, inputs: &Inputs, outputs: &Outputs) {
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
        let mut pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.revision += 1;
            self.spread_out(&mut pending);
            let renewed = self.refresh_tenants(inputs, outputs, &pending.tenants);
            for tenant in renewed {
                self.judge_again(&mut pending, &tenant);
            }
            self.decide_names(&mut pending);
            let moved = self.take_audiences(inputs, outputs, &pending.tenants);
            for tenant in moved {
                self.judge_again(&mut pending, &tenant);
            }
            self.report_tenants(outputs, &pending.tenants);
            let changes = pending
                .clients
                .iter()
                .filter_map(|place| self.judge(inputs, place));
            let changes: Vec<_> = changes.collect();
            let people = self.judge_people(inputs, &pending);
            self.serve(inputs, outputs, &pending, &changes, &people);
            self.report(inputs, outputs, &pending, &changes, started.elapsed());
            self.report_people(inputs, outputs, &people);
            self.forget_namespaces(inputs);
        }
        let readiness = &outputs.readiness;
        readiness.note(|progress| progress.registry |= complete);
    }

    /// How much was done so far.
    pub fn work(&self) -> Work {
        self.work
    }

    /// Decides who has which name, as far as what changed wants one. An object that another decision concerns is judged, too.
    fn decide_names(&mut self, pending: &mut Pending) {
        let mut moved: HashSet<Asker> = HashSet::new();
        for place in &pending.clients {
            let object = self.clients.get(&place.reference());
            let wish = object.and_then(|object| self.id_wish(&object));
            let asker = Asker::Client(place.clone());
            moved.extend(self.names.set(&asker, wish.into_iter().collect()));
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
    fn serve(
        &mut self,
        inputs: &Inputs,
        outputs: &Outputs,
        pending: &Pending,
        changes: &[Change<ClientVerdict>],
        people: &[Change<UserVerdict>],
    ) {
        let mut touched: HashSet<Arc<str>> = HashSet::new();
        let heads = pending.tenants.iter();
        touched.extend(heads.map(|name| Arc::from(name.as_str())));
        let people = if pending.every_person {
            self.fill_user_tables()
        } else {
            self.move_people(people)
        };
        touched.extend(people.iter().map(|name| Arc::from(name.as_str())));
        if pending.whole {
            self.fill_tables();
        } else {
            touched.extend(self.move_clients(changes));
        }
        let before = outputs.registry.load_full();
        let tenants = touched.iter().map(|name| {
            let is_head = pending.tenants.contains(&**name);
            let former = before.tenants.get(name).filter(|_| !is_head);
            (name.clone(), self.next_tenant(name, former).map(Arc::new))
        });
        let tenants: Vec<_> = tenants.collect();
        self.work.copied += tenants.len() as u64;
        let keyring = inputs.root_keys.load().verifying.clone();
        let nothing = Registry::default();
        let from = if pending.whole { &nothing } else { &*before };
        let next = from.with(self.revision, keyring, tenants);
        drop(before);
        let former = outputs.registry.swap(Arc::new(next));
        self.retired.add(former, touched.iter(), pending.whole);
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

    fn report(
        &mut self,
        inputs: &Inputs,
        outputs: &Outputs,
        pending: &Pending,
        changes: &[Change<ClientVerdict>],
        took: Duration,
    ) {
        self.report_versions(outputs, pending, changes);
        self.count_arrivals(inputs);
        let fresh = changes.iter().filter_map(|change| change.after.as_ref());
        let fresh = fresh.map(|verdict| (key(verdict), verdict.clone()));
        let gone: Vec<_> = changes.iter().filter_map(Change::gone).collect();
        let uids = gone
            .iter()
            .filter_map(|verdict| verdict.object.metadata.uid.as_deref());
        outputs.verdicts.clients.update(uids, fresh);
        for verdict in &gone {
            record_client_gone(inputs, verdict);
        }
        if pending.keyring {
            outputs.queues.clients.enqueue_all(None);
        } else {
            let news = changes.iter().filter(|change| change.matters);
            let news = news.filter_map(|change| change.after.as_ref());
            for verdict in news.filter(|verdict| is_within_reach(inputs, verdict)) {
                let object = ObjectRef::from_obj(&*verdict.object);
                outputs.queues.clients.enqueue(object);
            }
        }
        let metrics = &inputs.context.metrics;
        metrics.registry.clients.set(count(self.served));
        metrics.registry.refused.set(count(self.refused));
        let revision = i64::try_from(self.revision).unwrap_or(i64::MAX);
        metrics.registry.revision.set(revision);
        metrics.registry.rebuild_seconds.set(took.as_secs_f64());
        tracing::debug!(
            revision = self.revision,
            changed = changes.len(),
            deleted = gone.len(),
            whole = pending.whole,
            ?took,
            "the registry was rebuilt"
        );
    }

    fn report_people(&self, inputs: &Inputs, outputs: &Outputs, changes: &[Change<UserVerdict>]) {
        let fresh = changes.iter().filter_map(|change| change.after.as_ref());
        let fresh = fresh.map(|verdict| {
            let uid = verdict.object.uid().unwrap_or_default();
            (Arc::from(uid), verdict.clone())
        });
        let gone: Vec<_> = changes.iter().filter_map(Change::gone).collect();
        let uids = gone
            .iter()
            .filter_map(|verdict| verdict.object.metadata.uid.as_deref());
        outputs.verdicts.users.update(uids, fresh);
        for verdict in gone {
            record_person_gone(inputs, verdict);
        }
        let news = changes.iter().filter(|change| change.matters);
        for verdict in news.filter_map(|change| change.after.as_ref()) {
            let object = ObjectRef::from_obj(&*verdict.object);
            outputs.queues.users.enqueue(object);
        }
        let metrics = &inputs.context.metrics.registry;
        metrics.users.set(count(self.registered_people));
    }

    /// Tells which versions are served that no status speaks of yet.
    fn report_versions(
        &self,
        outputs: &Outputs,
        pending: &Pending,
        changes: &[Change<ClientVerdict>],
    ) {
        if pending.whole {
            let all = self.memos.iter();
            let served = all.filter_map(|(_, memo)| unsaid(&memo.verdict));
            return outputs.rollout.serve(served);
        }
        let gone = changes.iter().filter_map(Change::gone);
        let gone = gone.filter_map(|verdict| Some((verdict.object.uid()?, None)));
        let others = changes.iter().filter_map(|change| change.after.as_ref());
        let others = others.filter_map(|verdict| {
            let version = unsaid(verdict).map(|(_, generation)| generation);
            Some((verdict.object.uid()?, version))
        });
        outputs.rollout.serve_some(gone.chain(others));
    }
}

/// Where Secrets have not been listed yet nothing is written. Once they are, every client there is enqueued.
fn is_within_reach(inputs: &Inputs, verdict: &ClientVerdict) -> bool {
    let namespace = verdict.object.metadata.namespace.as_deref();
    let access = inputs
        .cache
        .credentials
        .access(namespace.unwrap_or_default());
    access != Access::Pending
}
