//! `spec.secretRef`: a client secret that an application team provides.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The type of Secrets that hold client secrets that an application team provides. A Secret of another type is never read as one, so
/// that an OAuthClient cannot probe Secrets of other applications.
pub const CLIENT_SECRET_TYPE: &str = "clientele.dev/client-secret";

/// An entry of a Secret of type `clientele.dev/client-secret` in the same namespace. Its value, 22 to 256 printable ASCII
/// characters (22 are 128 random bits in base64url) without line breaks at its end, is what the client authenticates with,
/// and nothing else. A password hash is refused. It is watched: a change takes effect at once. It is
/// copied nowhere, so the credentials Secret has the ID and the endpoints, and no client secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.previousKey) || self.previousKey != self.key").message("key and previousKey must name two entries; leave previousKey away while there is no previous value"))]
pub struct SecretRef {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')").message("must be the name of a Secret in the same namespace"))]
    pub name: String,
    /// The entry. Default: `client-secret`.
    #[serde(default = "default_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[-._a-zA-Z0-9]+$')").message("must be the name of an entry of the Secret"))]
    pub key: String,
    /// The entry with the previous value, which is accepted as well as long as the entry is there: the overlap of a
    /// rotation. The entry may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[-._a-zA-Z0-9]+$')").message("must be the name of an entry of the Secret"))]
    pub previous_key: Option<String>,
}

fn default_key() -> String {
    "client-secret".to_owned()
}
