//! What the watches say is taken in: each kind of object by itself, and what the next rebuild has to look at because of it.

use std::sync::Arc;

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::ResourceExt;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;

use super::RegistryBuilder;
use crate::cache::place::Place;
use crate::domain::tenant::signing_secret;
use crate::domain::user::validate::password_entry;
use crate::registry::{Inputs, Outputs};
use crate::watch::objects::WatchEvent;

impl RegistryBuilder {
    /// Takes in an observation. Returns whether the registry may have to change.
    pub fn apply(&mut self, inputs: &Inputs, outputs: &Outputs, observation: WatchEvent) -> bool {
        match observation {
            WatchEvent::Client(event) => self.see_client(inputs, outputs, *event),
            WatchEvent::Tenant(event) => self.see_tenant(outputs, *event),
            WatchEvent::User(event) => self.see_user(inputs, outputs, *event),
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
        event: watcher::Event<OAuthClient>,
    ) -> bool {
        use watcher::Event::{Apply, Delete, InitApply};
        if let Apply(object) | InitApply(object) | Delete(object) = &event {
            let version = object.metadata.resource_version.as_deref();
            inputs.cache.clients_revision.note(version);
        }
        self.note_arrival(&event);
        let touched = self.clients.apply(event);
        self.note_changed_clients();
        let complete = self.clients.is_complete();
        let readiness = &outputs.readiness;
        readiness.note(|progress| progress.clients = complete);
        let pending = &mut self.pending;
        touched.note(
            |place| _ = pending.clients.insert(place),
            &mut pending.whole,
        )
    }

    fn see_tenant(&mut self, outputs: &Outputs, event: watcher::Event<OAuthTenant>) -> bool {
        let touched = self.tenants.apply(event);
        let complete = self.tenants.is_complete();
        let readiness = &outputs.readiness;
        readiness.note(|progress| progress.tenants = complete);
        let pending = &mut self.pending;
        touched.note(
            |place| _ = pending.tenants.insert(place.name.to_string()),
            &mut pending.every_tenant,
        )
    }

    fn see_user(
        &mut self,
        inputs: &Inputs,
        outputs: &Outputs,
        event: watcher::Event<OAuthUser>,
    ) -> bool {
        if let watcher::Event::Apply(user) = &event {
            self.pending.entries.extend(password_entry(user));
            want_password(inputs, user);
        }
        let is_list = matches!(event, watcher::Event::InitDone);
        let touched = self.users.apply(event);
        self.note_changed_people();
        // Which entries are looked at is said before anybody is known to have been listed.
        for user in is_list.then(|| self.users.all()).into_iter().flatten() {
            want_password(inputs, &user.object());
        }
        let complete = self.users.is_complete();
        outputs.readiness.note(|progress| progress.users = complete);
        let pending = &mut self.pending;
        touched.note(
            |place| _ = pending.people.insert(place),
            &mut pending.every_person,
        )
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
                outputs.queues.tenants.enqueue(Place::of_cluster(&tenant));
            }
            self.pending.tenants.insert(tenant);
        }
        let readiness = &outputs.readiness;
        readiness.note(|progress| progress.signing_keys |= complete);
        changed
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
}

/// Records which entry of a Secret is read.
fn want_password(inputs: &Inputs, user: &OAuthUser) {
    let Some(entry) = password_entry(user) else {
        return;
    };
    if inputs.cache.passwords.want(&entry) {
        inputs.requests.read_later((entry.namespace, entry.secret));
    }
}
