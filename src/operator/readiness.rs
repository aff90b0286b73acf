//! What has been seen completely, and whether the server may be asked.

/// Which parts have been seen completely at least once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each seen on its own"
)]
pub struct Progress {
    /// The list of OAuthClients.
    pub clients: bool,
    /// The list of OAuthTenants.
    pub tenants: bool,
    /// The list of OAuthUsers.
    pub users: bool,
    /// The list of namespaces.
    pub namespaces: bool,
    /// The signing keys.
    pub signing_keys: bool,
    /// The registry was built from all of them, with the root keys and the passwords.
    pub registry: bool,
    /// The tenant `default` was made, or need not be.
    pub bootstrap: bool,
}
