//! Who wants a name in the installation.

use crate::cache::place::Place;

/// Who wants a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asker {
    /// An OAuthClient, a client ID.
    Client(Place),
    /// An OAuthUser by its UID, a subject.
    Person(String),
    /// An OAuthTenant, audiences.
    Tenant(String),
}
