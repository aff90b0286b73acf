//! From the registry and the cache to writes in Kubernetes.

pub mod announce;
pub mod client;
pub mod queue;
pub mod tenant;
pub mod user;
