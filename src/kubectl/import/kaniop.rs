//! kaniop: `KanidmOAuth2Client` of `kaniop.rs`, and the Secret that it writes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::documents::Documents;
use super::draft::Draft;
use super::maester::{items, strings};
use super::model::Import;
use super::names::Names;
use super::settings::Settings;
use crate::objects::{name, namespace, text};

/// Reads the clients.
pub fn read(input: &Documents, settings: &Settings, import: &mut Import) {
    let mut names = Names::default();
    for object in input.of_kind("kaniop.rs", "KanidmOAuth2Client") {
        let here = match namespace(object) {
            "" => settings.namespace.as_str(),
            namespace => namespace,
        };
        let origin = format!("KanidmOAuth2Client {here}/{}", name(object));
        let mut draft = Draft::new(
            origin,
            here,
            names.take(here, name(object)),
            &settings.tenant,
        );
        fill(&mut draft, object, input);
        import.clients.push(draft.finish());
    }
}

fn fill(draft: &mut Draft, object: &Value, input: &Documents) {
    let flag = |field: &str| {
        object
            .pointer("/spec")
            .and_then(|spec| spec.get(field)?.as_bool())
    };
    draft.public("spec.public", flag("public") == Some(true));
    draft.grant("authorization_code");
    draft.grant("refresh_token");
    let secret_name = match text(object, "/spec/secretName") {
        "" => format!("{}-kanidm-oauth2-credentials", name(object)),
        named => named.to_owned(),
    };
    let entries = input.secret(&draft.namespace, &secret_name);
    let entry = |key: &str| {
        entries
            .and_then(|entries| entries.get(key))
            .map(String::as_str)
    };
    // Kanidm's client ID is the name.
    draft.client_id("metadata.name", entry("CLIENT_ID").unwrap_or(name(object)));
    draft.secret(
        &format!("Secret {secret_name}"),
        entry("CLIENT_SECRET"),
        None,
    );
    draft.pkce(
        "spec.allowInsecureClientDisablePkce",
        flag("allowInsecureClientDisablePkce") != Some(true),
    );
    let empty = Map::new();
    let spec = object
        .get("spec")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    for (field, value) in spec {
        apply(draft, object, field, value);
    }
    groups_and_scopes(draft, object);
    if flag("jwtLegacyCryptoEnable") != Some(true) {
        draft.set("idTokenSignedResponseAlg", "ES256");
        draft.exact(
            "spec.jwtLegacyCryptoEnable",
            "spec.idTokenSignedResponseAlg",
        );
    }
}

fn apply(draft: &mut Draft, object: &Value, field: &str, value: &Value) {
    let path = format!("spec.{field}");
    let shown = value.as_str().unwrap_or_default();
    match field {
        "displayname" => draft.display_name(&path, shown),
        "redirectUrl" if object.pointer("/spec/strictRedirectUrl") == Some(&Value::Bool(false)) => {
            for uri in items(value) {
                let why = format!("{uri:?} stands for every path of its origin, because strictRedirectUrl is false");
                draft.lost(&path, &why, "list the exact URIs in spec.redirectUris");
            }
        }
        "redirectUrl" => draft.uris(&path, "redirectUris", items(value)),
        "allowLocalhostRedirect" if *value == true => draft.lost(
            &path,
            "stands for every URI on localhost",
            "list http://127.0.0.1/callback, where any port will do, or http://localhost with its port",
        ),
        "claimMap" if value.as_array().is_some_and(|list| !list.is_empty()) => draft.lost(
            &path,
            "groups do not add claims",
            "write the claim into spec.claims of the OAuthUsers, and a scope that promises it into the tenant",
        ),
        "jwtLegacyCryptoEnable" if *value == true => draft.exact(&path, "spec.idTokenSignedResponseAlg"),
        "origin" | "kanidmRef" | "strictRedirectUrl" | "allowLocalhostRedirect" | "claimMap" | "image"
        | "jwtLegacyCryptoEnable" => draft.meaningless(&path, "says how Kanidm shows or reaches the client"),
        "preferShortUsername" => draft.changed(
            &path,
            "spec.username of OAuthUsers",
            "preferred_username is the username",
            "choose usernames as the application expects them",
        ),
        "public" | "scopeMap" | "supScopeMap" | "allowInsecureClientDisablePkce" | "secretName" => {}
        _ => draft.lost(&path, "is not known to this importer", "see whether OAuthClient has such a field"),
    }
}

/// Only members of the groups of `scopeMap` may sign in.
fn groups_and_scopes(draft: &mut Draft, object: &Value) {
    let maps = |field: &str| {
        let list = object
            .pointer(&format!("/spec/{field}"))
            .and_then(Value::as_array);
        list.into_iter().flatten()
    };
    let groups: BTreeSet<&str> = maps("scopeMap").map(|map| text(map, "/group")).collect();
    if !groups.is_empty() {
        draft.set(
            "allowedGroups",
            groups
                .iter()
                .map(|group| Value::from(*group))
                .collect::<Vec<_>>(),
        );
        draft.exact("spec.scopeMap: groups", "spec.allowedGroups");
    }
    let sets: BTreeSet<Vec<&str>> = maps("scopeMap")
        .map(|map| strings(map, "/scopes").collect())
        .collect();
    let all: BTreeSet<&str> = sets.iter().flatten().copied().collect();
    draft.scopes("spec.scopeMap", all);
    if sets.len() > 1 || maps("supScopeMap").next().is_some() {
        draft.lost(
            "spec.scopeMap, spec.supScopeMap",
            "groups of people do not differ in the scopes that they get",
            "decide in the application by the claim groups",
        );
    }
}
