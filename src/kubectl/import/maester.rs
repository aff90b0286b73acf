//! ORY hydra-maester: `OAuth2Client` of `hydra.ory.sh`, and the Secret that `spec.secretName` names.

use std::collections::BTreeMap;

use serde_json::Value;

use super::documents::Documents;
use super::draft::Draft;
use super::durations::go;
use super::model::{Import, ImportedClient};
use super::names::Names;
use super::settings::Settings;
use crate::objects::{name, namespace, text};

/// The entries that hold the client ID: of today, and of versions before 0.0.28.
const ID_KEYS: [&str; 2] = ["CLIENT_ID", "client_id"];
const SECRET_KEYS: [&str; 2] = ["CLIENT_SECRET", "client_secret"];

/// Fields that say how maester reaches Hydra, or what it does to the object.
const OF_MAESTER: [&str; 2] = ["hydraAdmin", "deletionPolicy"];

/// Reads the clients.
pub fn read(input: &Documents, settings: &Settings, import: &mut Import) {
    let mut names = Names::default();
    for object in input.of_kind("hydra.ory.sh", "OAuth2Client") {
        let client = client(object, input, settings, &mut names);
        import.clients.push(client);
    }
}

fn client(
    object: &Value,
    input: &Documents,
    settings: &Settings,
    names: &mut Names,
) -> ImportedClient {
    let here = match namespace(object) {
        "" => settings.namespace.as_str(),
        namespace => namespace,
    };
    let origin = format!("OAuth2Client {here}/{}", name(object));
    let mut draft = Draft::new(
        origin,
        here,
        names.take(here, name(object)),
        &settings.tenant,
    );
    let empty = serde_json::Map::new();
    let spec = object
        .get("spec")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    // The type decides about the secret, and the grants about PKCE.
    let method = text(object, "/spec/tokenEndpointAuthMethod");
    draft.public("spec.tokenEndpointAuthMethod", method == "none");
    credentials(&mut draft, object, input, settings);
    draft.grants("spec.grantTypes", strings(object, "/spec/grantTypes"));
    for (field, value) in spec {
        let path = format!("spec.{field}");
        apply(&mut draft, &path, field, value);
    }
    if draft.has_grant("authorization_code") {
        draft.pkce("(PKCE, which Hydra does not ask for)", false);
    }
    draft.finish()
}

fn apply(draft: &mut Draft, path: &str, field: &str, value: &Value) {
    let shown = value.as_str().unwrap_or_default();
    match field {
        "grantTypes" | "secretName" => {}
        "tokenEndpointAuthMethod" => method(draft, path, shown),
        "clientName" => draft.display_name(path, shown),
        "redirectUris" => draft.uris(path, "redirectUris", items(value)),
        "postLogoutRedirectUris" => draft.uris(path, "postLogoutRedirectUris", items(value)),
        "allowedCorsOrigins" => draft.origins(path, items(value)),
        "scope" => draft.scopes(path, shown.split_whitespace()),
        "scopeArray" => draft.scopes(path, items(value)),
        "audience" => draft.audiences(path, items(value)),
        "responseTypes" => response_types(draft, path, value),
        "skipConsent" if *value == true => draft.first_party(path),
        "tokenLifespans" => lifespans(draft, path, value),
        "jwksUri" if !shown.is_empty() => draft.lost(
            path,
            "keys are not fetched from a URL",
            "write the public keys into spec.jwks",
        ),
        "metadata" if value.as_object().is_some_and(|map| !map.is_empty()) => draft.lost(
            path,
            "a client has no metadata of its own",
            "write it into labels or annotations of the OAuthClient",
        ),
        "frontChannelLogoutURI" | "backChannelLogoutURI" if !shown.is_empty() => draft.lost(
            path,
            "applications are not told when a person signs out",
            "keep sessions of the application short, and renew them by refresh tokens, which end at once",
        ),
        field if OF_MAESTER.contains(&field) => {
            draft.meaningless(path, "says how maester reaches Hydra");
        }
        "skipConsent" | "jwksUri" | "metadata" | "frontChannelLogoutURI" | "backChannelLogoutURI"
        | "frontChannelLogoutSessionRequired" | "backChannelLogoutSessionRequired" => {
            draft.meaningless(path, "is not set");
        }
        _ => draft.lost(path, "is not known to this importer", "see whether OAuthClient has such a field"),
    }
}

/// ID and secret.
fn credentials(draft: &mut Draft, object: &Value, input: &Documents, settings: &Settings) {
    let secret_name = text(object, "/spec/secretName");
    let Some(entries) = input.secret(&draft.namespace, secret_name) else {
        draft.lost(
            "spec.secretName",
            &format!("Secret {secret_name:?} is not among the files, so ID and secret are not known"),
            "read the Secrets, too: kubectl get oauth2clients,secrets --all-namespaces --output yaml",
        );
        return;
    };
    let id = entry(entries, settings.client_id_key.as_deref(), &ID_KEYS);
    match id {
        Some(id) => draft.client_id("client ID", id.trim()),
        None => draft.lost(
            "client ID",
            &format!(
                "Secret {secret_name:?} has none of the entries; it has: {}",
                listed(entries)
            ),
            "name the entry with --client-id-key, as CLIENT_ID_KEY of maester does",
        ),
    }
    let secret = entry(entries, settings.client_secret_key.as_deref(), &SECRET_KEYS);
    if secret.is_none() && !draft.is_public() {
        draft.lost(
            "client secret",
            &format!(
                "Secret {secret_name:?} has none of the entries; it has: {}",
                listed(entries)
            ),
            "name the entry with --client-secret-key, as CLIENT_SECRET_KEY of maester does",
        );
    } else {
        draft.secret(
            "client secret",
            secret.map(|secret| secret.trim_end_matches(['\r', '\n'])),
            None,
        );
    }
    let mut written = format!("{}-oauth", draft.name);
    if secret_name == written {
        written = format!("{}-clientele", draft.name);
        draft.set("secret", serde_json::json!({ "name": written }));
    }
    draft.changed(
        "spec.secretName",
        "spec.secret",
        "maester deletes its Secret together with the OAuth2Client, and the new one has other entries",
        &format!(
            "let applications read the Secret {written} before you delete the OAuth2Client"
        ),
    );
}

fn entry<'a>(
    entries: &'a BTreeMap<String, String>,
    named: Option<&str>,
    known: &[&str],
) -> Option<&'a str> {
    let found = match named {
        Some(named) => entries.get(named),
        None => known.iter().find_map(|key| entries.get(*key)),
    };
    found.map(String::as_str).filter(|value| !value.is_empty())
}

fn listed(entries: &BTreeMap<String, String>) -> String {
    entries.keys().cloned().collect::<Vec<_>>().join(", ")
}

fn method(draft: &mut Draft, path: &str, method: &str) {
    match method {
        "client_secret_basic" | "client_secret_post" => {
            draft.set("tokenEndpointAuthMethod", method);
            draft.exact(path, "spec.tokenEndpointAuthMethod");
        }
        "none" | "" => {}
        "private_key_jwt" => draft.lost(
            path,
            "the public keys are not in the manifest, and without them no signature is accepted",
            "set spec.tokenEndpointAuthMethod: private_key_jwt together with spec.jwks, and remove spec.secretRef",
        ),
        other => draft.lost(path, &format!("{other} is not known"), "send the secret, or sign (private_key_jwt)"),
    }
}

fn response_types(draft: &mut Draft, path: &str, value: &Value) {
    for response_type in items(value) {
        if response_type == "code" {
            draft.exact(path, "spec.grantTypes");
        } else {
            draft.lost(
                path,
                &format!("response type {response_type:?} does not exist in OAuth 2.1"),
                "use response_type=code with PKCE",
            );
        }
    }
}

fn lifespans(draft: &mut Draft, path: &str, value: &Value) {
    for (name, lifespan) in value.as_object().into_iter().flatten() {
        let field = format!("{path}.{name}");
        let Some(seconds) = lifespan.as_str().and_then(go) else {
            draft.lost(
                &field,
                "is not a duration of at least one second",
                "set spec.lifetimes",
            );
            continue;
        };
        let machine_only = !draft.has_grant("authorization_code");
        match name.as_str() {
            "authorization_code_grant_access_token_lifespan" => {
                draft.lifetime(&field, "accessToken", seconds);
            }
            "authorization_code_grant_id_token_lifespan" => {
                draft.lifetime(&field, "idToken", seconds);
            }
            "authorization_code_grant_refresh_token_lifespan" => {
                draft.lifetime(&field, "refreshToken", seconds);
                draft.lifetime(&field, "refreshTokenIdle", seconds);
            }
            "client_credentials_grant_access_token_lifespan" if machine_only => {
                draft.lifetime(&field, "accessToken", seconds);
            }
            "implicit_grant_access_token_lifespan" | "implicit_grant_id_token_lifespan" => {
                draft.meaningless(&field, "there is no implicit grant");
            }
            _ => draft.lost(
                &field,
                "a client has one lifetime for its access tokens, whatever the grant",
                "make an OAuthClient for the machine, or set spec.lifetimes.accessToken for both",
            ),
        }
    }
}

/// The texts of a list.
pub fn items(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The texts of a list within.
pub fn strings<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    value.pointer(pointer).into_iter().flat_map(items)
}
