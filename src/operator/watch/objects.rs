//! The watches of our own kinds, of namespaces and of the operator's Secrets, as one stream.

use std::fmt::Debug;

use clientele_api::condition::share_messages;
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use futures::stream::{BoxStream, select_all};
use futures::{FutureExt, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use super::events::{Selection, events};
use crate::cache::bound::{Read, RereadObject};
use crate::cache::place::Place;
use crate::context::Context;
use crate::domain::user::validate;
use crate::list::read::ReadError;

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
    Failed(&'static str, Box<ReadError>),
}

/// Everything that the observer hears, as one stream.
pub fn watches(context: &Context) -> impl futures::Stream<Item = WatchEvent> + Unpin + use<> {
    let kube = &context.kube;
    let own = Api::namespaced(kube.clone(), &context.settings.namespace);
    let client = |client| WatchEvent::Client(Box::new(pruned(client, prune_client)));
    let tenant = |tenant| WatchEvent::Tenant(Box::new(pruned(tenant, prune_metadata)));
    let user = |user| WatchEvent::User(Box::new(pruned(user, prune_user)));
    select_all([
        watch(context, "OAuthClient", Api::all(kube.clone()), client),
        watch(context, "OAuthTenant", Api::all(kube.clone()), tenant),
        watch(context, "OAuthUser", Api::all(kube.clone()), user),
        watch(
            context,
            "Namespace",
            Api::all(kube.clone()),
            WatchEvent::Namespace,
        ),
        watch(context, "Secret", own, WatchEvent::OwnSecret),
    ])
}

/// All objects of a kind.
fn watch<K>(
    context: &Context,
    what: &'static str,
    api: Api<K>,
    wrap: impl Fn(watcher::Event<K>) -> WatchEvent + Send + 'static,
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
    let selection = Selection {
        what,
        api,
        params: ListParams::default(),
        quotable: what != "Secret",
    };
    let heard = move |event| match event {
        Ok(event) => wrap(event),
        Err(error) => WatchEvent::Failed(what, error),
    };
    events(context, selection).map(heard).boxed()
}

/// The same with an object that is cut to what is read of it.
fn pruned<K: Default>(event: watcher::Event<K>, prune: fn(K) -> K) -> watcher::Event<K> {
    event.modify(|object| *object = prune(std::mem::take(object)))
}

/// Drops what is not read here and what would be most of the memory: anyone with an object can make it long.
pub fn prune_metadata<K: Resource>(mut object: K) -> K {
    let meta = object.meta_mut();
    meta.managed_fields = None;
    meta.annotations = None;
    meta.labels = None;
    meta.owner_references = None;
    meta.finalizers = None;
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

/// Reads an object for which there is room again, after a while.
pub fn reread<K>(kube: &Client) -> Read<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug,
    K: DeserializeOwned + Send + 'static,
{
    let kube = kube.clone();
    Box::new(move |place: Place, after| {
        let api: Api<K> = Api::namespaced(kube.clone(), &place.namespace);
        let read = async move {
            tokio::time::sleep(after).await;
            let object = api.get_opt(&place.name).await;
            RereadObject { place, object }
        };
        read.boxed()
    })
}
