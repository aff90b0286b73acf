//! What the operator was told at its start.

use std::sync::Arc;
use std::time::Duration;

use clientele_api::allowed_keys::AllowedKeys;

/// Where the operator may write credentials Secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretsScope {
    /// Everywhere: one watch for the cluster.
    Cluster,
    /// Only in namespaces whose Role admits it: one watch for each.
    Namespaces,
}

/// The settings of the Kubernetes side.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The operator's own namespace, which holds the root key and the signing keys.
    pub namespace: String,
    /// The name of its ServiceAccount, for the commands that messages show.
    pub service_account: String,
    /// The issuer of the tenant `default`; others follow from it.
    pub public_url: String,
    /// Where credentials Secrets may be written.
    pub secrets_scope: SecretsScope,
    /// The name of the Secret with the root keys.
    pub root_key_secret: String,
    /// How long a former root key stays at least.
    pub root_key_grace: Duration,
    /// How many OAuthClients are reconciled at once.
    pub workers: u16,
    /// How many writes about one object may follow each other without a pause.
    pub write_burst: u32,
    /// How long a signing key is published before it signs.
    pub publish_ahead: Duration,
    /// As whom this replica takes the Lease; `None` where nothing else can run, as in a test: then it always writes.
    pub lease: Option<String>,
    /// Whether other replicas serve as well, by the same store. Without that a second process must not.
    pub shares_store: bool,
    /// Which labels and annotations credentials Secrets may have.
    pub allowed_keys: Arc<AllowedKeys>,
    /// Whether to create the tenant `default` and its first client, once per installation.
    pub bootstrap: bool,
    /// Where the dashboard is reached, if there is one; its client is made once per installation.
    pub dashboard_url: Option<String>,
}

/// The ConfigMap that remembers what must not happen twice.
pub const INSTALLATION: &str = "clientele-installation";
/// The Lease of the replica that writes.
pub const LEASE: &str = "clientele";
/// How the holder of the Lease begins that keeps a SQLite file: no other process serves beside it.
pub const ALONE: &str = "sqlite/";
/// The field manager of every write.
pub const FIELD_MANAGER: &str = "clientele";
