//! The operator of Pocket ID: `PocketIDOIDCClient` of `pocketid.internal`, and the Secret that it writes.

use serde_json::{Map, Value};

use super::documents::Documents;
use super::draft::Draft;
use super::maester::items;
use super::model::Import;
use super::names::Names;
use super::settings::Settings;
use crate::objects::{name, namespace, text};

/// Reads the clients.
pub fn read(input: &Documents, settings: &Settings, import: &mut Import) {
    let mut names = Names::default();
    let of_kind = |object: &&Value| text(object, "/kind") == "PocketIDOIDCClient";
    for object in input.documents.iter().filter(of_kind) {
        let here = match namespace(object) {
            "" => settings.namespace.as_str(),
            namespace => namespace,
        };
        let origin = format!("PocketIDOIDCClient {here}/{}", name(object));
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
    let flag = |field: &str| object.pointer(&format!("/spec/{field}")) == Some(&Value::Bool(true));
    draft.public("spec.isPublic", flag("isPublic"));
    draft.grant("authorization_code");
    draft.grant("refresh_token");
    let secret_name = match text(object, "/spec/secret/name") {
        "" => format!("{}-oidc-credentials", name(object)),
        named => named.to_owned(),
    };
    let key = |field: &str, default: &str| match text(object, &format!("/spec/secret/keys/{field}"))
    {
        "" => default.to_owned(),
        key => key.to_owned(),
    };
    let entries = input.secret(&draft.namespace, &secret_name);
    let entry = |key: &str| {
        entries
            .and_then(|entries| entries.get(key))
            .map(String::as_str)
    };
    let (id_key, secret_key) = (
        key("clientID", "client_id"),
        key("clientSecret", "client_secret"),
    );
    let known = [
        text(object, "/spec/clientID"),
        text(object, "/status/clientID"),
    ];
    let known = known.into_iter().find(|id| !id.is_empty());
    match entry(&id_key).or(known) {
        Some(id) => draft.client_id("spec.clientID", id),
        None => draft.lost(
            "spec.clientID",
            "the ID is neither in the object nor in a Secret among the files",
            "read the Secrets, too: kubectl get pocketidoidcclients,secrets --all-namespaces --output yaml",
        ),
    }
    draft.secret(&format!("Secret {secret_name}"), entry(&secret_key), None);
    draft.pkce("spec.pkceEnabled", flag("pkceEnabled"));
    draft.display_name("status.name", text(object, "/status/name"));
    let scopes = ["openid", "profile", "email", "groups", "offline_access"];
    draft.scopes("(scopes)", scopes);
    let empty = Map::new();
    let spec = object
        .get("spec")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    for (field, value) in spec {
        apply(draft, input, field, value);
    }
}

fn apply(draft: &mut Draft, input: &Documents, field: &str, value: &Value) {
    let path = format!("spec.{field}");
    let is_filled = value.as_array().is_some_and(|list| !list.is_empty());
    match field {
        "callbackUrls" => draft.uris(&path, "redirectUris", items(value)),
        "logoutCallbackUrls" => draft.uris(&path, "postLogoutRedirectUris", items(value)),
        "allowedUserGroups" if is_filled => groups(draft, input, &path, value),
        "federatedIdentities" if is_filled => draft.lost(
            &path,
            "tokens of other issuers prove no client",
            "for pods of this cluster name the ServiceAccounts in spec.serviceAccounts; elsewhere sign (private_key_jwt)",
        ),
        "requiresReauthentication" if *value == true => draft.lost(
            &path,
            "a client does not decide that people sign in again",
            "the application asks with prompt=login or max_age",
        ),
        "logoUrl" | "darkLogoUrl" => {
            draft.lost(&path, "the tenant has a logo, a client has none", "set spec.branding.logo of the tenant");
        }
        "launchUrl" | "instanceSelector" | "secret" | "allowedUserGroups" | "federatedIdentities"
        | "requiresReauthentication" => draft.meaningless(&path, "says how Pocket ID shows or reaches the client"),
        "isPublic" | "clientID" | "pkceEnabled" => {}
        _ => draft.lost(&path, "is not known to this importer", "see whether OAuthClient has such a field"),
    }
}

/// Groups are named by their objects.
fn groups(draft: &mut Draft, input: &Documents, path: &str, value: &Value) {
    let mut names = Vec::new();
    for reference in value.as_array().into_iter().flatten() {
        let (wanted, place) = (text(reference, "/name"), text(reference, "/namespace"));
        let place = if place.is_empty() {
            draft.namespace.as_str()
        } else {
            place
        };
        let mut documents = input.documents.iter();
        let group = documents.find(|object| {
            text(object, "/kind") == "PocketIDUserGroup"
                && name(object) == wanted
                && namespace(object) == place
        });
        match group.map(|group| text(group, "/spec/name")) {
            Some("") => names.push(Value::from(wanted)),
            Some(group) => names.push(Value::from(group)),
            None => {
                let why = format!("PocketIDUserGroup {place}/{wanted} is not among the files");
                draft.lost(
                    path,
                    &why,
                    "write the name of the group into spec.allowedGroups",
                );
            }
        }
    }
    if names.is_empty() {
        // Without it everybody could sign in.
        draft.set("suspended", true);
        let why =
            "no group is known, and without one everybody could sign in: the client is suspended";
        draft.lost(
            path,
            why,
            "write spec.allowedGroups, then kubectl clientele resume NAME",
        );
    } else {
        draft.set("allowedGroups", names);
        draft.exact(path, "spec.allowedGroups");
    }
}
