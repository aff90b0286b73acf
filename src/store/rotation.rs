//! The outcome of using a refresh token.

use clientele_oauth::grant::Family;

/// The outcome of using a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The family has advanced to the next sequence number.
    Next(Family),
    /// Used within the grace period before, and its successor is unused: the response was lost. The same successor is issued.
    Retry(Family),
    /// Used before, and either the grace period is over or the successor is in use: the family is now revoked (RFC 9700
    /// §4.14.2).
    Reused,
    /// The family does not exist, has expired or been revoked, or advanced after this request arrived.
    Gone,
}
