//! Watches of Secrets, of credentials, brought client secrets and passwords: one for the cluster, or one for each
//! namespace where an object needs it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::runtime::watcher;
use kube::{Api, Resource};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, sleep, sleep_until};

use crate::cache::Cache;
use crate::cache::namespace_access::{Access, Name, denied};
use crate::cache::password_requests::PasswordRequests;
use crate::cache::place::Place;
use crate::cache::rebuild::RebuildRequest;
use crate::cache::relist_check::{List, RelistCheck};
use crate::cache::work_queues::WorkQueues;
use crate::context::Context;
use crate::list::read::ReadError;
use crate::settings::SecretsScope;
use crate::watch::events::{Heard, Selection, events};

/// How soon a namespace without rights is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// After a restart the Secrets of clients that are Ready are verified a few at a time, so that requests have their share
/// of the processor meanwhile: five thousand in a second.
const VERIFIED_AT_ONCE: usize = 100;
const VERIFIED_EVERY: Duration = Duration::from_millis(20);

/// What a watch of Secrets reads and fills.
pub struct SecretHandles {
    /// The connection, the settings, and where to report.
    pub context: Arc<Context>,
    /// What is known of the cluster.
    pub cache: Arc<Cache>,
    /// Where objects are enqueued whose Secret changed.
    pub queues: Arc<WorkQueues>,
    /// Asks for the registry to be rebuilt.
    pub rebuild: Arc<RebuildRequest>,
    /// Passwords to read and to hash.
    pub passwords: Arc<PasswordRequests>,
}

/// A kind of Secrets that is watched, and the index of what is known of them.
pub struct Watched {
    /// For people.
    pub what: &'static str,
    /// Which Secrets are of the kind.
    pub selected: fn(ListParams) -> ListParams,
    /// Where objects need them.
    pub namespaces: fn(&SecretHandles) -> HashSet<String>,
    /// Whether a list that lacks many is doubted: for those that are served.
    pub doubted: bool,
    /// What the index has of a namespace, or of all.
    pub names: fn(&SecretHandles, Option<&str>) -> Vec<Name>,
    /// Takes in a Secret.
    pub put: fn(&SecretHandles, &Secret),
    /// Forgets a Secret, by namespace and name.
    pub forget: fn(&SecretHandles, &str, &str),
    /// Records whether they are within reach. Whether that changed.
    pub set_access: fn(&SecretHandles, Option<&str>, Access) -> bool,
    /// Enqueues whom it concerns that they came within reach, or out of it; returns those that can wait for their turn.
    pub concerned: fn(&SecretHandles, Option<&str>) -> Vec<Place>,
    /// Tells whom it concerns that the index may have changed.
    pub changed: fn(&SecretHandles),
}

/// Keeps the index of Secrets true, for ever.
pub async fn watch(handles: Arc<SecretHandles>, watched: &'static Watched) {
    match handles.context.settings.secrets_scope {
        SecretsScope::Cluster => watch_in(handles, watched, None).await,
        SecretsScope::Namespaces => watch_each(handles, watched).await,
    }
}

/// One watch for each namespace in which an object needs it. It restarts where it ended and an object needs it again.
async fn watch_each(handles: Arc<SecretHandles>, watched: &'static Watched) {
    let (mut running, mut tasks) = (HashSet::new(), JoinSet::new());
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            Some(ended) = tasks.join_next() => match ended {
                Ok(namespace) => {
                    running.remove(&namespace);
                }
                Err(ended) => if let Ok(panic) = ended.try_into_panic() {
                    std::panic::resume_unwind(panic);
                },
            }
        }
        for namespace in (watched.namespaces)(&handles) {
            if running.insert(namespace.clone()) {
                let watch = watch_in(handles.clone(), watched, Some(namespace.clone()));
                tasks.spawn(watch.map(|()| namespace));
            }
        }
    }
}

/// Watches for ever, or until it is in vain.
async fn watch_in(
    handles: Arc<SecretHandles>,
    watched: &'static Watched,
    namespace: Option<String>,
) {
    let mut watch = Watch::new(handles, watched, namespace);
    let mut events = watch.events();
    let mut turn = tokio::time::interval(VERIFIED_EVERY);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let until = watch.doubt.until();
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => watch.apply(event),
                Some(Err(error)) => {
                    if error.is_forbidden() && watch.is_needless() {
                        return watch.end();
                    }
                    watch.failed(&error);
                    if error.is_forbidden() {
                        // Who has no right need not ask every second.
                        sleep(RETRY).await;
                        events = watch.events();
                    }
                }
                None => return,
            },
            list = watch.doubt.second() => watch.settle(list),
            () = sleep_until(until.unwrap_or_else(Instant::now).into()), if until.is_some() => {
                let gone = watch.doubt.expire();
                watch.forget(gone.into_keys());
            }
            _ = turn.tick(), if !watch.unverified.is_empty() => watch.verify_some(),
        }
    }
}

/// The objects of a namespace, or of all.
fn within<K>(kube: &kube::Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(kube.clone(), namespace),
        None => Api::all(kube.clone()),
    }
}

/// One watch.
struct Watch {
    handles: Arc<SecretHandles>,
    watched: &'static Watched,
    namespace: Option<String>,
    params: ListParams,
    /// What the list that comes in has brought so far: a Secret itself is forgotten as soon as it was looked at. None
    /// where nothing was known before, so that nothing can be gone.
    listed: Option<HashSet<Place>>,
    doubt: RelistCheck<Secret, ()>,
    /// The clients that wait to be enqueued.
    unverified: Vec<Place>,
}

impl Watch {
    fn new(
        handles: Arc<SecretHandles>,
        watched: &'static Watched,
        namespace: Option<String>,
    ) -> Self {
        let params = (watched.selected)(ListParams::default());
        let gauge = &handles.context.metrics.watch.held(watched.what);
        let guarded = within(&handles.context.kube, namespace.as_deref());
        let doubt = RelistCheck::new(watched.what, guarded, params.clone(), gauge);
        Self {
            handles,
            watched,
            namespace,
            params,
            listed: None,
            doubt,
            unverified: Vec::new(),
        }
    }

    fn events(&self) -> BoxStream<'static, Heard<Secret>> {
        let context = &self.handles.context;
        let selection = Selection {
            what: self.watched.what,
            api: within(&context.kube, self.namespace.as_deref()),
            params: self.params.clone(),
            quotable: false,
        };
        events(context, selection)
    }

    fn apply(&mut self, event: watcher::Event<Secret>) {
        match event {
            watcher::Event::Init => {
                let matters = self.watched.doubted || !self.known().is_empty();
                self.listed = matters.then(HashSet::new);
            }
            watcher::Event::InitApply(secret) => {
                // A second list that was asked for before is no news about it.
                self.doubt.settled(&Place::of(&secret));
                if let Some(listed) = &mut self.listed {
                    listed.insert(Place::of(&secret));
                }
                (self.watched.put)(&self.handles, &secret);
            }
            watcher::Event::InitDone => {
                self.set_access(Access::Granted);
                self.relisted();
            }
            watcher::Event::Apply(secret) => {
                self.doubt.settled(&Place::of(&secret));
                (self.watched.put)(&self.handles, &secret);
                (self.watched.changed)(&self.handles);
            }
            watcher::Event::Delete(secret) => {
                self.doubt.settled(&Place::of(&secret));
                self.forget([Place::of(&secret)].into_iter());
            }
        }
    }

    /// A list is complete: what it lacks was deleted, unless it lacks so much that the list is doubted.
    fn relisted(&mut self) {
        let Some(listed) = self.listed.take() else {
            return (self.watched.changed)(&self.handles);
        };
        let mut known: Vec<_> = self
            .known()
            .into_iter()
            .map(|(namespace, name)| Place::new(&namespace, &name))
            .collect();
        known.retain(|name| !self.doubt.holds(name));
        if self.watched.doubted {
            let before = known.iter().map(|name| (name.clone(), ())).collect();
            self.doubt.relisted(before, &listed);
        }
        known.retain(|name| !listed.contains(name) && !self.doubt.holds(name));
        self.forget(known.into_iter());
    }

    fn known(&self) -> Vec<Name> {
        (self.watched.names)(&self.handles, self.namespace.as_deref())
    }

    /// Settles a doubt by the second list.
    fn settle(&mut self, list: List<Secret>) {
        let (there, gone) = self.doubt.settle(list);
        for secret in &there {
            (self.watched.put)(&self.handles, secret);
        }
        self.forget(gone.into_keys());
    }

    fn forget(&self, gone: impl Iterator<Item = Place>) {
        for Place { namespace, name } in gone {
            (self.watched.forget)(&self.handles, &namespace, &name);
        }
        (self.watched.changed)(&self.handles);
    }

    fn set_access(&mut self, access: Access) -> bool {
        let namespace = self.namespace.as_deref();
        let changed = (self.watched.set_access)(&self.handles, namespace, access);
        if changed {
            self.unverified = (self.watched.concerned)(&self.handles, namespace);
        }
        changed
    }

    fn verify_some(&mut self) {
        let left = self.unverified.len().saturating_sub(VERIFIED_AT_ONCE);
        for client in self.unverified.drain(left..) {
            self.handles.queues.clients.enqueue(client);
        }
    }

    /// Whether no object needs the Secrets of the namespace: mostly it was deleted, and the rights in it with it.
    fn is_needless(&self) -> bool {
        let needed = (self.watched.namespaces)(&self.handles);
        let namespace = self.namespace.as_ref();
        let unused = namespace.is_some_and(|namespace| !needed.contains(namespace));
        unused && self.doubt.until().is_none()
    }

    /// Who is refused and not needed does not ask again.
    fn end(&mut self) {
        self.set_access(Access::Pending);
        let (what, namespace) = (self.watched.what, self.namespace.as_deref());
        tracing::info!(
            namespace,
            "{what} of this namespace are no longer needed; stopped watching them"
        );
    }

    fn failed(&mut self, error: &ReadError) {
        self.handles.context.metrics.watch.errors.inc();
        let namespace = self.namespace.as_deref();
        if !error.is_forbidden() {
            let what = self.watched.what;
            tracing::warn!(%error, namespace, "the watch of {what} failed, restarting it");
            return;
        }
        let settings = &self.handles.context.settings;
        let sentence = denied(settings, namespace.unwrap_or("<namespace>"));
        if self.set_access(Access::Denied(sentence.clone())) {
            tracing::warn!(namespace = self.namespace.as_deref(), "{sentence}");
            (self.watched.changed)(&self.handles);
        }
    }
}
