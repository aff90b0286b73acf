//! Whether the tenant that an object names exists and takes objects from its namespace.

use kube::{Resource, ResourceExt};

use super::namespaces::{Namespaces, Unselected};
use super::policy::{Labels, TenantPolicy};
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

/// Refuses an object from a namespace that the tenant does not select in this field. `what` is what the tenant does not
/// admit.
pub fn admit_namespace<K: ResourceExt>(
    object: &K,
    tenant: &TenantPolicy,
    (selected, field, what): (&Namespaces, &str, &str),
    labels: &Labels,
) -> Result<(), Refusal> {
    if selected.contains(labels) {
        return Ok(());
    }
    let namespace = object.namespace().unwrap_or_default();
    let Unselected { cause, remedy } = selected.unselected(field, &namespace, labels);
    Err(Refusal::new(
        Reason::NamespaceNotAllowed,
        format!(
            "OAuthTenant {:?} does not admit {what} {namespace:?}, because {cause}; ask its administrator to {remedy}",
            &*tenant.name
        ),
    ))
}
