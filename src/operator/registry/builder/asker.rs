//! Who wants a name in the installation.

use crate::cache::place::Place;

/// Who wants a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asker {
    /// An OAuthClient, a client ID.
    Client(Place),
    /// An OAuthUser, a subject.
    Person(Place),
    /// An OAuthTenant, audiences.
    Tenant(String),
}
