//! What an OAuthClient says about signing in, under the rules of its tenant.

use clientele_oauth::client::PkceRule;

use crate::domain::tenant::policy::TenantPolicy;

/// The PKCE rule of a client. A tenant makes it stricter, never weaker.
pub(super) fn pkce(required: Option<bool>, tenant: &TenantPolicy) -> PkceRule {
    match required {
        _ if tenant.requires_pkce => PkceRule::RequiredByTenant,
        Some(true) => PkceRule::Required,
        None => PkceRule::UnlessNonce,
        Some(false) => PkceRule::Optional,
    }
}
