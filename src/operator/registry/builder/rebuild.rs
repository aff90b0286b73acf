//! Builds the registry from everything seen, swaps it, and reports what changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clientele_oauth::{Client, Registry};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::RegistryBuilder;
use super::arrivals::record_client_gone;
use super::clients::{ClientMemo, acceptable, key, suspended_client, unsaid};
use super::tenants::TenantClients;
use super::users::Judged;
use crate::domain::verdict::ClientVerdict;
use crate::metrics::count;
use crate::registry::{Inputs, Outputs};

/// The clients of each tenant, by ID.
type ClientsByTenant = HashMap<Arc<str>, HashMap<Arc<str>, Arc<Client>>>;

impl RegistryBuilder {
    /// Builds the registry from everything seen and swaps it, then enqueues what changed.
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
        self.revision += 1;
        self.refresh_tenants(inputs, outputs);
        let objects = self.clients.objects();
        let names = self.names();
        self.take_audiences(inputs, outputs, &names.ids);
        let people = self.judge_people(inputs, &names);
        let mut clients = ClientsByTenant::new();
        let mut suspended = ClientsByTenant::new();
        let mut changed = Vec::new();
        for object in objects {
            let (verdict, fresh) = self.judge(inputs, &object, &names.ids);
            if let (Some(client), Some(tenant)) = (acceptable(&verdict), &verdict.tenant) {
                let name = &tenant.policy.name;
                let tenant = clients.entry(name.clone());
                let tenant =
                    tenant.or_insert_with(|| HashMap::with_capacity(served(outputs, name)));
                tenant.insert(client.id.clone(), client.clone());
            }
            if let (Some(client), Some(tenant)) = (suspended_client(&verdict), &verdict.tenant) {
                let tenant = suspended.entry(tenant.policy.name.clone());
                let tenant = tenant.or_default();
                tenant.insert(client.id.clone(), client.clone());
            }
            changed.extend(fresh.then_some(verdict));
        }
        let other_keys = !inputs.root_keys.load().are_served(&outputs.registry.load());
        let registry = self.registry(inputs, clients, suspended);
        outputs.registry.store(Arc::new(registry));
        // Kept in place and not collected again: a table of thousands for every rebuild leaves holes in the heap.
        let revision = self.revision;
        let deleted = self.memos.extract_if(|_, memo| memo.extra.seen != revision);
        let deleted: HashMap<_, _> = deleted.collect();
        self.report_served(outputs);
        self.count_arrivals(inputs);
        self.report(inputs, outputs, &changed, &deleted, started.elapsed());
        if other_keys {
            outputs.queues.clients.enqueue_all(None);
        } else {
            for verdict in &changed {
                let object = ObjectRef::from_obj(&*verdict.object);
                outputs.queues.clients.enqueue(object);
            }
        }
        report_people(outputs, &people);
        let readiness = &outputs.readiness;
        readiness.note(|progress| progress.registry |= complete);
    }

    fn registry(
        &self,
        inputs: &Inputs,
        mut clients: ClientsByTenant,
        mut suspended: ClientsByTenant,
    ) -> Registry {
        let issuer = inputs.cache.service_accounts.issuer();
        let tenants = self.states.iter().map(|(name, (_, state))| {
            let clients = TenantClients {
                served: clients.remove(name.as_str()).unwrap_or_default(),
                suspended: suspended.remove(name.as_str()).unwrap_or_default(),
            };
            let people = self.people.get(name).cloned().unwrap_or_default();
            Arc::new(self.tenant(name, state, clients, people, issuer.clone()))
        });
        let keyring = inputs.root_keys.load().verifying.clone();
        let registry = Registry::new(self.revision, keyring, tenants.collect());
        let metrics = &inputs.context.metrics;
        metrics.registry.clients.set(count(registry.client_count()));
        registry
    }

    fn report_served(&self, outputs: &Outputs) {
        let memos = self.memos.values();
        let served = memos.filter_map(|memo| unsaid(&memo.verdict));
        outputs.rollout.serve(served);
    }

    fn report(
        &self,
        inputs: &Inputs,
        outputs: &Outputs,
        changed: &[Arc<ClientVerdict>],
        deleted: &HashMap<Arc<str>, ClientMemo>,
        took: Duration,
    ) {
        let fresh = changed
            .iter()
            .map(|verdict| (key(verdict), verdict.clone()));
        let uids = deleted.keys().map(|uid| &**uid);
        outputs.verdicts.clients.update(uids, fresh);
        for memo in deleted.values() {
            record_client_gone(inputs, memo);
        }
        let memos = self.memos.values();
        let refused = memos.filter(|memo| memo.verdict.registered.is_err());
        let metrics = &inputs.context.metrics;
        metrics.registry.refused.set(count(refused.count()));
        let revision = i64::try_from(self.revision).unwrap_or(i64::MAX);
        metrics.registry.revision.set(revision);
        metrics.registry.rebuild_seconds.set(took.as_secs_f64());
        tracing::debug!(
            revision = self.revision,
            changed = changed.len(),
            deleted = deleted.len(),
            ?took,
            "the registry was rebuilt"
        );
    }
}

/// How many clients of a tenant are served so far: mostly as many as will be.
fn served(outputs: &Outputs, tenant: &str) -> usize {
    let registry = outputs.registry.load();
    let tenant = registry.tenants.get(tenant);
    tenant.map_or(0, |tenant| tenant.clients.len())
}

fn report_people(outputs: &Outputs, people: &Judged) {
    let changes = people.changed.iter().map(|verdict| {
        let uid = verdict.object.uid().unwrap_or_default();
        (Arc::from(uid), verdict.clone())
    });
    let deleted = people.gone.iter().map(String::as_str);
    outputs.verdicts.users.update(deleted, changes);
    for verdict in &people.changed {
        let object = ObjectRef::from_obj(&*verdict.object);
        outputs.queues.users.enqueue(object);
    }
}
