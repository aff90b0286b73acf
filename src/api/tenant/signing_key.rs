//! `status.signingKeys` of an OAuthTenant.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::SigningAlgorithm;

/// A signing key of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
pub struct SigningKeyStatus {
    /// Its ID: `kid` in the JWK Set and in the header of tokens (RFC 7517 section 4.5).
    #[schemars(length(max = 128))]
    pub key_id: String,
    /// The algorithm with which it signs.
    pub algorithm: SigningAlgorithm,
    /// When it begins to sign. It ends when the next key of the same algorithm begins.
    pub signs_from: Time,
}
