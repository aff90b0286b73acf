//! authentik: the `OAuth2` providers of a blueprint.

use serde_json::{Map, Value};

use super::documents::Documents;
use super::draft::Draft;
use super::durations::authentik;
use super::model::Import;
use super::names::Names;
use super::settings::Settings;
use crate::objects::text;

const PROVIDER: &str = "authentik_providers_oauth2.oauth2provider";

/// Reads the providers.
pub fn read(input: &Documents, settings: &Settings, import: &mut Import) {
    let mut names = Names::default();
    for blueprint in &input.documents {
        let entries = blueprint.get("entries").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let model = text(entry, "/model");
            if model.to_ascii_lowercase() != PROVIDER {
                let label = text(entry, "/id");
                let what = format!("entry {model} {label}");
                import.skipped.insert(
                    what.trim_end().to_owned(),
                    "is not an OAuth2 provider".to_owned(),
                );
                continue;
            }
            let empty = Map::new();
            let object = |pointer: &str| {
                entry
                    .get(pointer)
                    .and_then(Value::as_object)
                    .unwrap_or(&empty)
            };
            // What identifies a provider is as well a part of it.
            let mut attributes = object("identifiers").clone();
            attributes.extend(object("attrs").clone());
            let attributes = Value::Object(attributes);
            let name = text(&attributes, "/name");
            let here = settings.namespace.as_str();
            let origin = format!("provider {name}");
            let mut draft = Draft::new(origin, here, names.take(here, name), &settings.tenant);
            fill(&mut draft, &attributes);
            import.clients.push(draft.finish());
        }
    }
}

fn fill(draft: &mut Draft, attributes: &Value) {
    draft.public("client_type", text(attributes, "/client_type") == "public");
    draft.grant("authorization_code");
    draft.grant("refresh_token");
    if !draft.is_public() {
        // authentik gives every confidential client this grant.
        draft.grant("client_credentials");
    }
    match attributes.get("client_id").and_then(Value::as_str) {
        Some(id) => draft.client_id("client_id", id),
        None => draft.lost(
            "client_id",
            REFERS,
            "write the ID into the blueprint and import again",
        ),
    }
    let secret = attributes.get("client_secret").and_then(Value::as_str);
    draft.secret("client_secret", secret, None);
    draft.pkce("(PKCE, which authentik does not ask for)", false);
    for (field, value) in attributes.as_object().into_iter().flatten() {
        apply(draft, field, value);
    }
    let scopes = ["openid", "profile", "email", "offline_access"];
    draft.scopes("(scopes)", scopes);
}

const REFERS: &str = "it is a tag that only authentik can resolve";

fn apply(draft: &mut Draft, field: &str, value: &Value) {
    let shown = value.as_str().unwrap_or_default();
    let lifetime = match field {
        "access_code_validity" => "authorizationCode",
        "access_token_validity" => "accessToken",
        "refresh_token_validity" => "refreshToken",
        _ => return other(draft, field, value),
    };
    match authentik(shown) {
        Some(seconds) => {
            draft.lifetime(field, lifetime, seconds);
            if lifetime == "refreshToken" {
                draft.lifetime(field, "refreshTokenIdle", seconds);
            }
        }
        None => draft.lost(
            field,
            "is not a duration of at least one second",
            "set spec.lifetimes",
        ),
    }
}

/// Everything that is no lifetime.
fn other(draft: &mut Draft, field: &str, value: &Value) {
    let shown = value.as_str().unwrap_or_default();
    match field {
        "client_id" | "client_secret" | "client_type" => {}
        "name" => draft.display_name(field, shown),
        "redirect_uris" => redirect_uris(draft, value),
        "signing_key"
        | "pk"
        | "include_claims_in_id_token"
        | "issuer_mode"
        | "authentication_flow"
        | "invalidation_flow"
        | "refresh_token_threshold" => {
            draft.meaningless(field, "says how authentik makes tokens, or shows pages");
        }
        "authorization_flow" => draft.changed(
            field,
            "spec.firstParty",
            "the flow does not tell whether people are asked for consent; they are asked",
            "set spec.firstParty: true if people shall not be asked for consent",
        ),
        "sub_mode" => draft.lost(
            field,
            "people are not imported, so applications know them by another sub",
            "write spec.subject into each OAuthUser as authentik had it",
        ),
        "property_mappings" => draft.lost(
            field,
            "clients have no mappings",
            "list further scopes in spec.scopes and in those of the tenant",
        ),
        "backchannel_logout_uri" | "logout_uri" if shown.is_empty() => {
            draft.meaningless(field, "is not set");
        }
        _ => draft.lost(
            field,
            "is not known to this importer",
            "see whether OAuthClient has such a field",
        ),
    }
}

/// A list with a mode for each; before 2024.12 one text with a line for each, which is a regular expression.
fn redirect_uris(draft: &mut Draft, value: &Value) {
    const TODO: &str = "list the exact URIs in spec.redirectUris";
    if let Some(lines) = value.as_str() {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if super::rules::is_pattern(line) {
                let why = format!("{line:?} is a pattern, and redirect URIs are compared exactly");
                draft.lost("redirect_uris", &why, TODO);
            } else {
                draft.uris("redirect_uris", "redirectUris", [line]);
            }
        }
        return;
    }
    for entry in value.as_array().into_iter().flatten() {
        let uri = entry.as_str().unwrap_or(text(entry, "/url"));
        let mode = text(entry, "/matching_mode");
        if matches!(mode, "" | "strict") && !uri.is_empty() {
            draft.uris("redirect_uris", "redirectUris", [uri]);
        } else if mode == "regex" {
            let why =
                format!("{uri:?} is a regular expression, and redirect URIs are compared exactly");
            draft.lost("redirect_uris", &why, TODO);
        } else {
            draft.lost("redirect_uris", REFERS, TODO);
        }
    }
}
