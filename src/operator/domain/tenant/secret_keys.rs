//! The two lists of keys that labels and annotations of credentials Secrets may have.

use std::sync::Arc;

use clientele_api::OAuthTenant;
use clientele_api::allowed_keys::AllowedKeys;

/// The list of the installation, and the tenant's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SecretKeys {
    /// The list of the installation: its default until [`super::policy::TenantPolicy::with_installation_keys`].
    pub installation: Arc<AllowedKeys>,
    /// The list of the tenant; without one, all of the installation's.
    pub tenant: Option<AllowedKeys>,
}

impl SecretKeys {
    /// Reads the list of a tenant.
    pub fn of(tenant: &OAuthTenant) -> Self {
        let secrets = tenant.spec.secrets.as_ref();
        let keys = secrets.and_then(|secrets| secrets.allowed_keys.clone());
        Self {
            tenant: keys.map(AllowedKeys::new),
            ..Self::default()
        }
    }
}
