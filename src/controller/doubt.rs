//! A list that lacks so many objects that it is doubted, and the second list that settles the doubt.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource};
use prometheus_client::metrics::gauge::Gauge;
use serde::de::DeserializeOwned;

use super::brake::Brake;

/// When a doubtful list is confirmed by a second one: late enough that a passing fault has passed.
const CONFIRM_AFTER: Duration = Duration::from_secs(10);

/// A second list.
pub type List<K> = Result<Vec<K>, kube::Error>;

/// What a list lacked that is not believed, each with what is known of it.
pub struct Doubt<K: Resource<DynamicType = ()>, V> {
    what: &'static str,
    /// Where the second list is read.
    api: Api<DeserializeGuard<K>>,
    params: ListParams,
    brake: Brake<ObjectRef<K>, V>,
    second: Option<BoxFuture<'static, List<K>>>,
    gauge: Gauge<i64, AtomicI64>,
    /// What the gauge has of ours.
    counted: i64,
}

impl<K, V> Doubt<K, V>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    /// Nothing is doubted yet. What is held is added to the gauge.
    pub fn new(
        what: &'static str,
        api: Api<DeserializeGuard<K>>,
        params: ListParams,
        gauge: &Gauge<i64, AtomicI64>,
    ) -> Self {
        Self {
            what,
            api,
            params,
            brake: Brake::default(),
            second: None,
            gauge: gauge.clone(),
            counted: 0,
        }
    }

    /// Judges a list by what was listed before it: holds what is missing, or lets it go if there are not so many.
    pub fn relisted(&mut self, before: Vec<(ObjectRef<K>, V)>, listed: &HashSet<ObjectRef<K>>) {
        for object in listed {
            self.brake.settled(object);
        }
        let known = before.len();
        let missing = before.into_iter();
        let missing = missing.filter(|(object, _)| !listed.contains(object));
        let now = Instant::now();
        if self.brake.relisted(known, listed.len(), missing, now) {
            tracing::warn!(
                kind = self.what,
                held = self.brake.len(),
                listed = listed.len(),
                "a new list lacks so many objects that it is doubted; they are served for at most a minute, until a second list confirms"
            );
            self.second = Some(self.list_later());
        }
        self.count();
    }

    /// Something was seen to exist or to be deleted.
    pub fn settled(&mut self, object: &ObjectRef<K>) {
        self.brake.settled(object);
        self.count();
    }

    /// A list without a resource version is consistent: it is answered by a quorum of etcd. What cannot be read counts as
    /// absent, as it does to the watch.
    fn list_later(&self) -> BoxFuture<'static, List<K>> {
        let (api, params) = (self.api.clone(), self.params.clone());
        async move {
            tokio::time::sleep(CONFIRM_AFTER).await;
            let items = api.list(&params).await?.items.into_iter();
            Ok(items.filter_map(|object| object.0.ok()).collect())
        }
        .boxed()
    }

    /// The second list, when one was asked for and has arrived; never otherwise.
    pub async fn second(&mut self) -> List<K> {
        let Some(list) = self.second.as_mut() else {
            return std::future::pending().await;
        };
        let list = list.await;
        self.second = None;
        list
    }

    /// Settles the doubt by the second list. Returns what it has of what was held, and what is gone.
    pub fn settle(&mut self, list: List<K>) -> (Vec<K>, HashMap<ObjectRef<K>, V>) {
        let list = match list {
            Ok(list) => list,
            Err(error) => {
                if !self.brake.is_empty() {
                    tracing::warn!(kind = self.what, %error, "the second list failed and is tried again");
                    self.second = Some(self.list_later());
                }
                return (Vec::new(), HashMap::new());
            }
        };
        tracing::warn!(
            kind = self.what,
            "a second list settled the doubt about the first"
        );
        let mut gone = self.brake.confirm();
        self.count();
        let there = list.into_iter();
        let there = there.filter(|object| gone.remove(&ObjectRef::from_obj(object)).is_some());
        (there.collect(), gone)
    }

    /// When [`Doubt::expire`] will let go.
    pub fn until(&self) -> Option<Instant> {
        self.brake.until()
    }

    /// Lets go of what was held for too long, and returns it.
    pub fn expire(&mut self) -> HashMap<ObjectRef<K>, V> {
        let gone = self.brake.expire(Instant::now());
        if !gone.is_empty() {
            tracing::warn!(
                kind = self.what,
                "no second list could be read within a minute; what the first one lacked is dropped"
            );
        }
        self.count();
        gone
    }

    /// Whether this one is held.
    pub fn holds(&self, object: &ObjectRef<K>) -> bool {
        self.brake.holds(object)
    }

    /// What is held.
    pub fn held(&self) -> impl Iterator<Item = &V> {
        self.brake.held()
    }

    fn count(&mut self) {
        let held = i64::try_from(self.brake.len()).unwrap_or(i64::MAX);
        self.gauge.inc_by(held - self.counted);
        self.counted = held;
    }
}
