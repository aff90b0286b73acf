//! Whether a tenant lets the clients of a namespace return to the hosts that a manifest names.

use clientele_api::OAuthClient;
use clientele_oauth::client::redirect_host::admits;
use clientele_oauth::client::redirect_uri::network_host;
use kube::ResourceExt;

use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::policy::{Labels, TenantPolicy};

/// As many hosts are named in a message.
const NAMED: usize = 10;

/// Whether an administrator has vouched for the hosts of this namespace's clients: there is an entry, so that [`check`]
/// admits no other host.
pub fn are_listed(tenant: &TenantPolicy) -> bool {
    !tenant.redirect_hosts.is_empty()
}

/// Checks every place to which people, or answers to scripts, may go.
pub fn check(object: &OAuthClient, tenant: &TenantPolicy, labels: &Labels) -> Result<(), Refusal> {
    if tenant.redirect_hosts.is_empty() {
        return Ok(());
    }
    let entries = tenant.redirect_hosts.iter();
    let entries = entries.filter(|entry| entry.namespaces.contains(labels));
    let allowed: Vec<&str> = entries
        .flat_map(|entry| entry.hosts.iter().map(|host| &**host))
        .collect();
    let spec = &object.spec;
    let fields = [
        ("redirectUris", &spec.redirect_uris),
        ("postLogoutRedirectUris", &spec.post_logout_redirect_uris),
        ("allowedOrigins", &spec.allowed_origins),
    ];
    for (field, uris) in fields {
        let hosts = uris.iter().filter_map(|uri| network_host(uri));
        for host in hosts {
            if !allowed.iter().any(|pattern| admits(pattern, host)) {
                return Err(refused(object, tenant, field, host, &allowed));
            }
        }
    }
    Ok(())
}

fn refused(
    object: &OAuthClient,
    tenant: &TenantPolicy,
    field: &str,
    host: &str,
    allowed: &[&str],
) -> Refusal {
    let named = allowed.iter().take(NAMED).copied();
    let allowed = match named.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "no host".to_owned(),
        some => some,
    };
    Refusal::new(
        Reason::RedirectHostNotAllowed,
        format!(
            "OAuthTenant {:?} does not allow the clients of namespace {:?} to redirect to host {host:?}; remove it from {field}, or ask the tenant's administrator to add it to spec.redirectHosts for this namespace. Allowed: {allowed}",
            &*tenant.name,
            object.namespace().unwrap_or_default(),
        ),
    )
}

#[cfg(test)]
mod tests;
