//! What an OAuthClient says that is accepted and has no effect, or not the one that was probably meant: see
//! [`crate::domain::advice`]. The admission policy `…-clients` of the chart warns of the same.

use clientele_api::{ClientType as Type, OAuthClient, OAuthClientSpec};
use clientele_oauth::client::redirect_uri::{browser_form, matches};
use clientele_oauth::tenant::OPENID_SCOPES;
use clientele_oauth::{ClientType, GrantType};

use super::validate::grant_types;
use crate::domain::advice::Advice;
use crate::domain::reason::Reason;

/// All of it.
pub fn advice(object: &OAuthClient) -> Vec<Advice> {
    let mut found = repeated_key_ids(&object.spec);
    found.extend(unlike_browsers(&object.spec));
    found.extend(without_effect(object));
    found
}

/// Keys with the ID of an earlier one.
fn repeated_key_ids(spec: &OAuthClientSpec) -> Vec<Advice> {
    let keys = spec.jwks.as_ref().map_or(&[][..], |jwks| &jwks.keys[..]);
    let earlier = |at: usize| {
        let kid = keys[at].kid.as_deref()?;
        let first = keys[..at]
            .iter()
            .position(|key| key.kid.as_deref() == Some(kid))?;
        Some(Advice::new(
            Reason::KeyIdRepeated,
            format!(
                "spec.jwks.keys[{at}]: has the kid {kid:?} of spec.jwks.keys[{first}], and an assertion that names it is accepted if either key signed it; give each key a kid of its own, or remove the key that is not used any more"
            ),
        ))
    };
    (0..keys.len()).filter_map(earlier).collect()
}

/// Addresses of which a browser makes others.
fn unlike_browsers(spec: &OAuthClientSpec) -> Vec<Advice> {
    let client_type = match spec.type_ {
        Type::Confidential => ClientType::Confidential,
        Type::Public => ClientType::Public,
    };
    let lists = [
        ("redirectUris", &spec.redirect_uris),
        ("postLogoutRedirectUris", &spec.post_logout_redirect_uris),
    ];
    let entries = lists.into_iter().flat_map(|(field, uris)| {
        let uris = uris.iter().enumerate();
        uris.map(move |(at, uri)| (format!("spec.{field}[{at}]"), uri))
    });
    let advised = entries.filter_map(|(place, uri)| {
        let form = browser_form(uri).filter(|form| !matches(uri, form, client_type))?;
        Some(Advice::new(
            Reason::RedirectUriNotNormal,
            format!(
                "{place}: {uri:?} is {form:?} in a browser, and addresses are compared character by character, so an application that takes its address from the browser is refused; write {form:?} here and in the application"
            ),
        ))
    });
    advised.collect()
}

/// Scopes and fields of grants that the client may not use.
fn without_effect(object: &OAuthClient) -> Vec<Advice> {
    let spec = &object.spec;
    let grants = grant_types(object);
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    if grants.contains(&GrantType::AuthorizationCode) {
        let offline = scopes.iter().any(|scope| scope == "offline_access");
        let in_vain = offline && !grants.contains(&GrantType::RefreshToken);
        let advice = in_vain.then(|| {
            no_effect("spec.scopes: offline_access has no effect without the grant refresh_token; add refresh_token to spec.grantTypes, or remove the scope".to_owned())
        });
        return advice.into_iter().collect();
    }
    let of_people = scopes.iter().map(|scope| &**scope);
    let of_people = of_people.filter(|scope| OPENID_SCOPES.contains(scope));
    let mut found = Vec::new();
    for (place, named) in [
        ("spec.scopes", of_people.collect::<Vec<&str>>()),
        ("spec", fields_of_people(spec)),
    ] {
        if !named.is_empty() {
            let have = if named.len() == 1 { "has" } else { "have" };
            found.push(no_effect(format!(
                "{place}: {} {have} no effect without the grant authorization_code, by which a person signs in; remove what is named, or add authorization_code to spec.grantTypes, with spec.redirectUris",
                named.join(", ")
            )));
        }
    }
    found
}

/// The fields that are about signing in, as far as they are set.
fn fields_of_people(spec: &OAuthClientSpec) -> Vec<&'static str> {
    let fields = [
        ("redirectUris", !spec.redirect_uris.is_empty()),
        (
            "postLogoutRedirectUris",
            !spec.post_logout_redirect_uris.is_empty(),
        ),
        ("allowedGroups", spec.allowed_groups.is_some()),
        ("requirePkce", spec.require_pkce.is_some()),
        (
            "idTokenSignedResponseAlg",
            spec.id_token_signed_response_alg.is_some(),
        ),
        ("idTokenClaims", spec.id_token_claims.is_some()),
        ("firstParty", spec.first_party),
    ];
    let set = fields.into_iter().filter(|(_, is_set)| *is_set);
    set.map(|(name, _)| name).collect()
}

fn no_effect(message: String) -> Advice {
    Advice::new(Reason::NoEffect, message)
}

#[cfg(test)]
mod tests;
