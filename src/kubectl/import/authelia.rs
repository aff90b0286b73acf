//! Authelia: the people of `users_database.yml`, and the clients of its configuration, whose secrets are hashes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::documents::Documents;
use super::draft::Draft;
use super::maester::strings;
use super::model::Import;
use super::names::Names;
use super::password;
use super::settings::Settings;
use super::user_draft::UserDraft;
use crate::objects::text;

/// Reads people and clients.
pub fn read(input: &Documents, settings: &Settings, import: &mut Import) {
    let (mut names, mut people) = (Names::default(), Names::default());
    let identifiers = identifiers(input);
    for document in &input.documents {
        for (username, object) in document
            .get("users")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let here = settings.namespace.as_str();
            let name = people.take(here, username);
            let mut draft =
                UserDraft::new(format!("user {username}"), here, name, &settings.tenant);
            person(&mut draft, username, object, &identifiers);
            import.users.push(draft.finish());
        }
        let clients = document
            .pointer("/identity_providers/oidc/clients")
            .and_then(Value::as_array);
        for object in clients.into_iter().flatten() {
            let id = match text(object, "/client_id") {
                "" => text(object, "/id"),
                id => id,
            };
            let here = settings.namespace.as_str();
            let name = names.take(here, id);
            let mut draft = Draft::new(format!("client {id}"), here, name, &settings.tenant);
            client(&mut draft, id, object);
            import.clients.push(draft.finish());
        }
    }
}

/// What `authelia storage user identifiers export` writes: the sub of each person.
fn identifiers(input: &Documents) -> BTreeMap<&str, &str> {
    let lists = input
        .documents
        .iter()
        .filter_map(|document| document.get("identifiers")?.as_array());
    let of_openid = lists
        .flatten()
        .filter(|entry| text(entry, "/service") == "openid");
    let unsectored = of_openid.filter(|entry| text(entry, "/sector_id").is_empty());
    unsectored
        .map(|entry| (text(entry, "/username"), text(entry, "/identifier")))
        .collect()
}

fn person(
    draft: &mut UserDraft,
    username: &str,
    object: &Value,
    identifiers: &BTreeMap<&str, &str>,
) {
    draft.username("(name)", username);
    draft.full_name("displayname", text(object, "/displayname"));
    let email = match text(object, "/email") {
        "" => text(object, "/email/0"),
        email => email,
    };
    draft.email("email", email, true);
    draft.groups("groups", strings(object, "/groups"));
    draft.disabled(
        "disabled",
        object.get("disabled") == Some(&Value::Bool(true)),
    );
    draft.hash("password", password::check(text(object, "/password")));
    match identifiers.get(username) {
        Some(identifier) => draft.subject("identifier", identifier),
        None => draft.lost(
            "identifier",
            "the sub of the person is in the database of Authelia",
            "add the file that `authelia storage user identifiers export` writes, with another -f",
        ),
    }
    for claim in [
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone_number",
    ] {
        let value = text(object, &format!("/{claim}"));
        if !value.is_empty() {
            draft.claim(claim, claim, value.into());
        }
    }
}

fn client(draft: &mut Draft, id: &str, object: &Value) {
    let flag = |field: &str| object.get(field).and_then(Value::as_bool);
    draft.client_id("client_id", id);
    draft.public("public", flag("public") == Some(true));
    let grants: Vec<&str> = strings(object, "/grant_types").collect();
    if grants.is_empty() {
        draft.grant("authorization_code");
    }
    draft.grants("grant_types", grants);
    draft.display_name("client_name", text(object, "/client_name"));
    draft.uris(
        "redirect_uris",
        "redirectUris",
        strings(object, "/redirect_uris"),
    );
    draft.pkce("require_pkce", flag("require_pkce") == Some(true));
    draft.scopes("scopes", scopes(object));
    if matches!(text(object, "/consent_mode"), "implicit") {
        draft.first_party("consent_mode");
    }
    if !draft.is_public() {
        draft.lost(
            "client_secret",
            "only its hash is there; a new secret is derived",
            "give the application the new one: kubectl clientele secret NAME",
        );
    }
    leftovers(draft, object);
}

/// Those of the client, or those that Authelia gives to a client without any.
fn scopes(object: &Value) -> Vec<&str> {
    let scopes: Vec<&str> = strings(object, "/scopes").collect();
    if scopes.is_empty() {
        return vec!["openid", "groups", "profile", "email"];
    }
    let mut scopes = scopes;
    scopes.retain(|scope| !scope.starts_with("authelia."));
    scopes
}

/// What a client here does not have.
fn leftovers(draft: &mut Draft, object: &Value) {
    for (field, why, todo) in [
        (
            "authorization_policy",
            "there is no second factor yet, and no policy",
            "limit who may sign in by spec.allowedGroups",
        ),
        (
            "lifespan",
            "is a name of the configuration",
            "set spec.lifetimes",
        ),
        (
            "jwks",
            "keys are not taken over",
            "write them into spec.jwks",
        ),
        (
            "claims_policy",
            "clients have no policy of claims",
            "use scopes of the tenant",
        ),
        (
            "sector_identifier_uri",
            "a person has one sub for all applications",
            "tell the application the new sub",
        ),
    ] {
        if object.get(field).is_some() {
            draft.lost(field, why, todo);
        }
    }
}
