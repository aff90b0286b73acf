//! People who come from another server sign in with the password that they had there.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use clientele_kubectl::args::Source;
use clientele_kubectl::import::documents::Documents;
use clientele_kubectl::import::{Settings, read};
use clientele_oauth::user::{PasswordHash, password};
use serde_json::{Value, json};

use crate::support::ask::ask;
use crate::support::browser::Browser;
use crate::support::people::{index, person};
use crate::support::test_server::TestServer;

const OLD: &str = "old password";
/// The same password by PBKDF2 with SHA-256.
const PBKDF2: &str = "TtmSSavZylVuyTDpr7qQNz9Qae2DG3D8O6rwB7nOVVE=";

/// An argon2id hash with this salt, and its salt and output in the base64 of Keycloak.
fn argon2() -> (String, String, String) {
    let hash = password::hash(OLD, &[7; 16]).unwrap().0.to_string();
    let padded = |part: &str| STANDARD.encode(STANDARD_NO_PAD.decode(part).unwrap());
    let mut parts = hash.rsplit('$');
    let (output, salt) = (padded(parts.next().unwrap()), padded(parts.next().unwrap()));
    (hash, salt, output)
}

fn keycloak(salt: &str, value: &str, data: Value) -> Value {
    let secret = json!({ "value": value, "salt": salt, "additionalParameters": {} });
    json!({
        "realm": "shop", "enabled": true, "clients": [],
        "users": [{
            "id": "6f0f6f2c-3d3b-4c7e-9a55-0d9e1d2f3a41", "username": "ada", "enabled": true,
            "credentials": [{
                "type": "password", "secretData": secret.to_string(), "credentialData": data.to_string(),
            }],
        }],
    })
}

/// What each server exports of one person.
fn exports() -> Vec<(&'static str, Source, String)> {
    let (phc, salt, output) = argon2();
    let bcrypt = bcrypt::non_truncating_hash_with_salt(OLD, 8, [3; 16]).unwrap();
    let parameters = json!({ "hashLength": ["32"], "memory": ["19456"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"] });
    let argon2 =
        json!({ "hashIterations": 2, "algorithm": "argon2", "additionalParameters": parameters });
    let pbkdf2 = json!({ "hashIterations": 10_000, "algorithm": "pbkdf2-sha256" });
    let dex = json!({ "staticPasswords": [{
        "email": "ada@example.org", "hash": bcrypt.to_string(), "username": "ada", "userID": "08a8684b",
    }] });
    let authelia = json!({ "users": { "ada": { "displayname": "Ada", "email": "ada@example.org", "password": phc } } });
    let salt_of_pbkdf2 = "AAECAwQFBgcICQoLDA0ODw==";
    vec![
        (
            "Keycloak, argon2",
            Source::Keycloak,
            keycloak(&salt, &output, argon2).to_string(),
        ),
        (
            "Keycloak, PBKDF2",
            Source::Keycloak,
            keycloak(salt_of_pbkdf2, PBKDF2, pbkdf2).to_string(),
        ),
        ("Dex, bcrypt", Source::Dex, dex.to_string()),
        ("Authelia, argon2id", Source::Authelia, authelia.to_string()),
    ]
}

#[tokio::test]
async fn imported_people_sign_in_with_their_old_passwords() {
    let world = TestServer::at_rest().await;
    let settings = Settings {
        namespace: "people".to_owned(),
        tenant: "default".to_owned(),
        client_id_key: None,
        client_secret_key: None,
    };
    for (server, source, export) in exports() {
        let mut documents = Documents::default();
        documents.add("export", &export).unwrap();
        let import = read(source, &documents, &settings).unwrap();
        let [user] = &import.users[..] else {
            panic!("{server}: {import:?}")
        };
        let username = user.spec.as_ref().unwrap()["username"].as_str().unwrap();
        let mut imported = person(username);
        imported.password = Some(PasswordHash(user.hash.clone().unwrap().into()));
        world.change(|tenant| tenant.users = index(vec![imported]));
        for (typed, expected) in [("another password", "/login"), (OLD, "/consent")] {
            let mut browser = Browser::new(&world);
            let page = browser.open(&ask("team-a.app").url()).await;
            let fields = [("username", username), ("password", typed)];
            let page = browser.submit(&page, &fields).await;
            assert_eq!(page.path(), expected, "{server}: {typed}");
        }
    }
}
