//! Hashes of other programs → the forms that the server verifies: argon2id and PBKDF2 in the PHC string format, bcrypt.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use clientele_oauth::user::password::secret_value;
use serde_json::Value;

use crate::objects::text;

/// A hash that can be brought, or why it cannot; the error completes "the hash …".
pub type Hash = Result<String, &'static str>;

/// A credential of Keycloak: `secretData` and `credentialData` are JSON in texts.
pub fn keycloak(credential: &Value) -> Hash {
    let parsed = |name: &str| -> Value {
        let held = credential.get(name);
        let within = held
            .and_then(Value::as_str)
            .and_then(|text| serde_json::from_str(text).ok());
        within.or_else(|| held.cloned()).unwrap_or_default()
    };
    let (secret, data) = (parsed("secretData"), parsed("credentialData"));
    let decoded = |name: &str| {
        STANDARD
            .decode(text(&secret, &format!("/{name}")))
            .ok()
            .filter(|bytes| !bytes.is_empty())
    };
    let (Some(salt), Some(hash)) = (decoded("salt"), decoded("value")) else {
        return Err("has no salt or no value that could be read");
    };
    let iterations = data
        .pointer("/hashIterations")
        .and_then(Value::as_u64)
        .unwrap_or(0);
    match text(&data, "/algorithm") {
        "argon2" => argon2(&data, iterations, &salt, &hash),
        algorithm @ ("pbkdf2-sha256" | "pbkdf2-sha512") => {
            pbkdf2(algorithm, iterations, &salt, &hash)
        }
        _ => Err(UNKNOWN),
    }
}

fn argon2(data: &Value, iterations: u64, salt: &[u8], hash: &[u8]) -> Hash {
    // Each is a list of one.
    let parameter = |name: &str| match text(data, &format!("/additionalParameters/{name}/0")) {
        "" => text(data, &format!("/additionalParameters/{name}")),
        listed => listed,
    };
    let version = match parameter("version") {
        "1.3" => 19,
        "1.0" => 16,
        _ => return Err("is argon2 of an unknown version"),
    };
    let number = |name: &str| parameter(name).parse::<u64>().unwrap_or(0);
    check(&format!(
        "$argon2{}$v={version}$m={},t={iterations},p={}${}${}",
        parameter("type"),
        number("memory"),
        number("parallelism"),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    ))
}

fn pbkdf2(algorithm: &str, iterations: u64, salt: &[u8], hash: &[u8]) -> Hash {
    check(&format!(
        "${algorithm}$i={iterations},l={}${}${}",
        hash.len(),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    ))
}

const UNKNOWN: &str = "is of an algorithm that the server does not verify (argon2id, bcrypt, and PBKDF2 with SHA-256 or SHA-512 it does)";

/// A hash as a text, judged as the server judges it.
pub fn check(hash: &str) -> Hash {
    match secret_value::parse_hash(hash) {
        Some(Ok(_)) => Ok(hash.to_owned()),
        Some(Err(problem)) => Err(problem),
        None => Err(UNKNOWN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_hash_of_keycloak_is_a_phc_string() {
        let credential = json!({
            "type": "password",
            "secretData": r#"{"value":"AAECAwQFBgcICQoLDA0ODw==","salt":"AAECAwQFBgc=","additionalParameters":{}}"#,
            "credentialData": r#"{"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],"memory":["7168"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}"#,
        });
        assert_eq!(
            keycloak(&credential).unwrap(),
            "$argon2id$v=19$m=7168,t=5,p=1$AAECAwQFBgc$AAECAwQFBgcICQoLDA0ODw"
        );
        assert!(keycloak(&json!({})).is_err());
        let short = json!({
            "secretData": { "value": "AAECAw==", "salt": "AAECAwQFBgc=" },
            "credentialData": { "hashIterations": 27500, "algorithm": "pbkdf2-sha256" },
        });
        assert!(keycloak(&short).is_err());
        let pbkdf2 = json!({
            "secretData": { "value": "AAECAwQFBgcICQoLDA0ODw==", "salt": "AAECAwQFBgc=" },
            "credentialData": { "hashIterations": 27500, "algorithm": "pbkdf2-sha256" },
        });
        assert_eq!(
            keycloak(&pbkdf2).unwrap(),
            "$pbkdf2-sha256$i=27500,l=16$AAECAwQFBgc$AAECAwQFBgcICQoLDA0ODw"
        );
    }

    #[test]
    fn what_the_server_would_refuse_is_refused_here() {
        let bcrypt = "$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG";
        assert!(check(bcrypt).is_ok());
        for bad in [
            "plain",
            "$argon2i$v=19$m=1,t=1,p=1$a$b",
            "$argon2id$v=19$m=999999,t=1,p=1$a$b",
            "$argon2id$",
            "$2a$31$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG",
            "$2y$12$short",
            "$6$rounds=5000$a$b",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
