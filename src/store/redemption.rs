//! The outcome of redeeming an authorization code.

/// The outcome of redeeming an authorization code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// The first use: its refresh family was inserted.
    First,
    /// The code was used before; the family of that use is now revoked (RFC 6749 §4.1.2).
    Again,
    /// The code does not exist, or was purged.
    Gone,
}
