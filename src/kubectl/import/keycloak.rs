//! Keycloak: realms as `kc.sh export` writes them, one file for each or a folder with the people apart.

use serde_json::Value;

use super::documents::Documents;
use super::keycloak_client::{Realm, client};
use super::keycloak_user::user;
use super::model::{Field, Import, Verdict};
use super::names::Names;
use super::settings::Settings;
use crate::objects::text;

/// Clients that Keycloak makes for itself in every realm.
const BUILT_IN: [&str; 6] = [
    "account",
    "account-console",
    "admin-cli",
    "broker",
    "realm-management",
    "security-admin-console",
];

/// Reads the realms.
pub fn read(input: &Documents, settings: &Settings, import: &mut Import) {
    let (mut names, mut people) = (Names::default(), Names::default());
    for document in &input.documents {
        realm(document, settings, (&mut names, &mut people), import);
    }
}

/// Reads a realm.
pub fn realm(
    document: &Value,
    settings: &Settings,
    (names, people): (&mut Names, &mut Names),
    import: &mut Import,
) {
    let name = text(document, "/realm");
    if name.is_empty() {
        return;
    }
    let masked = clients(document, name, settings, names, import);
    users(document, name, settings, people, import);
    if masked {
        import.notes.push(Field {
            field: format!("realm {name}"),
            verdict: Verdict::Lost,
            to: None,
            why: "this export was made in the admin console, which writes ********** in place of every secret".to_owned(),
            todo: format!("export with kc.sh export --realm {name} --users realm_file --file {name}.json, and import again"),
        });
    }
    notes(document, name, import);
}

/// The objects of a list of the realm.
fn list<'a>(document: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let list = document.get(field).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// The clients; whether a secret of one is masked.
fn clients(
    document: &Value,
    realm: &str,
    settings: &Settings,
    names: &mut Names,
    import: &mut Import,
) -> bool {
    let of_realm = Realm::of(document);
    let mut masked = false;
    for object in list(document, "clients") {
        let id = text(object, "/clientId");
        let origin = format!("client {id} of realm {realm}");
        if BUILT_IN.contains(&id) || (id.ends_with("-realm") && realm == "master") {
            let why = "Keycloak makes it for itself".to_owned();
            import.skipped.insert(origin, why);
            continue;
        }
        masked |= is_masked(text(object, "/secret"));
        let imported = client(object, origin, &of_realm, settings, names);
        import.clients.push(imported);
    }
    masked
}

fn users(
    document: &Value,
    realm: &str,
    settings: &Settings,
    people: &mut Names,
    import: &mut Import,
) {
    for object in list(document, "users") {
        let username = text(object, "/username");
        let origin = format!("user {username} of realm {realm}");
        if !text(object, "/serviceAccountClientId").is_empty() {
            let why = "a client is its own account here".to_owned();
            import.skipped.insert(origin, why);
            continue;
        }
        let imported = user(object, origin, realm, settings, people);
        import.users.push(imported);
    }
}

/// Asterisks and nothing else.
fn is_masked(secret: &str) -> bool {
    !secret.is_empty() && secret.bytes().all(|b| b == b'*')
}

/// What is about the whole realm.
fn notes(document: &Value, name: &str, import: &mut Import) {
    let mut lost = |field: &str, why: &str, todo: &str| {
        import.notes.push(Field {
            field: format!("realm {name}: {field}"),
            verdict: Verdict::Lost,
            to: None,
            why: why.to_owned(),
            todo: todo.to_owned(),
        });
    };
    let has = |field: &str| {
        let held = document.get(field).and_then(Value::as_array);
        held.is_some_and(|held| !held.is_empty())
    };
    if has("identityProviders") {
        lost(
            "identityProviders",
            "people do not sign in through other providers yet",
            "give them passwords, or keep Keycloak for them",
        );
    }
    if has("components")
        || document
            .pointer("/components/org.keycloak.storage.UserStorageProvider")
            .is_some()
    {
        lost(
            "components",
            "people of LDAP and other directories are not in the export",
            "create OAuthUsers for them",
        );
    }
}
