//! The outcome of using a refresh token.

use clientele_oauth::grant::Family;

/// What became of a refresh token that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The family moved on to this sequence number.
    Next(Family),
    /// It was used a moment ago and its successor has not been used: the answer was lost. The same successor again.
    Retry(Family),
    /// It was used before, and too long ago, or its successor is in use: the family is revoked now (RFC 9700 §4.14.2).
    Reused,
    /// There is no such family, or it has ended.
    Gone,
}
