//! A client of Keycloak, as an export and the resources of operators describe it.

mod fields;
mod rest;

use std::collections::BTreeSet;

use serde_json::Value;

use super::draft::Draft;
use super::maester::strings;
use super::model::ImportedClient;
use super::names::Names;
use super::settings::Settings;
use crate::objects::text;
use fields::{addresses, attribute};
use rest::{attributes, lifetimes, rest};

pub use fields::Realm;

/// Scopes of Keycloak that add claims of its own, or say how a token is made.
const OF_KEYCLOAK: [&str; 7] = [
    "web-origins",
    "acr",
    "basic",
    "microprofile-jwt",
    "organization",
    "service_account",
    "role_list",
];

/// The scopes that every client has that lists none.
const DEFAULT: &[&str] = &["openid", "profile", "email"];
/// The scopes that every client may ask for that lists none.
const OPTIONAL: &[&str] = &["address", "phone", "offline_access"];

/// A client.
pub fn client(
    object: &Value,
    origin: String,
    realm: &Realm,
    settings: &Settings,
    names: &mut Names,
) -> ImportedClient {
    let id = text(object, "/clientId");
    let here = settings.namespace.as_str();
    let mut draft = Draft::new(origin, here, names.take(here, id), &settings.tenant);
    draft.client_id("clientId", id);
    fill(&mut draft, object, realm);
    draft.finish()
}

/// Fills in everything but the ID.
pub fn fill(draft: &mut Draft, object: &Value, realm: &Realm) {
    let flag = |name: &str| object.get(name).and_then(Value::as_bool);
    if !matches!(text(object, "/protocol"), "" | "openid-connect") {
        draft.give_up(
            "protocol",
            "only OpenID Connect is spoken here",
            "let the application use OpenID Connect",
        );
        return;
    }
    if flag("bearerOnly") == Some(true) {
        let why = "it only verifies tokens, and people do not sign in to it";
        draft.give_up(
            "bearerOnly",
            why,
            "an API needs no client: add its URI to spec.audiences of the tenant",
        );
        return;
    }
    draft.public("publicClient", flag("publicClient") == Some(true));
    flows(draft, object);
    draft.display_name("name", text(object, "/name"));
    let uris = addresses(object, "redirectUris");
    draft.uris(
        "redirectUris",
        "redirectUris",
        uris.iter().map(String::as_str),
    );
    origins(draft, object);
    authenticator(draft, object);
    if flag("enabled") == Some(false) {
        draft.set("suspended", true);
    }
    draft.exact("enabled", "spec.suspended");
    if draft.has_grant("authorization_code") {
        if flag("consentRequired") == Some(true) {
            draft.exact("consentRequired", "spec.firstParty");
        } else {
            draft.first_party("consentRequired");
        }
    }
    for (list, of_keycloak) in [
        ("defaultClientScopes", DEFAULT),
        ("optionalClientScopes", OPTIONAL),
    ] {
        if object.get(list).is_some_and(Value::is_array) {
            scopes(draft, list, strings(object, &format!("/{list}")));
        } else if draft.has_grant("authorization_code") {
            draft.scopes(list, of_keycloak.iter().copied());
            let why = "the file has no such list: these are what Keycloak gives to a client then";
            let todo = "remove from spec.scopes what the realm does not give";
            draft.changed(list, "spec.scopes", why, todo);
        }
    }
    attributes(draft, object);
    lifetimes(draft, object, realm);
    rest(draft, object);
}

fn flows(draft: &mut Draft, object: &Value) {
    let flag =
        |name: &str, default: bool| object.get(name).and_then(Value::as_bool).unwrap_or(default);
    if flag("standardFlowEnabled", true) {
        draft.grant("authorization_code");
        if attribute(object, "use.refresh.tokens") != "false" {
            draft.grant("refresh_token");
        }
    }
    draft.exact("standardFlowEnabled", "spec.grantTypes");
    if flag("serviceAccountsEnabled", false) {
        draft.grant("client_credentials");
        draft.exact("serviceAccountsEnabled", "spec.grantTypes");
    }
    if flag("implicitFlowEnabled", false) {
        draft.grants("implicitFlowEnabled", ["implicit"]);
    }
    if flag("directAccessGrantsEnabled", false) {
        draft.grants("directAccessGrantsEnabled", ["password"]);
    }
    for (name, grant) in [
        ("oauth2.device.authorization.grant.enabled", "device_code"),
        ("oidc.ciba.grant.enabled", "ciba"),
        ("standard.token.exchange.enabled", "token-exchange"),
    ] {
        if attribute(object, name) == "true" {
            draft.grants(&format!("attributes.{name}"), [grant]);
        }
    }
}

/// `+` is the origins of the redirect URIs.
fn origins(draft: &mut Draft, object: &Value) {
    let mut listed: Vec<String> = strings(object, "/webOrigins").map(str::to_owned).collect();
    if listed.iter().any(|origin| origin == "+") {
        listed.retain(|origin| origin != "+");
        let uris = addresses(object, "redirectUris");
        let exact = uris
            .iter()
            .filter(|uri| super::rules::redirect_uri(uri).is_ok());
        let origins: BTreeSet<String> = exact
            .filter_map(|uri| url::Url::parse(uri).ok())
            .filter(|url| matches!(url.scheme(), "https" | "http"))
            .map(|url| url.origin().ascii_serialization())
            .collect();
        listed.extend(origins);
        let why = "+ is written out: the origins of the redirect URIs that are kept";
        draft.changed("webOrigins", "spec.allowedOrigins", why, "");
    }
    let listed: Vec<&str> = listed
        .iter()
        .map(|origin| origin.trim_end_matches('/'))
        .collect();
    draft.origins("webOrigins", listed);
}

fn authenticator(draft: &mut Draft, object: &Value) {
    if draft.is_public() {
        return;
    }
    let secret = text(object, "/secret");
    let rotated = attribute(object, "client.secret.rotated");
    match text(object, "/clientAuthenticatorType") {
        "" | "client-secret" => {
            draft.exact("clientAuthenticatorType", "spec.tokenEndpointAuthMethod");
            draft.secret("secret", Some(secret), Some(rotated));
        }
        "client-jwt" => draft.lost(
            "clientAuthenticatorType",
            "the public keys must be in the manifest, and are not taken from certificates or URLs",
            "set spec.tokenEndpointAuthMethod: private_key_jwt and spec.jwks",
        ),
        other => draft.lost(
            "clientAuthenticatorType",
            &format!("{other} is not known here"),
            "use the client secret, or sign with a key of its own (private_key_jwt)",
        ),
    }
}

fn scopes<'a>(draft: &mut Draft, field: &str, scopes: impl Iterator<Item = &'a str>) {
    let mut kept = vec!["openid"];
    for scope in scopes {
        match scope {
            "roles" => draft.lost(
                &format!("{field}: roles"),
                "roles of realm and clients are not in tokens",
                "use groups, or claims of the person with a scope of the tenant",
            ),
            scope if OF_KEYCLOAK.contains(&scope) => {
                draft.meaningless(
                    &format!("{field}: {scope}"),
                    "says how Keycloak makes its tokens",
                );
            }
            scope => kept.push(scope),
        }
    }
    if draft.has_grant("authorization_code") || kept.len() > 1 {
        draft.scopes(field, kept);
    }
    if field == "defaultClientScopes" {
        let why = "Keycloak gives these without being asked; here the application asks with scope=";
        draft.changed(
            field,
            "spec.scopes",
            why,
            "let the application ask for what it needs",
        );
    }
}
