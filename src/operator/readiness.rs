//! Whether the server may be asked, or what is still missing.

use std::sync::Arc;

use arc_swap::ArcSwap;
use clientele_oauth::Registry;

use crate::cache::Cache;
use crate::cache::progress::{LoadState, Readiness};
use crate::cache::root_keys::RootKeys;

/// Everything that readiness depends on.
pub struct ReadinessCheck {
    /// What has been listed and built.
    pub readiness: Arc<Readiness>,
    /// What is known of the cluster.
    pub cache: Arc<Cache>,
    /// The root keys.
    pub root_keys: Arc<RootKeys>,
    /// The registry that the server reads.
    pub registry: Arc<ArcSwap<Registry>>,
}

impl ReadinessCheck {
    /// What is still missing before the server may be asked; `Ok` when nothing is.
    pub fn check(&self) -> Result<(), String> {
        self.cache.definitions.check()?;
        let progress = self.readiness.progress();
        listed(progress)?;
        let root_keys = self.root_keys.load();
        if root_keys.verifying.is_none() {
            let problem = root_keys.problem.as_deref();
            return Err(problem
                .unwrap_or("the root key has not been read yet")
                .to_owned());
        }
        let built = [
            (
                self.cache.passwords.is_settled(),
                "the passwords of OAuthUsers have not been read yet",
            ),
            (
                self.cache.has_settled_client_secrets(),
                "the provided client secrets have not been read yet",
            ),
            (progress.registry, "the registry has not been built yet"),
            (
                progress.bootstrap,
                "the tenant `default` does not exist yet",
            ),
        ];
        first_missing(&built)?;
        self.is_any_tenant_signing()
    }

    /// One tenant without keys must not take the others out of service; all without are no service.
    fn is_any_tenant_signing(&self) -> Result<(), String> {
        let registry = self.registry.load();
        let mut tenants = registry.tenants.values();
        let unsigned = tenants.find(|tenant| tenant.signing_keys.is_none());
        match unsigned {
            Some(tenant) if registry.tenants.values().all(|t| t.signing_keys.is_none()) => {
                Err(format!(
                    "the signing keys of OAuthTenant {:?} are not loaded",
                    &*tenant.name
                ))
            }
            _ => Ok(()),
        }
    }
}

fn listed(progress: LoadState) -> Result<(), String> {
    first_missing(&[
        (progress.clients, "OAuthClients have not been listed yet"),
        (progress.tenants, "OAuthTenants have not been listed yet"),
        (progress.users, "OAuthUsers have not been listed yet"),
        (progress.namespaces, "namespaces have not been listed yet"),
        (
            progress.signing_keys,
            "signing keys have not been listed yet",
        ),
    ])
}

fn first_missing(parts: &[(bool, &str)]) -> Result<(), String> {
    match parts.iter().find(|(there, _)| !there) {
        Some((_, missing)) => Err((*missing).to_owned()),
        None => Ok(()),
    }
}
