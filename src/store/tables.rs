//! What is stored: a file for each table or for each statement across tables. Each holds the SQL, the operations that run
//! it, and the methods of [`crate::Store`] that call them.

pub(crate) mod authorization_columns;
pub(crate) mod codes;
pub(crate) mod consents;
pub(crate) mod failed_logins;
pub mod purge;
pub(crate) mod refresh_families;
pub(crate) mod replicas;
pub(crate) mod revoke_grants;
pub(crate) mod revoked_tokens;
pub(crate) mod secret_usage;
pub(crate) mod served_versions;
pub(crate) mod sessions;
pub(crate) mod still_valid;
pub(crate) mod subjects;
pub(crate) mod upgraded_hashes;
pub(crate) mod used_assertions;
pub(crate) mod used_days;
