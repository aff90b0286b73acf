//! The schema's rules about the fields of an OAuthClient.

use clientele_api::{OAuthClient, SecretRef};
use clientele_oauth::scope;

use crate::domain::reason::Refusal;
use crate::domain::structure::{
    Check, check_audience, check_lifetimes, entries, entry_name, length, object_name, readable,
    refusal, request_id, rule,
};

/// Whether every field by itself is as the schema demands.
pub fn check(object: &OAuthClient) -> Result<(), Refusal> {
    check_people(object)
        .and_then(|()| check_protocol(object))
        .and_then(|()| check_credentials(object))
        .map_err(refusal)
}

/// The fields about users and the pages that they see.
fn check_people(object: &OAuthClient) -> Check {
    let spec = &object.spec;
    length("tenant", &spec.tenant, 1..=40)?;
    if let Some(name) = &spec.display_name {
        length("displayName", name, 1..=100)?;
        readable("displayName", name)?;
    }
    entries("redirectUris", &spec.redirect_uris, 64)?;
    entries(
        "postLogoutRedirectUris",
        &spec.post_logout_redirect_uris,
        64,
    )?;
    entries("allowedOrigins", &spec.allowed_origins, 64)?;
    let Some(groups) = &spec.allowed_groups else {
        return Ok(());
    };
    rule(
        !groups.is_empty(),
        "allowedGroups",
        "must have at least one entry, or be omitted to admit every user of the tenant",
    )?;
    entries("allowedGroups", groups, 64)
}

/// Grants, scopes, audiences and lifetimes.
fn check_protocol(object: &OAuthClient) -> Check {
    let spec = &object.spec;
    if let Some(grants) = &spec.grant_types {
        rule(
            !grants.is_empty(),
            "grantTypes",
            "must have at least one entry",
        )?;
        let twice = |(at, grant)| grants[..at].contains(grant);
        rule(
            !grants.iter().enumerate().any(twice),
            "grantTypes",
            "must not contain an entry twice",
        )?;
    }
    if let Some(scopes) = &spec.scopes {
        entries("scopes", scopes, 64)?;
        each("scopes", scopes, check_scope)?;
    }
    entries("audiences", &spec.audiences, 32)?;
    each("audiences", &spec.audiences, check_audience)?;
    spec.lifetimes
        .as_deref()
        .map_or(Ok(()), |lifetimes| check_lifetimes("lifetimes", lifetimes))
}

fn check_scope(name: &str) -> Result<(), &'static str> {
    (scope::is_scope_token(name) && name.len() <= 128)
        .then_some(())
        .ok_or("must be one scope of at most 128 printable ASCII characters (RFC 6749 section 3.3)")
}

/// What the client authenticates with.
fn check_credentials(object: &OAuthClient) -> Check {
    let spec = &object.spec;
    if let Some(jwks) = &spec.jwks {
        rule(
            (1..=8).contains(&jwks.keys.len()),
            "jwks.keys",
            "must have 1 to 8 entries",
        )?;
    }
    let names: Vec<&str> = spec.service_accounts.iter().map(|a| &*a.name).collect();
    entries("serviceAccounts", &names, 16)?;
    for account in &spec.service_accounts {
        object_name("serviceAccounts", &account.name)?;
        let is_uid = account.uid.as_deref().is_none_or(is_uid);
        rule(
            is_uid,
            "serviceAccounts.uid",
            "must be the UID of a ServiceAccount",
        )?;
    }
    if let Some(reference) = &spec.secret_ref {
        check_secret_ref(reference)?;
    }
    let request = spec
        .rotation
        .as_ref()
        .and_then(|rotation| rotation.request_id.as_deref());
    request.map_or(Ok(()), |id| request_id("rotation.requestId", id))
}

fn check_secret_ref(reference: &SecretRef) -> Check {
    object_name("secretRef.name", &reference.name)?;
    entry_name("secretRef.key", &reference.key)?;
    let previous = reference.previous_key.as_deref();
    previous.map_or(Ok(()), |key| entry_name("secretRef.previousKey", key))
}

fn is_uid(uid: &str) -> bool {
    let parts: Vec<&str> = uid.split('-').collect();
    let is_hex = |part: &&str| {
        part.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(is_hex)
}

fn each(field: &str, values: &[String], check: fn(&str) -> Result<(), &'static str>) -> Check {
    values.iter().try_for_each(|value| {
        check(value).map_err(|problem| format!("{field}: {value:?} {problem}"))
    })
}
