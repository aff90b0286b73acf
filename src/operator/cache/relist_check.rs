//! A list that lacks more objects than is plausible, and the second list that settles the doubt.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use kube::{Api, Resource};
use prometheus_client::metrics::gauge::Gauge;
use serde::de::DeserializeOwned;

use super::place::Place;
use super::relist_guard::RelistGuard;
use crate::list::pages::{PAGE, Pages, Patience, all};
use crate::list::read::ReadError;

/// When a doubtful list is confirmed by a second one: late enough that a passing fault has passed.
const CONFIRM_AFTER: Duration = Duration::from_secs(10);

/// A second list.
pub type List<K> = Result<Vec<K>, ReadError>;
/// How it is read, after a while.
type Read<K> = Box<dyn Fn(Duration) -> BoxFuture<'static, List<K>> + Send>;

/// What a list lacked that is not believed, each with what is known of it.
pub struct RelistCheck<K, V> {
    what: &'static str,
    read: Read<K>,
    brake: RelistGuard<Place, V>,
    second: Option<BoxFuture<'static, List<K>>>,
    /// When it is asked for. A list that is doubted as well puts it off no further.
    due: Option<Instant>,
    gauge: Gauge<i64, AtomicI64>,
    /// What the gauge has of ours.
    counted: i64,
}

impl<K, V> RelistCheck<K, V>
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
        let read = move |after| list_later(after, api.clone(), params.clone()).boxed();
        Self::reading(what, Box::new(read), gauge)
    }

    /// The same for who brings second lists himself.
    #[cfg(test)]
    pub fn of_a_test() -> Self {
        let never = |_| std::future::pending().boxed();
        Self::reading("things of a test", Box::new(never), &Gauge::default())
    }

    fn reading(what: &'static str, read: Read<K>, gauge: &Gauge<i64, AtomicI64>) -> Self {
        Self {
            what,
            read,
            brake: RelistGuard::default(),
            second: None,
            due: None,
            gauge: gauge.clone(),
            counted: 0,
        }
    }

    /// Judges a list by what was listed before it: holds what is missing, or lets it go if it is little.
    pub fn relisted(&mut self, before: Vec<(Place, V)>, listed: &HashSet<Place>) {
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
                "relist lacks more objects than is plausible; serving the missing ones for up to 60s, until a second list confirms"
            );
            // What was asked for before this list may be older than it.
            let due = *self.due.get_or_insert(now + CONFIRM_AFTER);
            self.second = Some((self.read)(due.saturating_duration_since(now)));
        }
        self.count();
    }

    /// Something was seen to exist or to be deleted.
    pub fn settled(&mut self, object: &Place) {
        self.brake.settled(object);
        self.count();
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

    /// Settles the doubt by the second list. Returns what it has of what was held, and what was deleted.
    pub fn settle(&mut self, list: List<K>) -> (Vec<K>, HashMap<Place, V>) {
        self.due = None;
        let list = match list {
            Ok(list) => list,
            Err(error) => {
                if !self.brake.is_empty() {
                    tracing::warn!(kind = self.what, %error, "the confirming list failed, will retry");
                    self.second = Some((self.read)(CONFIRM_AFTER));
                }
                return (Vec::new(), HashMap::new());
            }
        };
        tracing::warn!(
            kind = self.what,
            "a second list confirmed which objects exist"
        );
        let mut gone = self.brake.confirm();
        self.count();
        let there = list.into_iter();
        let there = there.filter(|object| gone.remove(&Place::of(object)).is_some());
        (there.collect(), gone)
    }

    /// When [`RelistCheck::expire`] will let go.
    pub fn until(&self) -> Option<Instant> {
        self.brake.until()
    }

    /// Lets go of what was held for too long, and returns it.
    pub fn expire(&mut self) -> HashMap<Place, V> {
        let gone = self.brake.expire(Instant::now());
        if !gone.is_empty() {
            tracing::warn!(
                kind = self.what,
                "no confirming list within 60s; dropping the objects that the first one lacked"
            );
        }
        self.count();
        gone
    }

    /// Whether this one is held.
    pub fn holds(&self, object: &Place) -> bool {
        self.brake.holds(object)
    }

    /// What is known of this one, if it is held.
    pub fn find(&self, object: &Place) -> Option<&V> {
        self.brake.find(object)
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

/// A list without a resource version is consistent: it is answered by a quorum of etcd. What cannot be read counts as
/// absent, as it does to the watch.
async fn list_later<K: Resource + DeserializeOwned>(
    after: Duration,
    api: Api<DeserializeGuard<K>>,
    params: ListParams,
) -> List<K> {
    tokio::time::sleep(after).await;
    all(Pages::new(api, params.limit(PAGE), Patience::default())).await
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;

    use super::*;

    fn secret(name: &str, version: &str) -> Secret {
        let mut secret = Secret::default();
        secret.metadata.name = Some(name.to_owned());
        secret.metadata.resource_version = Some(version.to_owned());
        secret
    }

    fn named(name: &str) -> Place {
        Place::of_cluster(name)
    }

    /// Of three that are known a list has none.
    fn doubted() -> RelistCheck<Secret, ()> {
        let mut doubt = RelistCheck::of_a_test();
        let known = ["a", "b", "c"].map(|name| (named(name), ()));
        doubt.relisted(known.into(), &HashSet::new());
        assert!(["a", "b", "c"].iter().all(|name| doubt.holds(&named(name))));
        doubt
    }

    #[test]
    fn a_second_list_brings_back_what_it_has_and_lets_go_what_it_lacks() {
        let mut doubt = doubted();
        let (there, gone) = doubt.settle(Ok(vec![secret("a", "1"), secret("new", "1")]));
        assert_eq!(
            there,
            [secret("a", "1")],
            "what is new is told by the watch"
        );
        let gone: HashSet<_> = gone.into_keys().collect();
        assert_eq!(gone, [named("b"), named("c")].into());
        assert!(doubt.held().next().is_none() && doubt.until().is_none());
    }

    #[test]
    fn a_second_list_is_no_news_of_what_the_watch_has_told_of_since() {
        let mut doubt = doubted();
        // Changed, and deleted, after the second list was asked for.
        doubt.settled(&named("a"));
        doubt.settled(&named("b"));
        let old = ["a", "b", "c"].map(|name| secret(name, "1"));
        let (there, gone) = doubt.settle(Ok(old.into()));
        assert_eq!(there, [secret("c", "1")]);
        assert!(gone.is_empty());
    }

    #[test]
    fn a_second_list_that_fails_is_asked_for_again_while_something_is_held() {
        let mut doubt = doubted();
        let failed = || Err(ReadError::NoVersion);
        doubt.second = None;
        let (there, gone) = doubt.settle(failed());
        assert!(there.is_empty() && gone.is_empty());
        assert!(doubt.holds(&named("a")) && doubt.second.is_some());
        for name in ["a", "b", "c"] {
            doubt.settled(&named(name));
        }
        doubt.second = None;
        doubt.settle(failed());
        assert!(doubt.second.is_none());
    }
}
