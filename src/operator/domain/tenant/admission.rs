//! Whether the tenant that an object names exists and takes objects from its namespace.

use kube::Resource;

use super::policy::{Labels, Namespaces};
use crate::domain::reason::{Reason, Refusal};

/// The refusal of an object of this kind whose tenant does not exist.
pub fn tenant_not_found<K: Resource<DynamicType = ()>>(tenant: &str) -> Refusal {
    Refusal::new(
        Reason::TenantNotFound,
        format!(
            "there is no OAuthTenant {tenant:?}; create it, or choose one of those that `kubectl get oauthtenants` lists in a new {}",
            K::kind(&())
        ),
    )
}

/// Refuses an object from a namespace that the tenant does not select.
pub fn admit_namespace(
    selected: &Namespaces,
    namespace: &Labels,
    problem: impl FnOnce() -> String,
) -> Result<(), Refusal> {
    if selected.contains(namespace) {
        return Ok(());
    }
    Err(Refusal::new(Reason::NamespaceNotAllowed, problem()))
}
