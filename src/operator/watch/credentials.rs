//! The watch of credentials Secrets.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use tokio::time::timeout;

use super::secrets::{SecretHandles, Watched};
use crate::cache::namespace_access::Access;
use crate::cache::place::Place;
use crate::cache::progress::{LoadState, Readiness};
use crate::domain::client::secret::CLIENT_LABEL;

/// So long credentials Secrets wait for a registry that is complete.
const LATE: Duration = Duration::from_secs(5);

/// The credentials Secrets. A list of them is not doubted: a reconcile that misses one asks the API server.
pub const CREDENTIALS: Watched = Watched {
    what: "credentials Secrets",
    selected: |params| params.labels(CLIENT_LABEL),
    namespaces: |handles| handles.cache.clients.namespaces(|_| true),
    doubted: false,
    names: |handles, namespace| handles.cache.credentials.names(namespace),
    put: |handles, secret| {
        let (index, namespace) = (&handles.cache.credentials, secret.namespace());
        let namespace = namespace.unwrap_or_default();
        let changed = index.put(secret, &handles.cache.digest_key);
        // Before the first list is complete a reconcile could do nothing, and then all clients are told.
        if index.access(&namespace) != Access::Pending {
            enqueue(handles, &namespace, changed);
        }
    },
    forget: |handles, namespace, name| {
        enqueue(
            handles,
            namespace,
            handles.cache.credentials.forget(namespace, name),
        );
    },
    set_access: |handles, namespace, access| {
        handles.cache.credentials.set_access(namespace, access)
    },
    concerned: |handles, namespace| {
        let objects = handles.cache.clients.within(namespace).into_iter();
        let (ready, others): (Vec<_>, Vec<_>) = objects.partition(|object| object.is_ready());
        for object in others {
            handles.queues.clients.enqueue(Place::of_kept(&object));
        }
        ready.iter().map(|object| Place::of_kept(object)).collect()
    },
    // Each change has told whom it concerns.
    changed: |_| {},
};

fn enqueue(handles: &SecretHandles, namespace: &str, clients: impl IntoIterator<Item = String>) {
    for client in clients {
        let place = Place::new(namespace, &client);
        handles.queues.clients.enqueue(place);
    }
}

/// Keeps the index of credentials Secrets true, until the end. It is not needed to serve, so what is served comes first. Where that
/// cannot be complete, the status of clients says why, and writing it needs the index.
pub async fn watch(handles: Arc<SecretHandles>, readiness: Arc<Readiness>) {
    let mut progress = readiness.subscribe();
    let _ = progress.wait_for(LoadState::is_listed).await;
    let served = progress.wait_for(|progress| progress.registry);
    let _ = timeout(LATE, served).await;
    super::secrets::watch(handles, &CREDENTIALS).await;
}
