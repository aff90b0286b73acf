//! An object as it is kept in memory: what is asked often stands at the front, the rest takes as little room as it can.
//!
//! Of OAuthClients there can be a hundred thousand (docs/operations/sizing.md): each is packed, and unpacked again when it is
//! judged or reconciled.

mod client;
mod status;
mod version;
mod words;

use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use clientele_api::{OAuthTenant, OAuthUser};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;

use super::large::is_shortened;
use version::Version;

pub use client::PackedClient;
pub use words::Words;

/// A kind of objects that are kept.
pub trait Keep: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static {
    /// What is kept of one beside its head.
    type Rest: Debug + Send + Sync;

    /// Takes what the head has not.
    fn pack(self, words: &mut Words) -> Self::Rest;

    /// The object again.
    fn unpack(head: &Head, rest: &Self::Rest) -> Arc<Self>;
}

/// What is read of the metadata of an object. Nothing else of them is kept.
#[derive(Debug)]
pub struct Head {
    namespace: Arc<str>,
    name: Arc<str>,
    uid: Arc<str>,
    version: Version,
    generation: Option<i64>,
    created: Option<Time>,
    deleted: Option<Box<Time>>,
    shortened: bool,
}

impl Head {
    fn of<K: Resource>(object: &K, before: Option<&Self>, words: &mut Words) -> Self {
        let meta = object.meta();
        let shared = |text: &Option<String>, known: Option<&Arc<str>>| {
            let text = text.as_deref().unwrap_or_default();
            let known = known.filter(|known| ***known == *text);
            known.map_or_else(|| text.into(), Clone::clone)
        };
        Self {
            namespace: words.shared(meta.namespace.as_deref().unwrap_or_default()),
            name: shared(&meta.name, before.map(Self::name)),
            uid: shared(&meta.uid, before.map(Self::uid)),
            version: Version::of(meta.resource_version.as_deref()),
            generation: meta.generation,
            created: meta.creation_timestamp.clone(),
            deleted: meta.deletion_timestamp.clone().map(Box::new),
            shortened: is_shortened(object),
        }
    }

    /// The same as metadata of an object.
    fn metadata(&self) -> ObjectMeta {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ObjectMeta {
            namespace: text(&self.namespace),
            name: text(&self.name),
            uid: text(&self.uid),
            resource_version: self.version.text(),
            generation: self.generation,
            creation_timestamp: self.created.clone(),
            deletion_timestamp: self.deleted.as_deref().cloned(),
            ..ObjectMeta::default()
        }
    }

    /// `metadata.namespace`; empty for what is in no namespace.
    pub fn namespace(&self) -> &Arc<str> {
        &self.namespace
    }

    /// `metadata.name`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &Arc<str> {
        &self.uid
    }

    /// `metadata.generation`.
    pub fn generation(&self) -> Option<i64> {
        self.generation
    }

    /// Whether the object is being deleted.
    pub fn is_going(&self) -> bool {
        self.deleted.is_some()
    }

    /// Whether both are one object.
    pub fn is_same_object(&self, other: &Self) -> bool {
        self.uid == other.uid
    }

    /// Whether both are one version of one object. A version that was shortened is another one.
    pub fn is_same_version(&self, other: &Self) -> bool {
        self.version.is_known()
            && self.version == other.version
            && self.shortened == other.shortened
            && self.is_same_object(other)
    }

    /// Whether the object is this one in this version, shortened or not.
    pub fn is_of_version<K: Resource>(&self, object: &K) -> bool {
        self.is_of(object) && self.version == Version::of(object.meta().resource_version.as_deref())
    }

    /// Whether the object is this one, in this version or another.
    pub fn is_of<K: Resource>(&self, object: &K) -> bool {
        *self.uid == *object.meta().uid.as_deref().unwrap_or_default()
    }
}

/// An object as it is kept.
#[derive(Debug)]
pub struct Kept<K: Keep> {
    head: Head,
    /// Whether we have written a newer version of the object ourselves. The watch brings it, and with it
    /// the next verdict; to reconcile this version would only write the same again.
    superseded: AtomicBool,
    rest: K::Rest,
}

impl<K: Keep> Kept<K> {
    /// Keeps an object.
    pub fn new(object: K, words: &mut Words) -> Self {
        Self::after(object, None, words)
    }

    /// Keeps an object with the names of what lay in its place before, which are those of indexes as well.
    pub fn after(object: K, before: Option<&Self>, words: &mut Words) -> Self {
        Self {
            head: Head::of(&object, before.map(|before| &before.head), words),
            superseded: AtomicBool::new(false),
            rest: object.pack(words),
        }
    }

    /// The object.
    pub fn object(&self) -> Arc<K> {
        K::unpack(&self.head, &self.rest)
    }

    /// Whether a newer version was written by us.
    pub fn is_superseded(&self) -> bool {
        self.superseded.load(Relaxed)
    }

    /// Goes on as another copy of the same version, as a list brings one.
    pub fn take_over(&self, former: &Self) {
        if former.is_superseded() && self.is_same_version(former) {
            self.set_superseded(true);
        }
    }

    /// Records whether a newer version was written by us.
    pub fn set_superseded(&self, superseded: bool) {
        self.superseded.store(superseded, Relaxed);
    }
}

impl<K: Keep> Deref for Kept<K> {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

/// Whether both are one version of one object, perhaps in two copies.
pub fn is_same_version<K: Keep>(one: &Arc<Kept<K>>, other: &Arc<Kept<K>>) -> bool {
    Arc::ptr_eq(one, other) || one.is_same_version(other)
}

/// Of these there are few, or little of each: they are kept as they are.
macro_rules! kept_whole {
    ($($kind:ty),*) => {
        $(impl Keep for $kind {
            type Rest = Arc<Self>;

            fn pack(self, _: &mut Words) -> Arc<Self> {
                Arc::new(self)
            }

            fn unpack(_: &Head, rest: &Arc<Self>) -> Arc<Self> {
                rest.clone()
            }
        })*
    };
}

kept_whole!(OAuthTenant, OAuthUser);
#[cfg(test)]
kept_whole!(k8s_openapi::api::core::v1::Namespace);
