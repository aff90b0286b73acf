//! What is known of the cluster: stores and indexes, without the tasks that fill them.

pub mod client_secrets;
pub mod credentials;
pub mod leadership;
pub mod namespace_access;
pub mod object_store;
pub mod passwords;
pub mod relist_check;
pub mod relist_guard;
pub mod resource_version;
pub mod rollout;
pub mod root_keys;
pub mod service_account_keys;
pub(crate) mod signing_keys;
pub mod write_throttle;
