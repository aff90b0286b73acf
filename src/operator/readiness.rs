//! Whether the server may be asked, or what is still missing.

use std::sync::Arc;

use arc_swap::ArcSwap;
use clientele_oauth::Registry;

use crate::cache::Cache;
use crate::cache::leadership::Leader;
use crate::cache::progress::{LoadState, Readiness};
use crate::cache::root_keys::RootKeys;
use crate::settings::{ALONE, LEASE};

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
    /// Which process writes.
    pub leader: Arc<Leader>,
    /// Whether other replicas serve as well, by the same store.
    pub shares_store: bool,
}

impl ReadinessCheck {
    /// What is still missing before the server may be asked; `Ok` when nothing is.
    pub fn check(&self) -> Result<(), String> {
        may_serve(&self.leader, self.shares_store)?;
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

/// Two processes with a store each would know of different codes and sessions, and each would call a client ready that the other
/// refuses. One that served goes on while the Lease cannot be renewed, because then no other can take it either.
fn may_serve(leader: &Leader, shares_store: bool) -> Result<(), String> {
    match leader.rival() {
        Some(holder) if !shares_store || holder.starts_with(ALONE) => Err(format!(
            "process {holder:?} serves this installation: it holds the Lease {LEASE}, and beside a SQLite file no other process serves; end it first, as by scaling the Deployment to 0"
        )),
        None if !shares_store && !leader.has_held() => {
            Err(format!("the Lease {LEASE} has not been taken yet"))
        }
        _ => Ok(()),
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn o07_beside_a_sqlite_file_no_other_process_serves() {
        let later = Instant::now() + Duration::from_secs(9);
        for (shares_store, rival, served, serves) in [
            (false, None, false, false),
            (false, None, true, true),
            (false, Some("sqlite/a"), false, false),
            (false, Some("b_1"), false, false),
            (false, Some("sqlite/a"), true, false),
            (true, None, false, true),
            (true, Some("b_1"), false, true),
            (true, Some("sqlite/a"), false, false),
        ] {
            let leader = Leader::new(true);
            if served {
                leader.set(Some(later));
            }
            leader.set_rival(rival);
            let judged = may_serve(&leader, shares_store);
            assert_eq!(judged.is_ok(), serves, "{rival:?} {judged:?}");
            let names =
                rival.is_none_or(|holder| judged.is_ok() || judged.unwrap_err().contains(holder));
            assert!(names);
        }
        let leader = Leader::new(true);
        leader.set_rival(Some("sqlite/a"));
        leader.set(Some(later));
        assert_eq!(may_serve(&leader, false), Ok(()), "it took the Lease");
        leader.set(None);
        assert_eq!(may_serve(&leader, false), Ok(()), "no other process has it");
    }
}
