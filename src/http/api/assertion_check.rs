//! What must be asked beyond memory before an assertion proves its client.

use super::unavailable::unavailable;
use crate::App;
use clientele_oauth::client_auth::assertion::service_account::Finding;
use clientele_oauth::client_auth::assertion::{CLUSTER_SILENT, Evidence, refused, unproven};
use clientele_oauth::{OAuthError, Tenant};
use clientele_store::{AssertionUse, UsedAssertion};

/// Queries it. A verifier that cannot be queried is an error of the server, and never a reason to believe.
pub(crate) async fn confirm(
    app: &App,
    tenant: &Tenant,
    evidence: Evidence,
) -> Result<(), OAuthError> {
    let now = (app.clock)();
    match evidence {
        Evidence::FirstUse {
            digest,
            expires_at,
            client_uid,
        } => {
            let assertion = UsedAssertion {
                tenant_uid: tenant.uid.to_string(),
                client_uid: client_uid.to_string(),
                digest,
                expires_at,
                most: app.assertions_per_client,
            };
            let used = app.store.use_assertion(assertion, now).await;
            match used.map_err(|error| unavailable(&error))? {
                AssertionUse::First => Ok(()),
                AssertionUse::Repeated => Err(refused(USED)),
                AssertionUse::TooMany { until } => {
                    let wait = until.as_second().saturating_sub(now.as_second()).max(1);
                    let seconds = u32::try_from(wait).unwrap_or(u32::MAX);
                    Err(OAuthError::too_often(TOO_MANY, seconds))
                }
            }
        }
        Evidence::Review(review) => match app.token_reviews.find(review, now).await {
            Finding::Genuine => Ok(()),
            Finding::False => Err(unproven(NOT_GENUINE)),
            Finding::Unknown => Err(CLUSTER_SILENT),
        },
    }
}

const USED: &str = "the client assertion was used before: each jti counts once";
const TOO_MANY: &str = "10,000 assertions of this client have been used and not expired yet: let them expire sooner, or ask for fewer tokens";
const NOT_GENUINE: &str = "the cluster does not accept the token: it was not signed by the cluster, or its pod or ServiceAccount was deleted";
