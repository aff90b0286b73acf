//! The error of an endpoint whose store fails.

use clientele_oauth::{ErrorCode, OAuthError};
use clientele_store::StoreError;

/// The store did not answer. Nothing is issued and nothing is called revoked: the caller tries again.
pub(crate) fn unavailable(error: &StoreError) -> OAuthError {
    tracing::error!(%error, "the store failed");
    OAuthError::new(
        ErrorCode::TemporarilyUnavailable,
        "the database does not answer",
    )
}
