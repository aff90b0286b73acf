//! What a tenant allows to whom, with its selectors parsed.
//!
//! A privilege follows from the labels of a namespace, which belong to its administrator, never from the
//! labels of an OAuthClient.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use clientele_api::access_tokens;
use clientele_api::access_tokens::AccessTokens;
use clientele_api::allowed_keys::AllowedKeys;
use clientele_api::tenant::{SignInWith, TenantAudience, TenantScope};
use clientele_api::user_limits::UserLimits;
use clientele_api::{
    DurationString, OAuthTenant, ServiceAccountVerification, SigningAlgorithm, tenant,
};
use clientele_oauth::client::claim_mapping::ClaimMapping;
use clientele_oauth::client_auth::assertion::verification::Verification;
use clientele_oauth::keys::signing_key_schedule::KeyPolicy;
use clientele_oauth::tenant::{Branding, Scope, SessionLifetimes, issuer_of};
use clientele_oauth::{AccessTokenType, Algorithm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{Resource, ResourceExt};

use super::admissible::admissible;
use super::audience_claims;
use super::audiences::Audiences;
use super::branding::branding;
use super::lifetimes::LifetimePolicy;
pub use super::namespaces::Labels;
use super::namespaces::Namespaces;
use super::secret_keys::SecretKeys;
use crate::domain::names::Installation;

/// An audience of the tenant.
#[derive(Debug)]
pub struct AudiencePolicy {
    /// Whose clients may ask for it.
    pub namespaces: Namespaces,
    /// The scopes that belong to it.
    pub scopes: Arc<[Arc<str>]>,
    /// The IDs of the clients that may introspect tokens for it.
    pub introspectors: Arc<[Arc<str>]>,
    /// `typ` of its access tokens.
    pub access_token_type: AccessTokenType,
    /// What its access tokens say beside the claims of the protocol.
    pub claims: Arc<[ClaimMapping]>,
}

/// A scope of the tenant.
#[derive(Debug)]
pub struct ScopePolicy {
    /// Whose clients may have it.
    pub namespaces: Namespaces,
    /// What the server says about it.
    pub scope: Scope,
}

/// Hosts to which some namespaces' clients may return.
#[derive(Debug, PartialEq)]
pub struct RedirectHostPolicy {
    /// Whose clients.
    pub namespaces: Namespaces,
    /// Which hosts; see [`clientele_oauth::client::redirect_host`].
    pub hosts: Arc<[Arc<str>]>,
}

/// What the OAuthUsers of some namespaces may claim to be.
#[derive(Debug, PartialEq)]
pub struct UserLimitPolicy {
    /// Whose.
    pub namespaces: Namespaces,
    /// The domains of their addresses; without a list there is no limit.
    pub email_domains: Option<Vec<String>>,
    /// Their groups; without a list there is no limit.
    pub groups: Option<Vec<String>>,
}

/// Private-use schemes without a dot to which some namespaces' clients may return.
#[derive(Debug, PartialEq)]
pub struct RedirectSchemePolicy {
    /// Whose clients.
    pub namespaces: Namespaces,
    /// Which schemes.
    pub schemes: Arc<[Arc<str>]>,
}

/// A tenant's rules, ready to be asked.
#[derive(Debug)]
pub struct TenantPolicy {
    /// The name of the `OAuthTenant`.
    pub name: Arc<str>,
    /// The issuer identifier.
    pub issuer: Arc<str>,
    /// The installation that the tenant is one of.
    pub installation: Installation,
    /// Who may have clients here.
    pub namespaces: Namespaces,
    /// Who may have first-party clients.
    pub first_party: Namespaces,
    /// Who may bring client IDs.
    pub custom_client_ids: Namespaces,
    /// The client IDs that are kept for one namespace each: ID and name of the namespace.
    pub reserved_client_ids: Vec<(Arc<str>, Arc<str>)>,
    /// Whether client IDs that are brought may contain `:`, `/` and `@`.
    pub uri_characters: bool,
    /// Where whose clients may return to; nothing means everywhere.
    pub redirect_hosts: Vec<RedirectHostPolicy>,
    /// To which schemes without a dot whose clients may return; nothing means to none.
    pub redirect_schemes: Vec<RedirectSchemePolicy>,
    /// Whose OAuthUsers are people of the tenant.
    pub users: Namespaces,
    /// What whose OAuthUsers may claim to be; nothing means anything.
    pub user_limits: Vec<UserLimitPolicy>,
    /// The subjects that another registration of a person may use at once.
    pub reassigned_subjects: Arc<[Arc<str>]>,
    /// Whether people may type their e-mail address to sign in.
    pub signs_in_by_email: bool,
    /// The scopes of a client that names none: without refresh tokens, and with them. One copy for all of them.
    pub default_scopes: [Arc<[Arc<str>]>; 2],
    /// The tenant's own scopes and who may have them.
    pub scopes: HashMap<Arc<str>, ScopePolicy>,
    /// The tenant's audiences.
    pub audiences: Audiences<AudiencePolicy>,
    /// How long what its clients are issued lives.
    pub lifetimes: LifetimePolicy,
    /// How long people stay signed in.
    pub session: SessionLifetimes,
    /// How tokens of ServiceAccounts are verified.
    pub verification: Verification,
    /// How its pages look.
    pub branding: Branding,
    /// Whether every client needs PKCE, whatever its manifest says.
    pub requires_pkce: bool,
    /// The algorithms whose keys are published. The first is that of ID tokens of a client that names none.
    pub published_algorithms: Arc<[Algorithm]>,
    /// The algorithm of access tokens, which is published.
    pub access_token_algorithm: Algorithm,
    /// `typ` of access tokens whose audience does not say otherwise.
    pub access_token_type: AccessTokenType,
    /// What the signing keys shall be.
    pub keys: KeyPolicy,
    /// Which labels and annotations credentials Secrets may have.
    pub secret_keys: SecretKeys,
    /// What admission would have refused, and is left out.
    pub problems: Vec<String>,
}

impl TenantPolicy {
    /// Reads the rules of a tenant.
    pub fn new(tenant: &OAuthTenant, public_url: &str, publish_ahead: Duration) -> Self {
        let (tenant, problems) = admissible(tenant);
        let spec = &tenant.spec;
        let name = tenant.name_any();
        let users = spec.users.clone().unwrap_or_default();
        let lifetimes = LifetimePolicy::new(spec.lifetimes.as_ref());
        let signing = &spec.signing;
        let default = tenant::Signing::DEFAULT_ROTATE_EVERY;
        let rotate_every = parsed(signing.rotate_every.as_ref(), default);
        let typ = access_token_type(spec.access_tokens).unwrap_or_default();
        let privilege = |selector: Option<&LabelSelector>| {
            Namespaces::from_selector(selector, Namespaces::None)
        };
        let custom = spec.custom_client_ids.as_ref();
        let issuer = issuer_of(public_url, &name);
        let installation = Installation::new(public_url);
        Self {
            audiences: Audiences::read(&spec.audiences, &installation, &issuer, |audience| {
                audience_policy(audience, typ)
            }),
            issuer: issuer.into(),
            installation,
            name: name.into(),
            namespaces: Namespaces::all_or(spec.namespaces.as_ref()),
            first_party: privilege(spec.first_party.as_ref().map(|p| &p.namespaces)),
            custom_client_ids: privilege(custom.and_then(|custom| custom.namespaces.as_ref())),
            reserved_client_ids: reserved_client_ids(custom),
            uri_characters: custom.is_some_and(|custom| custom.uri_characters),
            redirect_hosts: spec.redirect_hosts.iter().map(redirect_hosts).collect(),
            redirect_schemes: spec.redirect_schemes.iter().map(redirect_schemes).collect(),
            users: privilege(users.namespaces.as_ref()),
            user_limits: users.limits.iter().map(user_limits).collect(),
            reassigned_subjects: shared(&users.reassigned_subjects),
            signs_in_by_email: users.sign_in_with == SignInWith::UsernameOrEmail,
            default_scopes: default_scopes(),
            scopes: spec.scopes.iter().map(scope_policy).collect(),
            session: session(spec.session.as_ref()),
            verification: verification(&tenant),
            branding: branding(&tenant),
            requires_pkce: spec.pkce == tenant::Pkce::Required,
            published_algorithms: published_algorithms(signing),
            access_token_algorithm: algorithm(signing.algorithm),
            access_token_type: typ,
            keys: KeyPolicy {
                rotate_every,
                publish_ahead: publish_ahead.min(rotate_every / 4),
                longest_lifetime: lifetimes.longest_signed(),
            },
            lifetimes,
            secret_keys: SecretKeys::of(&tenant),
            problems,
        }
    }

    /// The same within the keys that the installation allows.
    #[must_use]
    pub fn with_installation_keys(mut self, installation: Arc<AllowedKeys>) -> Self {
        self.secret_keys.installation = installation;
        self
    }

    /// Whether the tenant is being deleted: it has no clients any more.
    pub fn is_deleted(tenant: &OAuthTenant) -> bool {
        tenant.meta().deletion_timestamp.is_some()
    }
}

fn parsed(duration: Option<&DurationString>, default: Duration) -> Duration {
    duration.and_then(DurationString::parse).unwrap_or(default)
}

fn scope_policy(scope: &TenantScope) -> (Arc<str>, ScopePolicy) {
    let name: Arc<str> = scope.name.as_str().into();
    let policy = ScopePolicy {
        namespaces: Namespaces::all_or(scope.namespaces.as_ref()),
        scope: Scope {
            name: name.clone(),
            description: scope.description.as_deref().map(Arc::from),
            claims: shared(&scope.claims),
        },
    };
    (name, policy)
}

fn access_token_type(spec: Option<AccessTokens>) -> Option<AccessTokenType> {
    Some(match spec?.type_? {
        access_tokens::AccessTokenType::AtJwt => AccessTokenType::AtJwt,
        access_tokens::AccessTokenType::Jwt => AccessTokenType::Jwt,
    })
}

fn audience_policy(audience: &TenantAudience, of_tenant: AccessTokenType) -> AudiencePolicy {
    AudiencePolicy {
        namespaces: Namespaces::all_or(audience.namespaces.as_ref()),
        scopes: shared(&audience.scopes),
        introspectors: shared(&audience.introspectors),
        access_token_type: access_token_type(audience.access_tokens).unwrap_or(of_tenant),
        claims: audience_claims::mappings(&audience.claims),
    }
}

fn redirect_hosts(entry: &tenant::RedirectHosts) -> RedirectHostPolicy {
    RedirectHostPolicy {
        namespaces: Namespaces::all_or(entry.namespaces.as_ref()),
        hosts: shared(&entry.hosts),
    }
}

fn user_limits(entry: &UserLimits) -> UserLimitPolicy {
    UserLimitPolicy {
        namespaces: Namespaces::all_or(entry.namespaces.as_ref()),
        email_domains: entry.email_domains.clone(),
        groups: entry.groups.clone(),
    }
}

fn reserved_client_ids(custom: Option<&tenant::CustomClientIds>) -> Vec<(Arc<str>, Arc<str>)> {
    let pairs = custom.iter().flat_map(|custom| &custom.reserved);
    pairs
        .map(|pair| (pair.id.as_str().into(), pair.namespace.as_str().into()))
        .collect()
}

fn redirect_schemes(entry: &tenant::RedirectSchemes) -> RedirectSchemePolicy {
    RedirectSchemePolicy {
        namespaces: Namespaces::from_selector(Some(&entry.namespaces), Namespaces::None),
        schemes: shared(&entry.schemes),
    }
}

/// A list that many share.
pub fn shared(values: &[String]) -> Arc<[Arc<str>]> {
    list(values.iter().map(|value| value.as_str().into()).collect())
}

/// A list that is shared; an empty one takes no memory.
pub fn list<T>(items: Vec<T>) -> Arc<[T]> {
    if items.is_empty() {
        return Arc::default();
    }
    items.into()
}

/// What a client may ask for that names no scopes: without refresh tokens, and with them.
fn default_scopes() -> [Arc<[Arc<str>]>; 2] {
    let scopes = ["openid", "profile", "email", "offline_access"].map(Arc::from);
    [scopes[..3].into(), scopes[..].into()]
}

fn verification(tenant: &OAuthTenant) -> Verification {
    let tokens = tenant.spec.service_account_tokens.as_ref();
    match tokens.map_or_else(Default::default, |tokens| tokens.verification) {
        ServiceAccountVerification::TokenReview => Verification::TokenReview,
        ServiceAccountVerification::Offline => Verification::Offline,
    }
}

fn session(spec: Option<&tenant::Session>) -> SessionLifetimes {
    let default = SessionLifetimes::DEFAULT;
    let (idle, absolute) = spec.map_or((None, None), |s| (s.idle.as_ref(), s.absolute.as_ref()));
    let absolute = parsed(absolute, default.absolute);
    SessionLifetimes {
        idle: parsed(idle, default.idle).min(absolute),
        absolute,
        persistent: spec.is_some_and(|spec| spec.persistent),
    }
}

/// What signs access tokens is published, also if admission was bypassed: they could not be verified otherwise.
fn published_algorithms(signing: &tenant::Signing) -> Arc<[Algorithm]> {
    if signing.algorithms.is_empty() {
        return Algorithm::PUBLISHED.into();
    }
    let listed = signing.algorithms.iter().chain([&signing.algorithm]);
    let mut published = Vec::new();
    for listed in listed.map(|name| algorithm(*name)) {
        if !published.contains(&listed) {
            published.push(listed);
        }
    }
    published.into()
}

/// The name of this algorithm.
pub(crate) const fn name_of(algorithm: Algorithm) -> SigningAlgorithm {
    match algorithm {
        Algorithm::Es256 => SigningAlgorithm::ES256,
        Algorithm::Rs256 => SigningAlgorithm::RS256,
        Algorithm::EdDsa => SigningAlgorithm::EdDSA,
    }
}

/// The algorithm of this name.
pub(crate) fn algorithm(name: SigningAlgorithm) -> Algorithm {
    match name {
        SigningAlgorithm::ES256 => Algorithm::Es256,
        SigningAlgorithm::RS256 => Algorithm::Rs256,
        SigningAlgorithm::EdDSA => Algorithm::EdDsa,
    }
}

#[cfg(test)]
mod tests;
