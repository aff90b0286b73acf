//! From the registry and the cache to writes in Kubernetes.

pub mod client;
pub mod queue;
pub mod tenant;
pub mod throttle;
pub mod user;
