//! Objects of one kind as listed and watched, with the brake on what only vanishes from a relist.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, Resource, ResourceExt};

use super::brake::Brake;

/// When a doubtful list is confirmed by a second one: late enough that a passing fault has passed.
const CONFIRM_AFTER: Duration = Duration::from_secs(10);

type List<K> = Result<Vec<K>, kube::Error>;

/// The objects of a kind.
pub struct Listed<K: Resource<DynamicType = ()> + Clone + 'static> {
    writer: Writer<K>,
    store: Store<K>,
    brake: Brake<ObjectRef<K>, Arc<K>>,
    before_relist: Vec<Arc<K>>,
    confirmation: Option<BoxFuture<'static, List<K>>>,
    complete: bool,
}

impl<K> Listed<K>
where
    K: Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + Send
        + Sync
        + serde::de::DeserializeOwned
        + 'static,
{
    /// Nothing listed yet.
    pub fn new(writer: Writer<K>) -> Self {
        Self {
            store: writer.as_reader(),
            writer,
            brake: Brake::default(),
            before_relist: Vec::new(),
            confirmation: None,
            complete: false,
        }
    }

    /// Takes in what the watch said. Returns whether the objects may have changed.
    pub fn apply(&mut self, kube: &kube::Client, event: &watcher::Event<K>) -> bool {
        if matches!(event, watcher::Event::Init) {
            self.before_relist = self.store.state();
        }
        self.writer.apply_watcher_event(event);
        match event {
            watcher::Event::Init | watcher::Event::InitApply(_) => false,
            watcher::Event::InitDone => {
                self.relisted(kube);
                true
            }
            watcher::Event::Apply(object) | watcher::Event::Delete(object) => {
                self.brake.settled(&ObjectRef::from_obj(object));
                true
            }
        }
    }

    fn relisted(&mut self, kube: &kube::Client) {
        self.complete = true;
        let listed: HashMap<ObjectRef<K>, Option<String>> = self
            .store
            .state()
            .iter()
            .map(|object| (ObjectRef::from_obj(&**object), object.uid()))
            .collect();
        for object in listed.keys() {
            self.brake.settled(object);
        }
        let before = std::mem::take(&mut self.before_relist);
        let known = before.len();
        let missing = before
            .into_iter()
            .map(|object| (ObjectRef::from_obj(&*object), object))
            .filter(|(name, _)| !listed.contains_key(name));
        if self
            .brake
            .relisted(known, listed.len(), missing, Instant::now())
        {
            tracing::warn!(
                kind = %K::kind(&()), held = self.brake.len(), listed = listed.len(),
                "a new list lacks so many objects that it is doubted; they are served for at most a minute, until a second list confirms"
            );
            self.confirmation = Some(list_later(kube.clone()));
        }
    }

    /// The second list, when one was asked for and has arrived; never otherwise.
    pub async fn confirmation(&mut self) -> List<K> {
        let Some(list) = self.confirmation.as_mut() else {
            return std::future::pending().await;
        };
        let list = list.await;
        self.confirmation = None;
        list
    }

    /// Settles the doubt by the second list: what it has is known to exist, what it lacks is gone.
    pub fn confirm(&mut self, kube: &kube::Client, list: List<K>) {
        match list {
            Ok(list) => {
                let held: Vec<ObjectRef<K>> = self
                    .brake
                    .held()
                    .map(|object| ObjectRef::from_obj(&**object))
                    .collect();
                for object in list
                    .into_iter()
                    .filter(|object| held.contains(&ObjectRef::from_obj(object)))
                {
                    self.writer
                        .apply_watcher_event(&watcher::Event::Apply(object));
                }
                tracing::warn!(kind = %K::kind(&()), "a second list settled the doubt about the first");
                self.brake.confirm();
            }
            Err(error) if !self.brake.is_empty() => {
                tracing::warn!(kind = %K::kind(&()), %error, "the second list failed and is tried again");
                self.confirmation = Some(list_later(kube.clone()));
            }
            Err(_) => {}
        }
    }

    /// Whether a complete list was seen.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The objects that count: what is listed, and what the brake holds.
    pub fn objects(&self) -> Vec<Arc<K>> {
        let mut objects = self.store.state();
        objects.extend(self.brake.held().cloned());
        objects
    }

    /// How many the brake holds.
    pub fn held(&self) -> usize {
        self.brake.len()
    }

    /// When the brake lets go.
    pub fn brake_until(&self) -> Option<Instant> {
        self.brake.until()
    }

    /// Lets go of what the brake held for too long.
    pub fn release_brake(&mut self) -> bool {
        self.brake.expire(Instant::now())
    }
}

/// A list without a resource version is consistent: it is answered by a quorum of etcd. What cannot be read counts as
/// absent, as it does to the watch.
fn list_later<K>(kube: kube::Client) -> BoxFuture<'static, List<K>>
where
    K: Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + Send
        + serde::de::DeserializeOwned
        + 'static,
{
    async move {
        tokio::time::sleep(CONFIRM_AFTER).await;
        let api = Api::<DeserializeGuard<K>>::all(kube);
        let list = api.list(&ListParams::default()).await?;
        let readable = list.items.into_iter().filter_map(|object| object.0.ok());
        Ok(readable.collect())
    }
    .boxed()
}
