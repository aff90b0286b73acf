//! Keeps large objects within their room: what has none is shortened, and read again when it has.

use std::time::Duration;

use futures::future::BoxFuture;
use kube::Resource;
use kube::runtime::watcher;

use super::large_objects::{Age, LargeObjects, ROOM};
use super::place::Place;
use crate::domain::kept::Head;
use crate::domain::large::LargeParts;

/// How soon a read that did not bring what is known is repeated: until then the watch may have said why.
const AGAIN: Duration = Duration::from_millis(100);
/// How soon a read that failed is repeated.
const RETRY: Duration = Duration::from_secs(3);

/// How an object is read that lies in a place, after a while.
pub type Read<K> = Box<dyn Fn(Place, Duration) -> BoxFuture<'static, RereadObject<K>> + Send>;

/// What was read again.
pub struct RereadObject<K> {
    /// Where it lies.
    pub place: Place,
    /// What lies there.
    pub object: Result<Option<K>, kube::Error>,
}

/// The bound of what is kept of large objects of a kind.
pub struct Bound<K> {
    what: &'static str,
    objects: LargeObjects,
    /// Those of the list that is coming in.
    listed: Option<LargeObjects>,
    large: LargeParts<K>,
    read: Read<K>,
    reading: Option<BoxFuture<'static, RereadObject<K>>>,
    /// When the next one is read.
    after: Duration,
}

impl<K: Resource<DynamicType = ()> + Clone> Bound<K> {
    /// Nothing is large yet.
    pub fn new(what: &'static str, large: LargeParts<K>, read: Read<K>) -> Self {
        Self {
            what,
            objects: LargeObjects::new(ROOM),
            listed: None,
            large,
            read,
            reading: None,
            after: Duration::ZERO,
        }
    }

    /// Notes what the watch said. Returns what is kept of it.
    pub(super) fn take_in(&mut self, event: watcher::Event<K>) -> watcher::Event<K> {
        match &event {
            watcher::Event::Init => self.listed = Some(LargeObjects::new(ROOM)),
            watcher::Event::InitApply(object) => {
                let listed = self.listed.get_or_insert_with(|| LargeObjects::new(ROOM));
                let length = (self.large.length)(object);
                // A list is in the order of names. What was served before goes on to be, whatever comes first.
                let whole = listed.has_room_in_list(length) && !(self.large.was_refused)(object);
                listed.note(Place::of(object), age(object), length, whole);
                if !whole {
                    let short = (self.large.shorten)(object.clone());
                    return watcher::Event::InitApply(short);
                }
            }
            watcher::Event::InitDone => {
                if let Some(listed) = self.listed.take() {
                    self.objects = listed;
                }
            }
            watcher::Event::Apply(object) => {
                let length = (self.large.length)(object);
                self.objects
                    .note(Place::of(object), age(object), length, true);
            }
            watcher::Event::Delete(object) => self.objects.forget(&Place::of(object)),
        }
        event
    }

    /// What has to be shortened. What has room again is read, one after the other.
    pub(super) fn settle(&mut self) -> Vec<Place> {
        let unsettled = self.objects.unsettled();
        for place in &unsettled.without_room {
            self.objects.set_whole(place, false);
        }
        if self.reading.is_none()
            && let Some(place) = unsettled.with_room.into_iter().next()
        {
            self.reading = Some((self.read)(place, std::mem::take(&mut self.after)));
        }
        unsettled.without_room
    }

    /// The same object without what can be long.
    pub(super) fn shorten(&self, object: K) -> K {
        (self.large.shorten)(object)
    }

    /// What is read, when it has arrived; never if nothing is read.
    pub(super) async fn reread(&mut self) -> RereadObject<K> {
        let Some(reading) = self.reading.as_mut() else {
            return std::future::pending().await;
        };
        let reread = reading.await;
        self.reading = None;
        reread
    }

    /// The object that was read, if it is what is known to lie there.
    pub(super) fn reread_is(&mut self, reread: RereadObject<K>, known: Option<&Head>) -> Option<K> {
        let object = match reread.object {
            Ok(object) => object,
            Err(error) => {
                let (namespace, name) = (&reread.place.namespace, &reread.place.name);
                tracing::warn!(kind = self.what, %error, %namespace, %name, "could not read a large object, will retry");
                self.after = RETRY;
                return None;
            }
        };
        let object = object.filter(|object| known.is_some_and(|known| known.is_of_version(object)));
        match &object {
            Some(_) => self.objects.set_whole(&reread.place, true),
            None => self.after = AGAIN,
        }
        object
    }
}

fn age<K: Resource>(object: &K) -> Age {
    let created = object.meta().creation_timestamp.as_ref();
    let seconds = created.map_or(i64::MAX, |time| time.0.as_second());
    let uid = object.meta().uid.as_deref().unwrap_or_default();
    (seconds, uid.into())
}
