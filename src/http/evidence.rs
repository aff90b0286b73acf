//! What must be asked beyond memory before an assertion proves its client.

use super::App;
use super::client_request::unavailable;
use crate::oauth::assertion::service_account::Finding;
use crate::oauth::assertion::{CLUSTER_SILENT, Evidence};
use crate::oauth::{OAuthError, Tenant};

/// Asks. Whoever cannot be asked is an error of the server, and never a reason to believe.
pub(super) async fn confirm(
    app: &App,
    tenant: &Tenant,
    evidence: Evidence,
) -> Result<(), OAuthError> {
    let confirmed = match evidence {
        Evidence::FirstUse { digest, expires_at } => {
            let uid = &*tenant.registration_id;
            let first = app.store.use_assertion(uid, &digest, expires_at).await;
            first.map_err(|error| unavailable(&error))?
        }
        Evidence::Review(review) => match app.reviews.find(review, (app.clock)()).await {
            Finding::Genuine => true,
            Finding::False => false,
            Finding::Unknown => return Err(CLUSTER_SILENT),
        },
    };
    confirmed.then_some(()).ok_or(OAuthError::invalid_client())
}
