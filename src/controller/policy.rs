//! What a tenant allows to whom, with its selectors parsed.
//!
//! A privilege follows from the labels of a namespace, which belong to its administrator, never from the
//! labels of an OAuthClient.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};
use kube::{Resource, ResourceExt};

use crate::api::{DurationString, OAuthTenant, SigningAlgorithm};
use crate::oauth::Algorithm;
use crate::oauth::key_schedule::KeyPolicy;
use crate::oauth::tenant::issuer_of;

/// The labels of a namespace.
pub type Labels = BTreeMap<String, String>;

const DEFAULT_ACCESS_TOKEN: Duration = Duration::from_mins(10);
const MAXIMUM_ACCESS_TOKEN: Duration = Duration::from_hours(24);
const DEFAULT_ROTATION: Duration = Duration::from_hours(90 * 24);

/// Which namespaces are meant.
#[derive(Debug)]
pub enum Namespaces {
    /// Every one.
    All,
    /// None at all; also what a selector means that cannot be parsed.
    None,
    /// Those with these labels.
    Selected(Selector),
}

impl Namespaces {
    fn from_selector(selector: Option<&LabelSelector>, default: Self) -> Self {
        match selector {
            None => default,
            Some(selector) => {
                Selector::try_from(selector.clone()).map_or(Self::None, Self::Selected)
            }
        }
    }

    /// Whether a namespace with these labels is meant.
    pub fn contains(&self, labels: &Labels) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Selected(selector) => selector.matches(labels),
        }
    }
}

/// An audience of the tenant.
#[derive(Debug)]
pub struct AudiencePolicy {
    /// Whose clients may ask for it.
    pub namespaces: Namespaces,
    /// The scopes that belong to it.
    pub scopes: Arc<[Arc<str>]>,
}

/// A tenant's rules, ready to be asked.
#[derive(Debug)]
pub struct TenantPolicy {
    /// The name of the `OAuthTenant`.
    pub name: Arc<str>,
    /// The issuer identifier.
    pub issuer: Arc<str>,
    /// Who may have clients here.
    pub namespaces: Namespaces,
    /// Who may have first-party clients.
    pub first_party: Namespaces,
    /// Who may bring client IDs.
    pub custom_client_ids: Namespaces,
    /// The tenant's own scopes and who may have them.
    pub scopes: HashMap<Arc<str>, Namespaces>,
    /// The tenant's audiences by URI.
    pub audiences: HashMap<Arc<str>, AudiencePolicy>,
    /// The lifetime of access tokens of clients that say nothing.
    pub default_access_token: Duration,
    /// The longest lifetime of access tokens.
    pub maximum_access_token: Duration,
    /// What the signing keys shall be.
    pub keys: KeyPolicy,
}

impl TenantPolicy {
    /// Reads the rules of a tenant.
    pub fn new(tenant: &OAuthTenant, public_url: &str, publish_ahead: Duration) -> Self {
        let spec = &tenant.spec;
        let name = tenant.name_any();
        let lifetimes = spec.lifetimes.clone().unwrap_or_default();
        let maximum = lifetimes.maximum.and_then(|maximum| maximum.access_token);
        let default = lifetimes.default.and_then(|default| default.access_token);
        let maximum = parsed(maximum.as_ref(), MAXIMUM_ACCESS_TOKEN).min(MAXIMUM_ACCESS_TOKEN);
        let rotate_every = parsed(spec.signing.rotate_every.as_ref(), DEFAULT_ROTATION);
        let privilege = |selector: Option<&LabelSelector>| {
            Namespaces::from_selector(selector, Namespaces::None)
        };
        let all =
            |selector: Option<&LabelSelector>| Namespaces::from_selector(selector, Namespaces::All);
        Self {
            issuer: issuer_of(public_url, &name).into(),
            name: name.into(),
            namespaces: all(spec.namespaces.as_ref()),
            first_party: privilege(spec.first_party.as_ref().map(|p| &p.namespaces)),
            custom_client_ids: privilege(spec.custom_client_ids.as_ref().map(|p| &p.namespaces)),
            scopes: spec
                .scopes
                .iter()
                .map(|scope| (scope.name.as_str().into(), all(scope.namespaces.as_ref())))
                .collect(),
            audiences: spec
                .audiences
                .iter()
                .map(|audience| {
                    let policy = AudiencePolicy {
                        namespaces: all(audience.namespaces.as_ref()),
                        scopes: audience
                            .scopes
                            .iter()
                            .map(|scope| scope.as_str().into())
                            .collect(),
                    };
                    (audience.uri.as_str().into(), policy)
                })
                .collect(),
            default_access_token: parsed(default.as_ref(), DEFAULT_ACCESS_TOKEN).min(maximum),
            maximum_access_token: maximum,
            keys: KeyPolicy {
                algorithm: algorithm(spec.signing.algorithm),
                rotate_every,
                publish_ahead: publish_ahead.min(rotate_every / 4),
                longest_lifetime: maximum,
            },
        }
    }

    /// Whether the tenant is being deleted: nobody is a client of it any more.
    pub fn is_deleted(tenant: &OAuthTenant) -> bool {
        tenant.meta().deletion_timestamp.is_some()
    }
}

fn parsed(duration: Option<&DurationString>, default: Duration) -> Duration {
    duration.and_then(DurationString::parse).unwrap_or(default)
}

fn algorithm(name: SigningAlgorithm) -> Algorithm {
    match name {
        SigningAlgorithm::ES256 => Algorithm::Es256,
        SigningAlgorithm::RS256 => Algorithm::Rs256,
        SigningAlgorithm::EdDSA => Algorithm::EdDsa,
    }
}
