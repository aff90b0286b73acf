//! `status` of an OAuthClient.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::{OverlapStatus, RotationStatus};

/// What the operator says about an OAuthClient. Nothing in it is secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct OAuthClientStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The client ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,

    /// The issuer identifier, where discovery begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,

    /// The name of the credentials Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,

    /// The UID of the credentials Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_uid: Option<String>,

    /// Which generations of the client secret exist. A ledger: its numbers only rise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_generation: Option<SecretGeneration>,

    /// What became of `spec.rotation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Box<RotationStatus>>,

    /// The UTC day on which the client was used last, as its first second: it authenticated at any endpoint of its tenant
    /// (RFC 6749 section 2.3), or, if it is Public, got tokens for a code or a refresh token. Refused requests are no
    /// use. Written within a day after the use, mostly within minutes; it never goes back. Not set before the first use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Time>,

    /// The UTC day, as its first second, since which no use is known of a client that was never used: that on which it
    /// became ready, or on which the operator began to record use. Not set beside lastUsedAt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_since: Option<Time>,

    /// With the format `ServiceBinding` only: the Secret for workloads that bind to this client as a Provisioned
    /// Service (servicebinding.io).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<ServiceBindingRef>,

    /// Ready, Reconciling and Stalled; and `Advisory` if a field has no effect, or probably not the one that was meant. The
    /// client works all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// A Secret that workloads can bind to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct ServiceBindingRef {
    /// The name of the Secret.
    pub name: String,
}

/// The ledger of generations of the client secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.requested >= oldSelf.requested && self.published >= oldSelf.published && self.oldestAccepted >= oldSelf.oldestAccepted").message("the numbers of this ledger only rise"))]
#[x_kube(validation = Rule::new("self.requested > oldSelf.requested || !has(oldSelf.rootKey) || (has(self.rootKey) && self.rootKey == oldSelf.rootKey)").message("the root key of a generation does not change; only a further generation can come from another one"))]
pub struct SecretGeneration {
    /// The generation that the Secret shall hold.
    #[schemars(range(min = 0, max = 4_294_967_295_i64))]
    pub requested: i64,
    /// The highest generation that was written into the Secret.
    #[schemars(range(min = 0, max = 4_294_967_295_i64))]
    pub published: i64,
    /// The lowest generation that still authenticates.
    #[schemars(range(min = 0, max = 4_294_967_295_i64))]
    pub oldest_accepted: i64,
    /// When the published generation was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Time>,
    /// The older generations that still work, while there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Box<OverlapStatus>>,
    /// The ID of the root key that the requested generation is derived from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub root_key: Option<String>,
    /// The IDs of other root keys that generations which still work are derived from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(max = 8)))]
    pub older_root_keys: Vec<String>,
}
