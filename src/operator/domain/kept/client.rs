//! An OAuthClient as it is kept.

use std::sync::Arc;

use clientele_api::secret_ref::SecretRef;
use clientele_api::{OAuthClient, OAuthClientSpec};
use jiff::Timestamp;

use super::status::PackedStatus;
use super::words::Words;
use super::{Head, Keep, Kept};
use crate::domain::client::last_use::LastUse;
use crate::domain::client::status::is_ready;
use crate::domain::large::mark_shortened;
use crate::domain::uid::Uid;

/// What is kept of an OAuthClient beside its head.
#[derive(Debug)]
pub struct PackedClient {
    tenant: Arc<str>,
    spec: PackedSpec,
    status: Option<Box<PackedStatus>>,
    secret_ref: Option<Box<SecretRef>>,
    brings_id: bool,
    suspended: bool,
    ready: bool,
}

/// A spec. Of its many fields most objects have few, so as JSON it takes a quarter.
#[derive(Debug)]
enum PackedSpec {
    Json(Box<[u8]>),
    /// One that is not read from JSON as it was written to it; there is none, as far as we know.
    Typed(Box<OAuthClientSpec>),
}

impl PackedSpec {
    fn pack(spec: OAuthClientSpec) -> Self {
        let json = serde_json::to_vec(&spec).unwrap_or_default();
        let same = serde_json::from_slice(&json).is_ok_and(|read: OAuthClientSpec| read == spec);
        if same {
            Self::Json(json.into())
        } else {
            Self::Typed(Box::new(spec))
        }
    }

    fn unpack(&self) -> OAuthClientSpec {
        match self {
            Self::Json(json) => {
                serde_json::from_slice(json).expect("it was read when it was packed")
            }
            Self::Typed(spec) => (**spec).clone(),
        }
    }
}

impl Keep for OAuthClient {
    type Rest = PackedClient;

    fn pack(self, words: &mut Words) -> PackedClient {
        let ready = is_ready(&self);
        let Self {
            metadata,
            spec,
            status,
        } = self;
        let name = (
            metadata.namespace.as_deref().unwrap_or_default(),
            metadata.name.as_deref().unwrap_or_default(),
        );
        PackedClient {
            tenant: words.shared(&spec.tenant),
            secret_ref: spec.secret_ref.clone(),
            brings_id: spec.client_id.is_some(),
            suspended: spec.suspended,
            ready,
            status: status.map(|status| Box::new(PackedStatus::pack(status, name, words))),
            spec: PackedSpec::pack(spec),
        }
    }

    fn unpack(head: &Head, rest: &PackedClient) -> Arc<Self> {
        let mut object = Self {
            metadata: head.metadata(),
            spec: rest.spec.unpack(),
            status: rest.status.as_ref().map(|status| status.unpack(head)),
        };
        if head.shortened {
            object = mark_shortened(object);
        }
        Arc::new(object)
    }
}

/// What is asked of every client now and then, and needs no whole object.
impl Kept<OAuthClient> {
    /// `spec.tenant`.
    pub fn tenant(&self) -> &Arc<str> {
        &self.rest.tenant
    }

    /// `spec.secretRef`.
    pub fn secret_ref(&self) -> Option<&SecretRef> {
        self.rest.secret_ref.as_deref()
    }

    /// Whether there is a `spec.clientId`.
    pub fn brings_id(&self) -> bool {
        self.rest.brings_id
    }

    /// `spec.suspended`.
    pub fn is_suspended(&self) -> bool {
        self.rest.suspended
    }

    /// Whether the status says that this version of the object is ready.
    pub fn is_ready(&self) -> bool {
        self.rest.ready
    }

    /// Whether `status.secretUid` is this.
    pub fn has_secret_uid(&self, uid: &Uid) -> bool {
        let status = self.rest.status.as_ref();
        status.and_then(|status| status.secret_uid.as_ref()) == Some(uid)
    }

    /// Whether the status has a ledger of secret generations.
    pub fn has_ledger(&self) -> bool {
        let status = self.rest.status.as_ref();
        status.is_some_and(|status| status.generation.is_some())
    }

    /// Whether the ledger names a root key as one that accepted generations come from, or may be from before it named any.
    pub fn may_derive_from(&self, root_key: &str) -> bool {
        let status = self.rest.status.as_ref();
        let generation = status.and_then(|status| status.generation.as_ref());
        generation.is_some_and(|generation| generation.may_derive_from(root_key))
    }

    /// `status.lastUsedAt` and `status.unusedSince`, if there is a status.
    pub fn last_use(&self) -> Option<&LastUse> {
        Some(&self.rest.status.as_ref()?.last_use)
    }

    /// `status.rotation.nextAt`.
    pub fn next_rotation_at(&self) -> Option<Timestamp> {
        let rotation = self.rest.status.as_ref()?.rotation.as_ref()?;
        rotation.next_at.as_ref().map(|time| time.0)
    }

    /// `status.secretGeneration.publishedAt`.
    pub fn secret_published_at(&self) -> Option<Timestamp> {
        let generation = self.rest.status.as_ref()?.generation.as_ref()?;
        generation.published_at.as_ref().map(|time| time.0)
    }

    /// `status.secretGeneration.published`, while the secret before it still works.
    pub fn published_in_overlap(&self) -> Option<u32> {
        let generation = self.rest.status.as_ref()?.generation.as_ref()?;
        generation.overlap.as_ref()?;
        Some(u32::try_from(generation.published.max(0)).unwrap_or(u32::MAX))
    }
}
