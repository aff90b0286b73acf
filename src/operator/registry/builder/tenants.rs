//! The tenants as they follow from their objects and from the Secrets with their signing keys.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use clientele_api::OAuthTenant;
use clientele_oauth::tenant::{OPENID_SCOPES, Scope};
use clientele_oauth::{Tenant, Users};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::RegistryBuilder;
use super::tables::TenantClients;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::admissible;
use crate::domain::tenant::policy::TenantPolicy;
use crate::domain::tenant::signing_secret;
use crate::domain::tenant::signing_secret::missing_keys;
use crate::domain::unique_names::NameReservation;
use crate::domain::verdict::TenantState;
use crate::registry::{Inputs, Outputs};

impl RegistryBuilder {
    /// Reads the rules and keys of these tenants. Returns those that are others than before for their clients.
    pub(super) fn refresh_tenants(
        &mut self,
        inputs: &Inputs,
        outputs: &Outputs,
        names: &HashSet<String>,
    ) -> Vec<String> {
        let mut changed = Vec::new();
        for name in names {
            let Some(object) = self.tenant_object(name) else {
                self.published.remove(name);
                if self.states.remove(name).is_some() {
                    changed.push(name.clone());
                }
                continue;
            };
            self.work.tenants += 1;
            let problem = self.problem(inputs, &object);
            let known = self.states.get_mut(name);
            let known = known.filter(|(_, state)| state.problem == problem);
            let is_known = known.is_some_and(|(before, _)| {
                if !Arc::ptr_eq(before, &object) {
                    outputs.queues.tenants.enqueue(ObjectRef::new(name));
                }
                let same = Arc::ptr_eq(before, &object) || is_same_manifest(before, &object);
                *before = object.clone();
                same
            });
            if !is_known {
                outputs.queues.tenants.enqueue(ObjectRef::new(name));
                let state = TenantState {
                    policy: policy_of(inputs, &object),
                    problem,
                    taken_audiences: Vec::new(),
                };
                self.states.insert(name.clone(), (object, Arc::new(state)));
                changed.push(name.clone());
            }
        }
        changed
    }

    /// Takes from these tenants the audiences that are another kind of name of another object, and gives them back once they
    /// are not. Returns those of which that changed. Their clients and people are judged again, as after any change.
    pub(super) fn take_audiences(
        &mut self,
        inputs: &Inputs,
        outputs: &Outputs,
        names: &HashSet<String>,
    ) -> Vec<String> {
        let mut changed = Vec::new();
        for name in names {
            let Some((object, state)) = self.states.get_mut(name) else {
                continue;
            };
            let claims = NameReservation::of_audiences(object);
            let taken: Vec<(String, String)> = claims
                .filter_map(|(uri, claim)| {
                    let holder = self.names.other_holder(&claim)?;
                    Some((uri.to_owned(), holder.to_owned()))
                })
                .collect();
            if taken != state.taken_audiences {
                let mut policy = policy_of(inputs, object);
                for (uri, holder) in &taken {
                    policy.audiences.refuse(uri, holder);
                }
                *state = Arc::new(TenantState {
                    policy,
                    problem: state.problem.clone(),
                    taken_audiences: taken,
                });
                outputs.queues.tenants.enqueue(ObjectRef::new(name));
                changed.push(name.clone());
            }
        }
        changed
    }

    /// Whether the state of a tenant is the one of this object.
    pub(super) fn knows(&self, object: &Arc<OAuthTenant>) -> bool {
        let known = self.states.get(&object.name_any());
        let is_known = known.is_some_and(|(known, _)| Arc::ptr_eq(known, object));
        is_known != TenantPolicy::is_deleted(object)
    }

    /// Tells what became of these tenants.
    pub(super) fn report_tenants(&self, outputs: &Outputs, names: &HashSet<String>) {
        let gone = names.iter().filter(|name| !self.states.contains_key(*name));
        let states = names.iter().filter_map(|name| {
            let (_, state) = self.states.get(name)?;
            Some((Arc::from(name.as_str()), state.clone()))
        });
        let tenants = &outputs.verdicts.tenants;
        tenants.update(gone.map(String::as_str), states);
    }

    /// Why the tenant cannot issue tokens.
    fn problem(&mut self, inputs: &Inputs, object: &OAuthTenant) -> Option<Refusal> {
        let name = object.name_any();
        if let Err(problem) = admissible::name(&name) {
            return Some(Refusal::new(Reason::InvalidSpec, problem));
        }
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
                    "{secret} has the keys of an earlier OAuthTenant {name:?}; Kubernetes removes it shortly"
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
            None => (
                Reason::TenantPending,
                format!("the operator is creating {secret}"),
            ),
        };
        Some(Refusal::new(reason, message))
    }

    pub(super) fn tenant(
        &self,
        name: &str,
        state: &TenantState,
        clients: TenantClients,
        people: Arc<Users>,
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
        let introspectors = policy.audiences.known.iter();
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
            published_algorithms: policy.published_algorithms.clone(),
            access_token_algorithm: policy.access_token_algorithm,
            access_token_type: policy.access_token_type,
            former_keys: stored
                .map(|stored| stored.former.clone())
                .unwrap_or_default(),
            clients: clients.served,
            suspended: clients.suspended,
            users: people,
            signs_in_by_email: policy.signs_in_by_email,
            branding: policy.branding.clone(),
            session: policy.session,
            reassigned_subjects: policy.reassigned_subjects.clone(),
            cluster_issuer: self.cluster_issuer(),
            verification: policy.verification,
            scopes: scopes.into(),
            introspectors: introspectors.collect(),
            jwks_max_age: (policy.keys.publish_ahead / 2).min(Duration::from_mins(5)),
            ..Tenant::new(policy.name.clone(), uid.into(), policy.issuer.clone())
        }
        .rendered()
    }
}

/// Whether the manifest is the same, whatever the status says: what follows from it does then, too.
fn is_same_manifest(before: &OAuthTenant, now: &OAuthTenant) -> bool {
    let (before, now) = (&before.metadata, &now.metadata);
    before.uid == now.uid && before.generation == now.generation && now.generation.is_some()
}

/// The rules of a tenant in this installation.
fn policy_of(inputs: &Inputs, object: &OAuthTenant) -> TenantPolicy {
    let settings = &inputs.context.settings;
    TenantPolicy::new(object, &settings.public_url, settings.publish_ahead)
        .with_installation_keys(settings.allowed_keys.clone())
}
