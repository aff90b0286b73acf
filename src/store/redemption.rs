//! The outcome of redeeming an authorization code.

/// What became of a code that was to be redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// First use: the family begins with it.
    First,
    /// It was used before. The family of that use is revoked now (RFC 6749 §4.1.2).
    Again,
    /// There is no such code any more.
    Gone,
}
