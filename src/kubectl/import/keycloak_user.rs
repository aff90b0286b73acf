//! A person of Keycloak.

use serde_json::Value;

use super::maester::strings;
use super::model::{ImportedUser, Verdict};
use super::names::Names;
use super::password;
use super::settings::Settings;
use super::user_draft::UserDraft;
use crate::objects::text;

/// A person.
pub fn user(
    object: &Value,
    origin: String,
    realm: &str,
    settings: &Settings,
    names: &mut Names,
) -> ImportedUser {
    let username = text(object, "/username");
    let here = settings.namespace.as_str();
    let mut draft = UserDraft::new(origin, here, names.take(here, username), &settings.tenant);
    draft.username("username", username);
    match text(object, "/id") {
        "" => draft.lost(
            "id",
            "it is not in the export, so applications will know the person by another sub",
            "export with kc.sh export --users realm_file, which writes it",
        ),
        id => draft.subject("id", id),
    }
    let flag = |name: &str| object.get(name).and_then(Value::as_bool);
    draft.email(
        "email",
        text(object, "/email"),
        flag("emailVerified") == Some(true),
    );
    let (first, last) = (text(object, "/firstName"), text(object, "/lastName"));
    draft.full_name("firstName, lastName", &format!("{first} {last}"));
    draft.disabled("enabled", flag("enabled") == Some(false));
    draft.groups("groups", strings(object, "/groups"));
    for (field, claim, value) in [
        ("firstName", "given_name", first),
        ("lastName", "family_name", last),
    ] {
        if !value.is_empty() {
            draft.claim(field, claim, value.into());
        }
    }
    let attributes = object.get("attributes").and_then(Value::as_object);
    for (name, value) in attributes.into_iter().flatten() {
        // Every attribute is a list; one value is meant as one.
        let value = match value.as_array().map(Vec::as_slice) {
            Some([one]) => one.clone(),
            _ => value.clone(),
        };
        draft.claim(&format!("attributes.{name}"), name, value);
    }
    credentials(&mut draft, object);
    leftovers(&mut draft, object, realm);
    draft.finish()
}

fn credentials(draft: &mut UserDraft, object: &Value) {
    let credentials = object.get("credentials").and_then(Value::as_array);
    let mut found = false;
    for credential in credentials.into_iter().flatten() {
        match text(credential, "/type") {
            "password" if !found => {
                found = true;
                draft.hash("credentials: password", password::keycloak(credential));
                if credential.get("temporary") == Some(&Value::Bool(true)) {
                    let why = "people are not asked to change a password";
                    draft.lost(
                        "credentials: temporary",
                        why,
                        "ask the person to have it changed",
                    );
                }
            }
            "password" => {}
            other => {
                let why = "there is no second factor yet, and no passkey";
                draft.lost(
                    &format!("credentials: {other}"),
                    why,
                    "the person signs in with the password",
                );
            }
        }
    }
    if !found {
        let todo = "kubectl clientele user passwd NAME";
        draft.say(
            "credentials",
            Verdict::Changed,
            Some("spec.passwordSecretRef"),
            "the person has no password in the export and cannot sign in by one",
            todo,
        );
    }
}

fn leftovers(draft: &mut UserDraft, object: &Value, realm: &str) {
    let own_role = format!("default-roles-{}", realm.to_lowercase());
    let roles: Vec<&str> = strings(object, "/realmRoles")
        .filter(|role| *role != own_role && !["offline_access", "uma_authorization"].contains(role))
        .collect();
    if !roles.is_empty() {
        let why = format!("people have no roles: {}", roles.join(", "));
        draft.lost("realmRoles", &why, "use groups");
    }
    for (field, why, todo) in [
        (
            "clientRoles",
            "people have no roles of clients",
            "use groups",
        ),
        (
            "requiredActions",
            "people are not asked to do something when signing in",
            "do it for the person, or ask",
        ),
        (
            "federatedIdentities",
            "people do not sign in through other providers yet",
            "give the person a password",
        ),
    ] {
        let filled = match object.get(field) {
            Some(Value::Array(list)) => !list.is_empty(),
            Some(Value::Object(map)) => !map.is_empty(),
            _ => false,
        };
        if filled {
            draft.lost(field, why, todo);
        }
    }
    if !text(object, "/federationLink").is_empty() {
        let why = "the password is in the directory that the person comes from";
        draft.lost("federationLink", why, "kubectl clientele user passwd NAME");
    }
}
