//! `OAuthClient` → `Client`: the one pure function that decides what the server accepts.
//!
//! The observer builds the registry with it and the controller reports what it said, so status and
//! server cannot disagree. Everything that the API server checks is checked again, because an object may
//! have been stored before a rule existed or with admission bypassed.

use std::sync::Arc;

use clientele_api::{self as api, OAuthClient};
use clientele_oauth::client::secret_usage::Uses;
use clientele_oauth::client::{Audience, origin, redirect_uri};
use clientele_oauth::tenant::OPENID_SCOPES;
use clientele_oauth::{Client, ClientType, GrantType, scope};
use kube::ResourceExt;

use super::auth_methods::{assertion_methods, auth_method};
use super::secret::{entries, marks};
use super::{client_id, redirect_hosts, redirect_schemes, secret_ref, sign_in, structure};
use crate::domain::client::identity::ClientObject;
use crate::domain::client::secret_ref::SecretRefEntries;
use crate::domain::large::refuse_shortened;
use crate::domain::reason::{Reason, Refusal};
use crate::domain::structure::{is_invisible, is_separator};
use crate::domain::tenant::admission::{admit_namespace, tenant_not_found};
use crate::domain::tenant::namespaces::Unselected;
use crate::domain::tenant::policy::{Labels, TenantPolicy, list, shared};

/// Namespaces of the cluster itself, where a Secret of a chosen name can mean something to it.
const RESERVED_NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// What `register` needs to know besides the object.
#[derive(Clone, Copy)]
pub struct ClientInputs<'a> {
    /// The tenant that the object names, if it exists.
    pub tenant: Option<&'a TenantPolicy>,
    /// The labels of the object's namespace.
    pub namespace: &'a Labels,
    /// Who has the object's custom client ID, if it is another object.
    pub id_holder: Option<&'a str>,
    /// What is known of the client secret that it brings, if it does.
    pub external_secret: Option<&'a SecretRefEntries>,
}

/// The client that an object describes, or why there is none.
pub fn validate_client(
    object: &ClientObject<'_>,
    around: ClientInputs<'_>,
) -> Result<Client, Refusal> {
    refuse_reserved_namespace(object)?;
    let not_found = || tenant_not_found::<OAuthClient>(&object.spec.tenant);
    let tenant = around.tenant.ok_or_else(not_found)?;
    let clients = (&tenant.namespaces, "spec.namespaces", "namespace");
    admit_namespace(&**object, tenant, clients, around.namespace)?;
    refuse_shortened::<OAuthClient>(object)?;
    structure::check(object)?;
    check_shape(object)?;
    client_id::may_have(object, tenant, around.namespace)?;
    client_id::check_holder(object, around.id_holder)?;
    check_first_party(object, tenant, around.namespace)?;
    redirect_hosts::check(object, tenant, around.namespace)?;
    redirect_schemes::check(object, tenant, around.namespace)?;
    let grant_types = grant_types(object);
    let spec = &object.spec;
    let may_refresh = grant_types.contains(&GrantType::RefreshToken);
    let display_name = spec.display_name.clone();
    let client = Client {
        id: (&*object.client_id).into(),
        uid: object.uid().unwrap_or_default().into(),
        client_type: client_type(object),
        first_party: spec.first_party,
        auth_method: spec.token_endpoint_auth_method.map(auth_method),
        assertion_methods: assertion_methods(object, tenant)?,
        scopes: scopes(object, tenant, around.namespace, &grant_types)?,
        audiences: audiences(object, tenant, around.namespace)?,
        grant_types: grant_types.into(),
        namespace: object.namespace().unwrap_or_default().into(),
        display_name: display_name.unwrap_or_else(|| object.name_any()).into(),
        redirect_uris: shared(&spec.redirect_uris),
        redirect_hosts_listed: redirect_hosts::are_listed(tenant),
        post_logout_redirect_uris: shared(&spec.post_logout_redirect_uris),
        allowed_origins: shared(&spec.allowed_origins),
        pkce: sign_in::pkce(spec.require_pkce, tenant),
        id_token_algorithm: sign_in::id_token_algorithm(spec.id_token_signed_response_alg, tenant)?,
        id_token_claims: sign_in::id_token_claims(spec.id_token_claims),
        allowed_groups: spec.allowed_groups.as_deref().map(shared),
        lifetimes: tenant
            .lifetimes
            .grant(spec.lifetimes.as_deref(), may_refresh),
        oldest_accepted: object.ledger.oldest_accepted,
        external_secret: secret_ref::external_secret(object, around.external_secret)?.map(Box::new),
        uses: Arc::new(Uses::new(object.ledger.published)),
        default_claims: Box::default(),
        default_scope: Box::default(),
    };
    entries::check(object, &client, &tenant.issuer)?;
    marks::check(object, tenant)?;
    Ok(client.with_default_claims(&tenant.issuer))
}

fn refuse_reserved_namespace(object: &OAuthClient) -> Result<(), Refusal> {
    let namespace = object.namespace().unwrap_or_default();
    if !RESERVED_NAMESPACES.contains(&namespace.as_str()) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::NamespaceReserved,
        format!(
            "namespace {namespace:?} belongs to the cluster itself, and the operator writes no Secrets there; create the OAuthClient in another namespace"
        ),
    ))
}

/// The rules of fields, and between them, that CEL has judged already.
fn check_shape(object: &OAuthClient) -> Result<(), Refusal> {
    let spec = &object.spec;
    each_is_fine(&spec.redirect_uris, "redirect URI", redirect_uri::check)?;
    let after_logout = "post-logout redirect URI";
    each_is_fine(
        &spec.post_logout_redirect_uris,
        after_logout,
        redirect_uri::check,
    )?;
    each_is_fine(&spec.allowed_origins, "origin", origin::check)?;
    let groups = spec.allowed_groups.as_deref().unwrap_or_default();
    each_is_fine(groups, "group", check_group)?;
    let grants = grant_types(object);
    let public = spec.type_ == api::ClientType::Public;
    let secretless = !grants.contains(&GrantType::ClientCredentials)
        && spec.token_endpoint_auth_method.is_none();
    let signs_in = grants.contains(&GrantType::AuthorizationCode);
    let rules = [
        (
            public && !secretless,
            "a Public client has no secret: it needs redirectUris, and neither client_credentials nor tokenEndpointAuthMethod",
        ),
        (
            public && spec.require_pkce == Some(false),
            "requirePkce can be false only for a Confidential client",
        ),
        (
            signs_in && spec.redirect_uris.is_empty(),
            "authorization_code needs at least one entry in redirectUris",
        ),
        (
            grants.contains(&GrantType::RefreshToken) && !signs_in,
            "refresh_token needs authorization_code beside it in grantTypes",
        ),
        (
            object.name_any().len() > 63,
            "the name of an OAuthClient must not be longer than 63 characters",
        ),
    ];
    let broken = rules.into_iter().find(|(broken, _)| *broken);
    let rotation = super::rotation::settings(object).map(drop);
    match broken.map_or(rotation, |(_, message)| Err(message)) {
        Err(message) => Err(Refusal::new(Reason::InvalidSpec, message)),
        Ok(()) => Ok(()),
    }
}

fn each_is_fine(
    values: &[String],
    what: &str,
    check: fn(&str) -> Result<(), &'static str>,
) -> Result<(), Refusal> {
    for value in values {
        if let Err(problem) = check(value) {
            let message = format!("the {what} {value:?} {problem}");
            return Err(Refusal::new(Reason::InvalidSpec, message));
        }
    }
    Ok(())
}

/// Groups that mean something to a cluster belong to no person; the error completes the sentence "the group …".
pub fn check_group(group: &str) -> Result<(), &'static str> {
    if group.to_ascii_lowercase().starts_with("system:") {
        return Err(
            "is reserved, because Kubernetes gives groups that begin with system: a meaning of its own",
        );
    }
    let hidden = |c: char| is_invisible(c) || is_separator(c);
    ((1..=128).contains(&group.chars().count()) && !group.chars().any(hidden))
        .then_some(())
        .ok_or("must have 1 to 128 characters, none of them a space or a control character")
}

fn check_first_party(
    object: &OAuthClient,
    tenant: &TenantPolicy,
    labels: &Labels,
) -> Result<(), Refusal> {
    if !object.spec.first_party || tenant.first_party.contains(labels) {
        return Ok(());
    }
    let namespace = object.namespace().unwrap_or_default();
    let field = "spec.firstParty.namespaces";
    let Unselected { cause, remedy } = tenant.first_party.unselected(field, &namespace, labels);
    Err(Refusal::new(
        Reason::FirstPartyNotAllowed,
        format!(
            "OAuthTenant {:?} does not allow first-party clients in namespace {namespace:?}, because {cause}; remove firstParty, or ask the tenant's administrator to {remedy}",
            &*tenant.name,
        ),
    ))
}

/// Default: people's grants when there is somewhere to send them back to, else the machine's.
pub(super) fn grant_types(object: &OAuthClient) -> Vec<GrantType> {
    match &object.spec.grant_types {
        Some(named) => named.iter().copied().map(grant_type).collect(),
        None if object.spec.redirect_uris.is_empty() => vec![GrantType::ClientCredentials],
        None => vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
    }
}

fn scopes(
    object: &OAuthClient,
    tenant: &TenantPolicy,
    labels: &Labels,
    grant_types: &[GrantType],
) -> Result<Arc<[Arc<str>]>, Refusal> {
    let Some(asked) = &object.spec.scopes else {
        let may_refresh = grant_types.contains(&GrantType::RefreshToken);
        return Ok(tenant.default_scopes[usize::from(may_refresh)].clone());
    };
    let namespace = object.namespace().unwrap_or_default();
    asked
        .iter()
        .map(|name| match tenant.scopes.get_key_value(name.as_str()) {
            _ if OPENID_SCOPES.contains(&name.as_str()) => Ok(name.as_str().into()),
            Some((known, policy)) if policy.namespaces.contains(labels) => Ok(known.clone()),
            known => {
                let field = "namespaces of the scope";
                let unselected = known
                    .map(|(_, policy)| policy.namespaces.unselected(field, &namespace, labels));
                Err(scope_refused(tenant, name, &namespace, unselected))
            }
        })
        .collect()
}

/// Whether the tenant has no such scope, or has it for namespaces other than this one.
fn scope_refused(
    tenant: &TenantPolicy,
    name: &str,
    namespace: &str,
    unselected: Option<Unselected>,
) -> Refusal {
    if !scope::is_scope_token(name) {
        return Refusal::new(
            Reason::InvalidSpec,
            format!("{name:?} is not a scope (RFC 6749 section 3.3)"),
        );
    }
    if let Some(Unselected { cause, remedy }) = unselected {
        return Refusal::new(
            Reason::ScopeNotAllowed,
            format!(
                "OAuthTenant {:?} does not give scope {name:?} to namespace {namespace:?}, because {cause}; remove it from scopes, or ask the tenant's administrator to {remedy}",
                &*tenant.name
            ),
        );
    }
    Refusal::new(
        Reason::ScopeNotFound,
        format!(
            "OAuthTenant {:?} has no scope {name:?}; correct it, remove it, or ask the tenant's administrator to add it to spec.scopes",
            &*tenant.name
        ),
    )
}

/// An unknown audience and one of others get the same answer: who may not have it need not know it exists.
fn audiences(
    object: &OAuthClient,
    tenant: &TenantPolicy,
    labels: &Labels,
) -> Result<Arc<[Audience]>, Refusal> {
    let found: Result<Vec<Audience>, Refusal> = object
        .spec
        .audiences
        .iter()
        .map(|uri| {
            tenant
                .audiences
                .get(uri)
                .filter(|(_, policy)| policy.namespaces.contains(labels))
                .map(|(uri, policy)| Audience {
                    uri: uri.clone(),
                    scopes: policy.scopes.clone(),
                    access_token_type: policy.access_token_type,
                    claims: policy.claims.clone(),
                })
                .ok_or_else(|| audience_refused(object, tenant, uri))
        })
        .collect();
    let mut audiences: Vec<Audience> = Vec::new();
    for audience in found? {
        // Two spellings of one audience are one.
        if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    Ok(list(audiences))
}

fn audience_refused(object: &OAuthClient, tenant: &TenantPolicy, uri: &str) -> Refusal {
    Refusal::new(
        Reason::AudienceNotAllowed,
        format!(
            "OAuthTenant {:?} has no audience {uri:?}, or has one whose namespaces does not select namespace {:?}; correct it, remove it, or ask the tenant's administrator to add it to spec.audiences, or to select the namespace there if it is there",
            &*tenant.name,
            object.namespace().unwrap_or_default(),
        ),
    )
}

fn client_type(object: &OAuthClient) -> ClientType {
    match object.spec.type_ {
        api::ClientType::Confidential => ClientType::Confidential,
        api::ClientType::Public => ClientType::Public,
    }
}

fn grant_type(name: api::GrantType) -> GrantType {
    match name {
        api::GrantType::AuthorizationCode => GrantType::AuthorizationCode,
        api::GrantType::RefreshToken => GrantType::RefreshToken,
        api::GrantType::ClientCredentials => GrantType::ClientCredentials,
    }
}

#[cfg(test)]
mod tests;
