//! The watches of our own kinds, of namespaces and of the operator's Secrets, as one stream.

use clientele_api::condition::share_messages;
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use futures::StreamExt;
use futures::stream::{BoxStream, select_all};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource, ResourceExt};

use crate::context::Context;
use crate::domain::user::validate;
use crate::metrics::OperatorMetrics;

/// How many objects a list brings at once: what is read and thrown away again is a page, not the cluster. A user may
/// have made each as large as etcd takes it, 1.5 MiB, and for a moment a page is in memory almost three times.
pub const PAGE: u32 = 25;

/// Something that a watch said.
pub enum WatchEvent {
    /// About OAuthClients.
    Client(Box<watcher::Event<OAuthClient>>),
    /// About OAuthTenants.
    Tenant(Box<watcher::Event<OAuthTenant>>),
    /// About OAuthUsers.
    User(Box<watcher::Event<OAuthUser>>),
    /// About namespaces.
    Namespace(watcher::Event<PartialObjectMeta<Namespace>>),
    /// About Secrets of the operator's namespace.
    OwnSecret(watcher::Event<Secret>),
    /// A watch failed and is started again.
    Failed(&'static str, Box<watcher::Error>),
}

/// Everything that the observer hears, as one stream.
pub fn watches(context: &Context) -> impl futures::Stream<Item = WatchEvent> + Unpin + use<> {
    let kube = &context.kube;
    let own = Api::namespaced(kube.clone(), &context.settings.namespace);
    select_all([
        watch_readable(context, "OAuthClient", prune_client, WatchEvent::Client),
        watch_readable(context, "OAuthTenant", prune_metadata, WatchEvent::Tenant),
        watch_readable(context, "OAuthUser", prune_user, WatchEvent::User),
        watch(Api::all(kube.clone()), "Namespace", |event| {
            Some(WatchEvent::Namespace(event))
        }),
        watch(own, "Secret", |event| Some(WatchEvent::OwnSecret(event))),
    ])
}

/// A watch of a kind that is ours. Objects are cut to what is read of them.
fn watch_readable<K>(
    context: &Context,
    what: &'static str,
    cut: fn(K) -> K,
    wrap: impl Fn(Box<watcher::Event<K>>) -> WatchEvent + Send + 'static,
) -> BoxStream<'static, WatchEvent>
where
    K: Resource<DynamicType = ()>
        + Clone
        + Default
        + std::fmt::Debug
        + Send
        + serde::de::DeserializeOwned
        + 'static,
{
    let metrics = context.metrics.clone();
    watch(Api::all(context.kube.clone()), what, move |event| {
        let event = readable(what, &metrics, event)?.modify(|object| {
            let whole = std::mem::take(object);
            *object = cut(whole);
        });
        Some(wrap(Box::new(event)))
    })
}

fn watch<K>(
    api: Api<K>,
    what: &'static str,
    wrap: impl Fn(watcher::Event<K>) -> Option<WatchEvent> + Send + 'static,
) -> BoxStream<'static, WatchEvent>
where
    K: Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + Send
        + serde::de::DeserializeOwned
        + 'static,
{
    watcher(api, watcher::Config::default().page_size(PAGE))
        .default_backoff()
        .filter_map(move |event| {
            std::future::ready(match event {
                Ok(event) => wrap(event),
                Err(error) => Some(WatchEvent::Failed(what, Box::new(error))),
            })
        })
        .boxed()
}

/// What can be read of an event. One object that cannot be read does not stop the others; it counts as absent.
fn readable<K: Resource<DynamicType = ()> + Default>(
    what: &'static str,
    metrics: &OperatorMetrics,
    event: watcher::Event<DeserializeGuard<K>>,
) -> Option<watcher::Event<K>> {
    use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};
    Some(match event {
        Apply(object) => match read(what, metrics, object) {
            Ok(object) => Apply(object),
            Err(tombstone) => Delete(tombstone),
        },
        // An object that was deleted need not be read.
        Delete(object) => Delete(
            object
                .0
                .unwrap_or_else(|invalid| tombstone(invalid.metadata)),
        ),
        Init => Init,
        InitApply(object) => return read(what, metrics, object).ok().map(InitApply),
        InitDone => InitDone,
    })
}

/// The object, or one that has only its metadata.
fn read<K: Resource<DynamicType = ()> + Default>(
    what: &'static str,
    metrics: &OperatorMetrics,
    object: DeserializeGuard<K>,
) -> Result<K, K> {
    object.0.map_err(|invalid| {
        let (name, namespace) = (&invalid.metadata.name, &invalid.metadata.namespace);
        let error = beginning(&invalid.error);
        tracing::error!(
            kind = what,
            ?namespace,
            ?name,
            error,
            "cannot decode an object, treating it as absent; correct it or delete it"
        );
        metrics.watch.invalid_objects.inc();
        tombstone(invalid.metadata)
    })
}

/// An object that has only its metadata.
fn tombstone<K: Resource + Default>(metadata: ObjectMeta) -> K {
    let mut tombstone = K::default();
    *tombstone.meta_mut() = metadata;
    tombstone
}

/// The beginning of what the decoder says, on one line: it quotes the object.
fn beginning(error: &str) -> String {
    let beginning = error.chars().take(200);
    beginning.flat_map(char::escape_debug).collect()
}

/// Drops what is not read here and what would be most of the memory.
pub fn prune_metadata<K: Resource>(mut object: K) -> K {
    object.managed_fields_mut().clear();
    object.annotations_mut().clear();
    object
}

/// The same of a client, whose conditions mostly say what those of others say.
pub fn prune_client(client: OAuthClient) -> OAuthClient {
    let mut client = prune_metadata(client);
    if let Some(status) = &mut client.status {
        share_messages(&mut status.conditions);
    }
    client
}

/// The same of a person.
pub fn prune_user(user: OAuthUser) -> OAuthUser {
    validate::prune_user(prune_metadata(user))
}
