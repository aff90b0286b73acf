//! The resources of Keycloak operators → what an export of Keycloak would say.

use serde_json::{Map, Value, json};

use super::documents::Documents;
use super::draft::Draft;
use super::keycloak::realm;
use super::keycloak_client::{Realm, fill};
use super::model::Import;
use super::names::Names;
use super::settings::Settings;
use crate::objects::{name, namespace, text};

/// Reads the resources of every operator that is known.
pub fn read(input: &Documents, settings: &Settings, import: &mut Import) {
    let mut names = Names::default();
    let kinds = [
        (
            "v1.edp.epam.com",
            epam as fn(&Value, &Documents, &str) -> Value,
        ),
        ("keycloak.mdvr.nl", mdvr),
        ("keycloak.hostzero.com", hostzero),
    ];
    for (group, converted) in kinds {
        for object in input.of_kind(group, "KeycloakClient") {
            let here = match namespace(object) {
                "" => settings.namespace.as_str(),
                namespace => namespace,
            };
            let origin = format!("KeycloakClient.{group} {here}/{}", name(object));
            let mut draft = Draft::new(
                origin,
                here,
                names.take(here, name(object)),
                &settings.tenant,
            );
            let exported = converted(object, input, here);
            draft.client_id("clientId", text(&exported, "/clientId"));
            fill(&mut draft, &exported, &Realm::default());
            import.clients.push(draft.finish());
        }
    }
    let mut people = Names::default();
    for object in input.of_kind("k8s.keycloak.org", "KeycloakRealmImport") {
        let here = match namespace(object) {
            "" => settings.namespace.clone(),
            namespace => namespace.to_owned(),
        };
        let settings = Settings {
            namespace: here,
            ..settings.clone()
        };
        if let Some(document) = object.pointer("/spec/realm") {
            realm(document, &settings, (&mut names, &mut people), import);
        }
    }
}

fn spec(object: &Value) -> Map<String, Value> {
    object
        .get("spec")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

fn secret_entry(input: &Documents, namespace: &str, name: &str, key: &str) -> Value {
    let entries = input.secret(namespace, name);
    entries
        .and_then(|entries| entries.get(key))
        .map_or(Value::Null, |value| json!(value.trim_end()))
}

fn renamed(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = fields.remove(from) {
        fields.insert(to.to_owned(), value);
    }
}

/// EPAM's operator. Its Secret is `$name:key`, or one that it writes itself.
fn epam(object: &Value, input: &Documents, here: &str) -> Value {
    let mut fields = spec(object);
    let reference = text(object, "/spec/secret")
        .trim_start_matches('$')
        .to_owned();
    let (secret, key) = match reference.split_once(':') {
        Some((secret, key)) => (secret.to_owned(), key.to_owned()),
        None if reference.is_empty() => (
            format!("keycloak-client-{}-secret", name(object)),
            "clientSecret".to_owned(),
        ),
        None => (reference, "clientSecret".to_owned()),
    };
    let value = secret_entry(input, here, &secret, &key);
    fields.insert("secret".to_owned(), value);
    renamed(&mut fields, "public", "publicClient");
    renamed(&mut fields, "directAccess", "directAccessGrantsEnabled");
    renamed(&mut fields, "frontChannelLogout", "frontchannelLogout");
    renamed(&mut fields, "homeUrl", "baseUrl");
    let machine = object.pointer("/spec/serviceAccount/enabled") == Some(&Value::Bool(true));
    fields.insert("serviceAccountsEnabled".to_owned(), machine.into());
    let web = text(object, "/spec/webUrl");
    if !web.is_empty() {
        fields.entry("rootUrl").or_insert_with(|| web.into());
        // Without a list the operator takes everything below the address.
        fields
            .entry("redirectUris")
            .or_insert_with(|| json!([format!("{web}/*")]));
        fields.entry("webOrigins").or_insert_with(|| json!([web]));
    }
    for of_operator in [
        "realmRef",
        "targetRealm",
        "reconciliationStrategy",
        "webUrl",
        "serviceAccount",
        "advancedProtocolMappers",
    ] {
        fields.remove(of_operator);
    }
    Value::Object(fields)
}

/// The operator of vriesdemichael: flags below `settings`, the Secret `<name>-credentials`.
fn mdvr(object: &Value, input: &Documents, here: &str) -> Value {
    let mut fields = spec(object);
    if let Some(Value::Object(settings)) = fields.remove("settings") {
        fields.extend(settings);
    }
    renamed(&mut fields, "clientName", "name");
    if let Some(Value::Array(uris)) = fields.remove("postLogoutRedirectUris") {
        let uris: Vec<&str> = uris.iter().filter_map(Value::as_str).collect();
        let joined = uris.join("##");
        let attributes = fields.entry("attributes").or_insert_with(|| json!({}));
        attributes["post.logout.redirect.uris"] = joined.into();
    }
    let secret = match text(object, "/spec/secretName") {
        "" => format!("{}-credentials", name(object)),
        named => named.to_owned(),
    };
    let value = secret_entry(input, here, &secret, "client_secret");
    fields.insert("secret".to_owned(), value);
    for of_operator in [
        "realmRef",
        "secretName",
        "secretMetadata",
        "regenerateSecret",
        "manageSecret",
        "secretRotation",
    ] {
        fields.remove(of_operator);
    }
    Value::Object(fields)
}

/// Hostzero's operator: `definition` is what Keycloak exports.
fn hostzero(object: &Value, input: &Documents, here: &str) -> Value {
    let definition = object
        .pointer("/spec/definition")
        .and_then(Value::as_object);
    let mut fields = definition.cloned().unwrap_or_default();
    let key = match text(object, "/spec/clientSecretRef/clientSecretKey") {
        "" => "client-secret",
        key => key,
    };
    let secret = text(object, "/spec/clientSecretRef/name");
    let value = secret_entry(input, here, secret, key);
    if !value.is_null() {
        fields.insert("secret".to_owned(), value);
    }
    Value::Object(fields)
}
