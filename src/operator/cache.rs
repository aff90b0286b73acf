//! What is known of the cluster: stores and indexes, without the tasks that fill them.

pub mod bound;
pub mod client_secrets;
pub mod credentials;
pub mod definitions;
pub mod hash_queue;
pub(crate) mod large_objects;
pub mod last_use_turns;
pub mod leadership;
pub mod namespace_access;
pub mod object_store;
pub mod objects;
pub mod password_requests;
pub mod passwords;
pub mod place;
pub mod progress;
pub mod rebuild;
pub mod relist_check;
pub mod relist_guard;
pub mod resource_version;
pub mod rollout;
pub mod root_keys;
pub mod secret_changes;
pub mod service_account_keys;
pub(crate) mod signing_keys;
pub mod verdicts;
pub mod work_queues;
pub mod write_throttle;

use client_secrets::ClientSecretIndex;
use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use credentials::CredentialsIndex;
use definitions::Definitions;
use objects::Objects;
use passwords::PasswordIndex;
use resource_version::HighestRevision;
use service_account_keys::ServiceAccountKeys;

use crate::domain::client::secret::digest::DigestKey;

/// What is known of the cluster.
pub struct Cache {
    /// The OAuthClients as listed and watched.
    pub clients: Objects<OAuthClient>,
    /// The highest version of an OAuthClient that was heard of.
    pub clients_revision: HighestRevision,
    /// The OAuthTenants as listed and watched.
    pub tenants: Objects<OAuthTenant>,
    /// The OAuthUsers as listed and watched.
    pub users: Objects<OAuthUser>,
    /// The credentials Secrets.
    pub credentials: CredentialsIndex,
    /// The client secrets that teams provide.
    pub client_secrets: ClientSecretIndex,
    /// The passwords of OAuthUsers.
    pub passwords: PasswordIndex,
    /// What the cluster publishes about its ServiceAccount tokens.
    pub service_accounts: ServiceAccountKeys,
    /// The definitions of our kinds.
    pub definitions: Definitions,
    /// The key of the digests of Secrets.
    pub digest_key: DigestKey,
}

impl Cache {
    /// Nothing is known yet beside what these stores will hold.
    pub fn new(
        clients: Objects<OAuthClient>,
        tenants: Objects<OAuthTenant>,
        users: Objects<OAuthUser>,
    ) -> Self {
        Self {
            clients,
            clients_revision: HighestRevision::default(),
            tenants,
            users,
            credentials: CredentialsIndex::default(),
            client_secrets: ClientSecretIndex::default(),
            passwords: PasswordIndex::default(),
            service_accounts: ServiceAccountKeys::default(),
            definitions: Definitions::default(),
            digest_key: DigestKey::default(),
        }
    }

    /// Whether every client secret that an OAuthClient refers to was read.
    pub fn has_settled_client_secrets(&self) -> bool {
        self.client_secrets.is_settled(&self.clients)
    }
}
