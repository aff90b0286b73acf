//! From the cache to the registry that the server reads.

pub mod builder;
pub mod observer;
