//! The tenants as they follow from their objects and from the Secrets with their signing keys.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use clientele_api::OAuthTenant;
use clientele_oauth::tenant::{OPENID_SCOPES, Scope};
use clientele_oauth::{Tenant, Users};
use kube::ResourceExt;

use super::RegistryBuilder;
use super::tables::TenantClients;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::admissible;
use crate::domain::tenant::concern::Concern;
use crate::domain::tenant::policy::TenantPolicy;
use crate::domain::tenant::signing_secret;
use crate::domain::tenant::signing_secret::missing_keys;
use crate::domain::unique_names::NameReservation;
use crate::domain::verdict::TenantState;
use crate::registry::{Inputs, Outputs};

/// Tenants that are others than before.
#[derive(Default)]
pub(super) struct Renewed {
    /// Who is judged again, by tenant.
    pub(super) concerned: Vec<(String, Concern)>,
    /// The tenants that are reconciled because of it, once what is judged of them is known.
    pub(super) reconciled: Vec<String>,
}

impl RegistryBuilder {
    /// Reads the rules and keys of these tenants.
    pub(super) fn refresh_tenants(&mut self, inputs: &Inputs, names: &HashSet<String>) -> Renewed {
        let mut renewed = Renewed::default();
        for name in names {
            let Some(object) = self.tenant_object(name) else {
                self.published.remove(name);
                if self.states.remove(name).is_some() {
                    renewed.concerned.push((name.clone(), Concern::ALL));
                }
                continue;
            };
            self.work.tenants += 1;
            let problem = self.problem(inputs, &object);
            let known = self.states.get(name);
            if known.is_some_and(|(before, _)| Arc::ptr_eq(before, &object))
                && known.is_some_and(|(_, state)| state.problem == problem)
            {
                continue;
            }
            renewed.reconciled.push(name.clone());
            let (state, concern) = next_state(inputs, &object, problem, known);
            renewed.concerned.push((name.clone(), concern));
            self.states.insert(name.clone(), (object, state));
        }
        renewed
    }

    /// Takes from these tenants the audiences that are another kind of name of another object, and gives them back once they
    /// are not. Concerned are the clients of those of which that changed.
    pub(super) fn take_audiences(&mut self, inputs: &Inputs, names: &HashSet<String>) -> Renewed {
        let mut renewed = Renewed::default();
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
                *state = Arc::new(TenantState {
                    policy: policy_of(inputs, object, &taken),
                    problem: state.problem.clone(),
                    taken_audiences: taken,
                });
                renewed.reconciled.push(name.clone());
                renewed.concerned.push((name.clone(), Concern::CLIENTS));
            }
        }
        renewed
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

/// The state that follows from another version of an object or another problem, and whom that concerns.
fn next_state(
    inputs: &Inputs,
    object: &Arc<OAuthTenant>,
    problem: Option<Refusal>,
    known: Option<&(Arc<OAuthTenant>, Arc<TenantState>)>,
) -> (Arc<TenantState>, Concern) {
    let known = known.filter(|(before, _)| before.metadata.uid == object.metadata.uid);
    let same_problem = known.filter(|(_, state)| state.problem == problem);
    if let Some((before, state)) = same_problem
        && is_same_manifest(before, object)
    {
        return (state.clone(), Concern::NONE);
    }
    // Which audiences others have is decided later.
    let taken_audiences = known.map(|(_, state)| state.taken_audiences.clone());
    let taken_audiences = taken_audiences.unwrap_or_default();
    let policy = policy_of(inputs, object, &taken_audiences);
    let concern = same_problem.map(|(_, state)| Concern::of(&state.policy, &policy));
    let state = TenantState {
        policy,
        problem,
        taken_audiences,
    };
    (Arc::new(state), concern.unwrap_or(Concern::ALL))
}

/// The rules of a tenant in this installation, without the audiences that others have.
fn policy_of(inputs: &Inputs, object: &OAuthTenant, taken: &[(String, String)]) -> TenantPolicy {
    let settings = &inputs.context.settings;
    let policy = TenantPolicy::new(object, &settings.public_url, settings.publish_ahead);
    let mut policy = policy.with_installation_keys(settings.allowed_keys.clone());
    for (uri, holder) in taken {
        policy.audiences.refuse(uri, holder);
    }
    policy
}
