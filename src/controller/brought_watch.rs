//! The watch of Secrets with client secrets that somebody brings.

use std::collections::HashSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::runtime::watcher;

use super::access::Access;
use super::secret_watch::{Listed, Watched};
use super::shared::Shared;
use crate::api::secret_ref::CLIENT_SECRET_TYPE;

/// The Secrets with client secrets. The type is how one opts in, so others are not even sent to us.
pub const BROUGHT: Watched = Watched {
    what: "Secrets with client secrets",
    selected: |config| config.fields(&format!("type={CLIENT_SECRET_TYPE}")),
    namespaces: |shared| {
        let objects = shared.clients.state();
        let objects = objects.iter();
        objects
            .filter(|object| object.spec.secret_ref.is_some())
            .filter_map(|object| object.namespace())
            .collect()
    },
    observe,
    set_access: |shared, namespace, access| {
        let changed = shared.brought.set_access(namespace, access);
        if changed {
            shared.changed.notify_one();
        }
        changed
    },
};

/// Keeps the index of brought client secrets true, for ever.
pub async fn watch(shared: Arc<Shared>) {
    super::secret_watch::watch(shared, &BROUGHT).await;
}

fn observe(
    shared: &Shared,
    namespace: Option<&str>,
    event: watcher::Event<Secret>,
    listed: &mut Listed,
) {
    match event {
        watcher::Event::Init => listed.clear(),
        watcher::Event::InitApply(secret) => {
            listed.insert((secret.namespace().unwrap_or_default(), secret.name_any()));
            see(shared, &secret);
        }
        watcher::Event::InitDone => {
            shared.brought.retain(namespace, listed);
            *listed = HashSet::new();
            (BROUGHT.set_access)(shared, namespace, Access::Granted);
            shared.changed.notify_one();
        }
        watcher::Event::Apply(secret) => {
            see(shared, &secret);
            shared.changed.notify_one();
        }
        watcher::Event::Delete(secret) => {
            shared.brought.forget(&secret);
            shared.changed.notify_one();
        }
    }
}

fn see(shared: &Shared, secret: &Secret) {
    if secret.type_.as_deref() == Some(CLIENT_SECRET_TYPE) {
        shared.brought.put(secret);
    }
}
