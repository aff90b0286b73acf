//! What the watch brought and the registry does not have yet; and who has left it.

use std::time::Instant;

use clientele_api::OAuthClient;
use clientele_telemetry::audit::{AuditEvent, AuditRecord};
use kube::ResourceExt;
use kube::runtime::watcher;

use super::RegistryBuilder;
use crate::cache::place::Place;
use crate::domain::verdict::{ClientVerdict, UserVerdict};
use crate::registry::Inputs;

impl RegistryBuilder {
    /// Notes when a change of what is registered came: a new object, a new spec, the end. Not a status, which is mostly ours.
    pub(super) fn note_arrival(&mut self, event: &watcher::Event<OAuthClient>) {
        let (object, ended) = match event {
            watcher::Event::Apply(object) => (object, false),
            watcher::Event::Delete(object) => (object, true),
            _ => return,
        };
        let Some(uid) = object.uid() else { return };
        let known = self.memos.get(&Place::of(object));
        let known = known.map(|memo| &memo.verdict.object);
        let known = known.filter(|known| known.is_of(object));
        let generation = known.map(|object| object.generation());
        if ended || generation != Some(object.metadata.generation) {
            self.arrivals.entry(uid).or_insert_with(Instant::now);
        }
    }

    /// All of it is in the registry now, or has left it.
    pub(super) fn count_arrivals(&mut self, inputs: &Inputs) {
        for (_, arrived) in self.arrivals.drain() {
            inputs
                .context
                .metrics
                .registry
                .propagation
                .record(arrived.elapsed());
        }
    }
}

/// A client that was served is not any more, because its object was deleted.
pub(super) fn record_client_gone(inputs: &Inputs, verdict: &ClientVerdict) {
    let object = &verdict.object;
    let Ok(client) = &verdict.registered else {
        return;
    };
    let line = AuditRecord {
        tenant: Some(object.tenant()),
        client_id: Some(&client.id),
        kind: Some("OAuthClient"),
        namespace: Some(object.namespace()),
        name: Some(object.name()),
        uid: Some(object.uid()),
        ..AuditRecord::default()
    };
    inputs
        .context
        .audit
        .record(AuditEvent::ClientDeleted, &line);
}

/// The same of a person.
pub(super) fn record_person_gone(inputs: &Inputs, verdict: &UserVerdict) {
    let (head, object) = (&verdict.object, verdict.object.object());
    let Ok(person) = &verdict.registered else {
        return;
    };
    let line = AuditRecord {
        tenant: Some(&object.spec.tenant),
        username: Some(&person.username),
        subject: Some(&person.subject),
        kind: Some("OAuthUser"),
        namespace: Some(head.namespace()),
        name: Some(head.name()),
        uid: Some(head.uid()),
        ..AuditRecord::default()
    };
    inputs
        .context
        .audit
        .record(AuditEvent::PersonDeleted, &line);
}
