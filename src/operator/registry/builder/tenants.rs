//! The tenants as they follow from their objects and from the Secrets with their signing keys.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use clientele_api::OAuthTenant;
use clientele_oauth::tenant::{OPENID_SCOPES, Scope};
use clientele_oauth::{Client, Tenant, Users};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::RegistryBuilder;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::policy::TenantPolicy;
use crate::domain::tenant::signing_secret;
use crate::domain::tenant::signing_secret::missing_keys;
use crate::domain::verdict::TenantState;
use crate::registry::{Inputs, Outputs};

impl RegistryBuilder {
    /// Reads the rules and keys of tenants that changed.
    pub(super) fn refresh_tenants(&mut self, inputs: &Inputs, outputs: &Outputs) {
        let mut states = HashMap::new();
        for object in self.tenants.objects() {
            if TenantPolicy::is_deleted(&object) {
                continue;
            }
            let name = object.name_any();
            let problem = self.problem(inputs, &object);
            let known = self
                .states
                .remove(&name)
                .filter(|(before, state)| Arc::ptr_eq(before, &object) && state.problem == problem);
            let state = known.unwrap_or_else(|| {
                outputs.queues.tenants.enqueue(ObjectRef::new(&name));
                let settings = &inputs.context.settings;
                let policy =
                    TenantPolicy::new(&object, &settings.public_url, settings.publish_ahead);
                let policy = policy.with_installation_keys(settings.allowed_keys.clone());
                (object, Arc::new(TenantState { policy, problem }))
            });
            states.insert(name, state);
        }
        self.published.retain(|name, _| states.contains_key(name));
        self.states = states;
    }

    /// Why the tenant cannot issue tokens.
    fn problem(&mut self, inputs: &Inputs, object: &OAuthTenant) -> Option<Refusal> {
        let name = object.name_any();
        let secret = format!(
            "Secret {}/{}",
            inputs.context.settings.namespace,
            signing_secret::name_of(&name)
        );
        let uid = object.uid().unwrap_or_default();
        let (reason, message) = match self.signing.of(&name) {
            Some(state) if !state.owner_uids.contains(&uid) => (
                Reason::TenantPending,
                format!(
                    "{secret} holds the keys of an earlier OAuthTenant {name:?}; Kubernetes removes it in a moment"
                ),
            ),
            Some(state) => match &state.keys {
                Ok(stored) => {
                    self.published.insert(name, stored.keys.clone());
                    return None;
                }
                Err(problem) => (
                    Reason::TenantNotReady,
                    format!("{secret} {problem}; restore it from a backup"),
                ),
            },
            None if signing_secret::had_keys(object) => {
                (Reason::TenantNotReady, missing_keys(&secret, &name))
            }
            None => (Reason::TenantPending, format!("{secret} is being made")),
        };
        Some(Refusal::new(reason, message))
    }

    pub(super) fn tenant(
        &self,
        name: &str,
        state: &TenantState,
        clients: HashMap<Arc<str>, Arc<Client>>,
        people: Arc<Users>,
        cluster_issuer: Option<Arc<str>>,
    ) -> Tenant {
        let stored = self
            .signing
            .of(name)
            .and_then(|state| state.keys.as_ref().ok());
        let signing_keys = stored
            .filter(|_| state.problem.is_none())
            .map(|stored| stored.keys.clone());
        let policy = &state.policy;
        let own = policy.scopes.values().map(|policy| &policy.scope);
        let own = own.filter(|scope| !OPENID_SCOPES.contains(&&*scope.name));
        let mut scopes: Vec<Scope> = own.cloned().collect();
        scopes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let introspectors = policy.audiences.iter();
        let introspectors =
            introspectors.map(|(uri, audience)| (uri.clone(), audience.introspectors.clone()));
        let uid = self.tenant_uid(name);
        Tenant {
            // Tokens that live can be verified, even while their keys cannot sign.
            published_keys: match &signing_keys {
                Some(keys) => Some(keys.clone()),
                None => self.published.get(name).cloned(),
            },
            signing_keys,
            access_token_algorithm: policy.access_token_algorithm,
            clients,
            users: people,
            branding: policy.branding.clone(),
            session: policy.session,
            reassigned_subjects: policy.reassigned_subjects.clone(),
            cluster_issuer,
            verification: policy.verification,
            scopes: scopes.into(),
            introspectors: introspectors.collect(),
            jwks_max_age: (policy.keys.publish_ahead / 2).min(Duration::from_mins(5)),
            ..Tenant::new(policy.name.clone(), uid.into(), policy.issuer.clone())
        }
        .rendered()
    }
}
