//! What is remembered of a credentials Secret: enough to see that it is right, and nothing of its content.
//!
//! Ten thousand Secrets cost a few megabytes this way, and no plaintext secret stays in memory.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use clientele_oauth::Keyring;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::{CLIENT_LABEL, DesiredSecret, PROOF_ANNOTATION, is_ours};
use crate::domain::uid::Uid;

/// Digests under a key of this process: no outsider can make two contents look alike.
#[derive(Clone, Debug, Default)]
pub struct DigestKey(RandomState);

/// Where in the Secret an item stands.
#[derive(Clone, Copy, Hash)]
enum Place {
    Entry,
    Label,
    Annotation,
    Type,
    Owner,
}

impl DigestKey {
    fn of(&self, place: Place, name: &str, value: &[u8]) -> u64 {
        self.0.hash_one((place, name, value))
    }
}

/// The digest of a Secret that was observed or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretDigest {
    /// The UID of the Secret.
    pub uid: Uid,
    /// When it was created.
    pub created_at: Option<jiff::Timestamp>,
    proof: Option<Box<str>>,
    owner: Option<u64>,
    items: Box<[u64]>,
}

impl SecretDigest {
    /// Digests a Secret.
    pub fn new(secret: &Secret, digests: &DigestKey) -> Self {
        let entries = secret
            .data
            .iter()
            .flatten()
            .map(|(name, value)| digests.of(Place::Entry, name, &value.0));
        let labels = secret
            .labels()
            .iter()
            .map(|(name, value)| digests.of(Place::Label, name, value.as_bytes()));
        let annotations = secret
            .annotations()
            .iter()
            .map(|(name, value)| digests.of(Place::Annotation, name, value.as_bytes()));
        let type_ = digests.of(
            Place::Type,
            "",
            secret.type_.as_deref().unwrap_or("Opaque").as_bytes(),
        );
        let owner = secret
            .owner_references()
            .iter()
            .find(|owner| is_ours(owner) && owner.controller == Some(true));
        let mut items: Vec<u64> = entries
            .chain(labels)
            .chain(annotations)
            .chain([type_])
            .collect();
        items.sort_unstable();
        Self {
            uid: secret.uid().unwrap_or_default().as_str().into(),
            created_at: secret.creation_timestamp().map(|time| time.0),
            proof: secret
                .annotations()
                .get(PROOF_ANNOTATION)
                .map(|proof| proof.as_str().into()),
            owner: owner.map(|owner| digests.of(Place::Owner, "", owner.uid.as_bytes())),
            items: items.into(),
        }
    }

    /// Whether the Secret is ours: we recorded its UID, or it carries our proof for this place and owner.
    pub fn is_ours(
        &self,
        secret_uid: Option<&str>,
        keyring: &Keyring,
        namespace: &str,
        name: &str,
        client_uid: &str,
    ) -> bool {
        secret_uid.is_some_and(|uid| self.uid == *uid)
            || self
                .proof
                .as_deref()
                .is_some_and(|proof| keyring.verify_proof(proof, namespace, name, client_uid))
    }

    /// Whether label and annotation say that it is the Secret of a client of this name, be that so or not.
    pub fn says_it_is_of(&self, client: &str, digests: &DigestKey) -> bool {
        let label = digests.of(Place::Label, CLIENT_LABEL, client.as_bytes());
        self.proof.is_some() && self.items.binary_search(&label).is_ok()
    }

    /// The ID of the root key of its proof annotation, as it claims.
    pub fn proof_key(&self) -> Option<&str> {
        Some(self.proof.as_deref()?.split_once('.')?.0)
    }

    /// Whether everything that shall be in the Secret is in it, and it belongs to whom it shall.
    pub fn fulfil(&self, desired: &DesiredSecret, digests: &DigestKey) -> bool {
        let has = |place, name: &str, value: &[u8]| {
            self.items
                .binary_search(&digests.of(place, name, value))
                .is_ok()
        };
        let owner = desired
            .owner
            .as_ref()
            .map(|owner| digests.of(Place::Owner, "", owner.uid.as_bytes()));
        self.owner == owner
            && has(Place::Type, "", desired.type_.as_bytes())
            && desired
                .data
                .iter()
                .all(|(name, value)| has(Place::Entry, name, &value.0))
            && desired
                .labels
                .iter()
                .all(|(name, value)| has(Place::Label, name, value.as_bytes()))
            && desired
                .annotations
                .iter()
                .all(|(name, value)| has(Place::Annotation, name, value.as_bytes()))
    }

    /// Whether the type, which cannot be changed, is the one that is wanted.
    pub fn has_type(&self, desired: &DesiredSecret, digests: &DigestKey) -> bool {
        let wanted = digests.of(Place::Type, "", desired.type_.as_bytes());
        self.items.binary_search(&wanted).is_ok()
    }
}
