//! The credentials Secret as it shall be.

pub mod digest;
pub mod entries;
pub mod formats;
pub mod marks;
pub mod template;

use std::collections::BTreeMap;

use clientele_api::{DeletionPolicy, OAuthClient};
use clientele_oauth::keys::root_keyring::Registration;
use clientele_oauth::{Client, ClientSecret, Keyring};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource, ResourceExt};

use super::secret::entries::{Known, Shape, cookie_secret};
use crate::domain::client::identity::ClientObject;

/// The label by which everything that the operator writes is recognised.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "clientele");
/// The label with the name of the OAuthClient; the operator watches Secrets that have it.
pub const CLIENT_LABEL: &str = "clientele.dev/oauthclient";
/// The annotation that proves, by a MAC under the root key, that we wrote the Secret.
pub const PROOF_ANNOTATION: &str = "clientele.dev/proof";
/// The annotation that lists what in the Secret is ours, so that a renamed entry can be removed.
pub const MANAGED_FIELDS_ANNOTATION: &str = "clientele.dev/ours";

/// What the Secret shall hold. Has no `Debug`, because it holds the client secret.
pub struct DesiredSecret {
    /// Where.
    pub namespace: String,
    /// Under which name.
    pub name: String,
    /// The type; immutable once written.
    pub type_: String,
    /// Our labels.
    pub labels: BTreeMap<String, String>,
    /// Our annotations.
    pub annotations: BTreeMap<String, String>,
    /// Our entries.
    pub data: BTreeMap<String, ByteString>,
    /// Who owns it; none when it shall outlive the object.
    pub owner: Option<OwnerReference>,
}

impl DesiredSecret {
    /// Derives the Secret of a registered client.
    pub fn new(
        object: &ClientObject<'_>,
        client: &Client,
        issuer: &str,
        keyring: &Keyring,
    ) -> Self {
        let namespace = object.namespace.to_owned();
        let name = object.secret_name.clone().into_owned();
        let spec = *object.spec.secret.clone().unwrap_or_default();
        let shape = Shape::new(&spec);
        let data = entries(&shape, object, client, issuer, keyring);
        let mut labels = shape.labels;
        labels.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
        labels.insert(CLIENT_LABEL.to_owned(), object.name.to_owned());
        let mut annotations = spec.annotations;
        let proof = keyring.prove(&namespace, &name, &client.uid);
        annotations.insert(PROOF_ANNOTATION.to_owned(), proof);
        let ours = ManagedFields::new(&data, &labels, &annotations);
        annotations.insert(MANAGED_FIELDS_ANNOTATION.to_owned(), ours.to_text());
        Self {
            owner: (object.spec.deletion_policy == DeletionPolicy::Delete).then(|| owner(object)),
            type_: shape.type_,
            namespace,
            name,
            labels,
            annotations,
            data,
        }
    }

    /// The ID of the root key of the proof.
    pub fn proof_key(&self) -> Option<&str> {
        Some(self.annotations.get(PROOF_ANNOTATION)?.split_once('.')?.0)
    }

    /// A new Secret.
    pub fn to_create(&self) -> Secret {
        Secret {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                labels: Some(self.labels.clone()),
                annotations: Some(self.annotations.clone()),
                owner_references: self.owner.clone().map(|owner| vec![owner]),
                ..ObjectMeta::default()
            },
            type_: Some(self.type_.clone()),
            data: Some(self.data.clone()),
            ..Secret::default()
        }
    }

    /// An existing Secret of ours, put right. What others added is kept; UID and resource version stay
    /// in it as the precondition of the write.
    pub fn to_replace(&self, mut existing: Secret) -> Secret {
        let stale = ManagedFields::from_text(existing.annotations().get(MANAGED_FIELDS_ANNOTATION));
        let metadata = &mut existing.metadata;
        merge(
            metadata.labels.get_or_insert_default(),
            &self.labels,
            &stale.labels,
        );
        merge(
            metadata.annotations.get_or_insert_default(),
            &self.annotations,
            &stale.annotations,
        );
        merge(
            existing.data.get_or_insert_default(),
            &self.data,
            &stale.entries,
        );
        let owners = metadata.owner_references.get_or_insert_default();
        owners.retain(|owner| !is_ours(owner) && owner.controller != Some(true));
        owners.extend(self.owner.clone());
        metadata.managed_fields = None;
        existing
    }
}

/// Removes what was ours and is no longer wanted, then puts in what is.
fn merge<V: Clone>(map: &mut BTreeMap<String, V>, wanted: &BTreeMap<String, V>, stale: &[String]) {
    for key in stale {
        map.remove(key);
    }
    map.extend(
        wanted
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
}

/// Whether an owner reference names one of our kinds.
pub fn is_ours(owner: &OwnerReference) -> bool {
    owner.kind == "OAuthClient" && owner.api_version.starts_with("clientele.dev/")
}

/// The object as owner. It does not block its own deletion, so no right on finalizers is needed.
fn owner(object: &OAuthClient) -> OwnerReference {
    OwnerReference {
        api_version: OAuthClient::api_version(&()).into_owned(),
        kind: OAuthClient::kind(&()).into_owned(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(false),
    }
}

fn entries(
    shape: &Shape,
    object: &ClientObject<'_>,
    client: &Client,
    issuer: &str,
    keyring: &Keyring,
) -> BTreeMap<String, ByteString> {
    let registration = Registration {
        client_id: &client.id,
        client_uid: &client.uid,
    };
    let secret = client
        .holds_secret()
        .then(|| keyring.derive(registration, object.ledger.requested));
    let known = Known {
        object,
        client,
        issuer,
        secret: secret.as_ref().map(ClientSecret::expose),
        cookie_secret: &cookie_secret(client, keyring),
    };
    // A client whose entries cannot be written is not registered.
    shape.entries(&known).unwrap_or_default()
}

/// The names of what is ours in a Secret.
#[derive(Debug, Default, PartialEq, Eq)]
struct ManagedFields {
    entries: Vec<String>,
    labels: Vec<String>,
    annotations: Vec<String>,
}

impl ManagedFields {
    fn new<V>(
        data: &BTreeMap<String, V>,
        labels: &BTreeMap<String, String>,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        Self {
            entries: data.keys().cloned().collect(),
            labels: labels.keys().cloned().collect(),
            annotations: annotations.keys().cloned().collect(),
        }
    }

    /// None of these names can contain a space, a comma or a semicolon.
    fn to_text(&self) -> String {
        [&self.entries, &self.labels, &self.annotations]
            .map(|names| names.join(","))
            .join(";")
    }

    fn from_text(text: Option<&String>) -> Self {
        let mut lists = text.map_or("", String::as_str).split(';').map(|list| {
            list.split(',')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect()
        });
        Self {
            entries: lists.next().unwrap_or_default(),
            labels: lists.next().unwrap_or_default(),
            annotations: lists.next().unwrap_or_default(),
        }
    }
}
