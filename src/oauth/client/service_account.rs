//! A ServiceAccount of the cluster that a client authenticates as.

use std::sync::Arc;

/// A ServiceAccount whose tokens prove a client, in the client's own namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its name.
    pub name: Arc<str>,
    /// Its UID, if only this one of the name counts.
    pub uid: Option<Arc<str>>,
}
