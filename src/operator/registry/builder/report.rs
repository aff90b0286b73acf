//! What became of whom, once the registry is swapped: verdicts, versions, requests of reconciles, the audit log, numbers.

use std::sync::Arc;
use std::time::Duration;

use super::RegistryBuilder;
use super::arrivals::{record_client_gone, record_person_gone};
use super::clients::{ClientMemos, unsaid};
use super::memo::Change;
use super::pending::Pending;
use super::slices::Slices;
use crate::cache::place::Place;
use crate::domain::verdict::{ClientVerdict, UserVerdict};
use crate::metrics::count;
use crate::registry::{Inputs, Outputs};

/// How many verdicts are replaced at a time.
const PART: usize = 64;

/// What a report is about.
pub(super) struct Report<'r> {
    pub(super) inputs: &'r Inputs,
    pub(super) outputs: &'r Outputs,
    pub(super) pending: &'r Pending,
    /// The tenants that are reconciled.
    pub(super) tenants: Vec<String>,
    /// How long it took until the registry was swapped.
    pub(super) took: Duration,
}

impl RegistryBuilder {
    /// Reports everything. A reconcile is asked for after the verdict is there that it acts upon.
    pub(super) async fn report(
        &mut self,
        report: Report<'_>,
        changes: Vec<Change<ClientVerdict>>,
        people: Vec<Change<UserVerdict>>,
        slices: &mut Slices,
    ) {
        let verdicts = changes.len();
        self.report_tenants(report.outputs, &report.pending.tenants);
        report.versions(&self.memos, &changes, slices).await;
        self.count_arrivals(report.inputs);
        report.clients(changes, slices).await;
        report.people(people, slices).await;
        if report.pending.keyring {
            report.every_client(&self.memos, slices).await;
        }
        for tenant in &report.tenants {
            report
                .outputs
                .queues
                .tenants
                .enqueue(Place::of_cluster(tenant));
        }
        let metrics = &report.inputs.context.metrics.registry;
        metrics.clients.set(count(self.served));
        metrics.refused.set(count(self.refused));
        metrics.users.set(count(self.registered_people));
        let revision = i64::try_from(self.revision).unwrap_or(i64::MAX);
        metrics.revision.set(revision);
        metrics.rebuild_seconds.set(report.took.as_secs_f64());
        tracing::debug!(
            revision = self.revision,
            verdicts,
            whole = report.pending.whole,
            took = ?report.took,
            "the registry was rebuilt"
        );
    }
}

impl Report<'_> {
    /// Tells which versions are served that no status speaks of yet.
    async fn versions(
        &self,
        memos: &ClientMemos,
        changes: &[Change<ClientVerdict>],
        slices: &mut Slices,
    ) {
        let rollout = &self.outputs.rollout;
        if self.pending.whole {
            let all = memos.iter();
            let served = all.filter_map(|(_, memo)| unsaid(&memo.verdict));
            return rollout.serve(served);
        }
        let mut others = Vec::new();
        for change in changes {
            others.extend(
                change
                    .gone()
                    .map(|gone| (gone.object.uid().to_string(), None)),
            );
            let version = |verdict: &Arc<ClientVerdict>| unsaid(verdict);
            let (before, after) = (&change.before, &change.after);
            let now = after.as_ref().and_then(version);
            // Mostly the status speaks of it, before and after.
            if before.as_ref().and_then(version) != now {
                let uid = after.as_ref().map(|verdict| verdict.object.uid());
                let version = now.map(|(_, generation)| generation);
                others.extend(uid.map(|uid| (uid.to_string(), version)));
            }
            slices.turn().await;
        }
        rollout.serve_some(others.into_iter());
    }

    /// Enqueues every client within reach, because the root keys are others.
    async fn every_client(&self, memos: &ClientMemos, slices: &mut Slices) {
        for (_, memo) in memos.iter() {
            self.enqueue(&memo.verdict);
            slices.turn().await;
        }
    }

    /// Replaces verdicts and drops the former ones, some at a time.
    async fn clients(&self, mut changes: Vec<Change<ClientVerdict>>, slices: &mut Slices) {
        while !changes.is_empty() {
            let part = changes.split_off(changes.len().saturating_sub(PART));
            let fresh = part.iter().filter_map(|change| change.after.as_ref());
            let fresh = fresh.map(|verdict| (verdict.object.uid().clone(), verdict.clone()));
            let gone: Vec<_> = part.iter().filter_map(Change::gone).collect();
            let uids = gone.iter().map(|verdict| &**verdict.object.uid());
            self.outputs.verdicts.clients.update(uids, fresh);
            for verdict in &gone {
                record_client_gone(self.inputs, verdict);
            }
            // With other root keys every client is enqueued afterwards.
            let matters = |change: &&Change<_>| change.matters && !self.pending.keyring;
            let news = part.iter().filter(matters);
            for verdict in news.filter_map(|change| change.after.as_ref()) {
                self.enqueue(verdict);
            }
            drop(part);
            slices.turn().await;
        }
    }

    async fn people(&self, mut changes: Vec<Change<UserVerdict>>, slices: &mut Slices) {
        while !changes.is_empty() {
            let part = changes.split_off(changes.len().saturating_sub(PART));
            let fresh = part.iter().filter_map(|change| change.after.as_ref());
            let fresh = fresh.map(|verdict| (verdict.object.uid().clone(), verdict.clone()));
            let gone: Vec<_> = part.iter().filter_map(Change::gone).collect();
            let uids = gone.iter().map(|verdict| &**verdict.object.uid());
            self.outputs.verdicts.users.update(uids, fresh);
            for verdict in gone {
                record_person_gone(self.inputs, verdict);
            }
            let news = part.iter().filter(|change| change.matters);
            for verdict in news.filter_map(|change| change.after.as_ref()) {
                let object = Place::of_kept(&verdict.object);
                self.outputs.queues.users.enqueue(object);
            }
            drop(part);
            slices.turn().await;
        }
    }

    /// Where Secrets have not been listed yet nothing is written. Once they are, every client there is enqueued.
    fn enqueue(&self, verdict: &ClientVerdict) {
        let object = &verdict.object;
        if self.inputs.cache.credentials.is_listed(object.namespace()) {
            let object = Place::of_kept(object);
            self.outputs.queues.clients.enqueue(object);
        }
    }
}
