//! What must be asked beyond memory before an assertion proves its client.

use super::unavailable::unavailable;
use crate::App;
use clientele_oauth::client_auth::assertion::service_account::Finding;
use clientele_oauth::client_auth::assertion::{CLUSTER_SILENT, Evidence};
use clientele_oauth::{OAuthError, Tenant};

/// Asks. Whoever cannot be asked is an error of the server, and never a reason to believe.
pub(crate) async fn confirm(
    app: &App,
    tenant: &Tenant,
    evidence: Evidence,
) -> Result<(), OAuthError> {
    let confirmed = match evidence {
        Evidence::FirstUse { digest, expires_at } => {
            let uid = &*tenant.uid;
            let first = app.store.use_assertion(uid, &digest, expires_at).await;
            let first = first.map_err(|error| unavailable(&error))?;
            first.then_some(()).ok_or(USED)
        }
        Evidence::Review(review) => match app.token_reviews.find(review, (app.clock)()).await {
            Finding::Genuine => Ok(()),
            Finding::False => Err(NOT_GENUINE),
            Finding::Unknown => return Err(CLUSTER_SILENT),
        },
    };
    confirmed.map_err(|cause| OAuthError::invalid_client().because(cause))
}

const USED: &str = "the client assertion was used before: each jti counts once";
const NOT_GENUINE: &str = "the cluster does not stand by the token: it was not signed by the cluster, or its pod or ServiceAccount was deleted";
