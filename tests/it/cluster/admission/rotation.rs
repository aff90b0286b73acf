//! `spec.rotation`: what is refused says what to write instead.

use serde_json::{Value, json};

use super::secretless::key;
use super::{accepts, refuses};

const QUIET: &str = "quietPeriod must be at most maxOverlap (168h unless you set it), because at maxOverlap the old secret stops in any case; shorten quietPeriod or lengthen maxOverlap";
const EVERY: &str = "every must be longer than maxOverlap (168h unless you set it), so that one rotation has ended before the next begins; lengthen every or shorten maxOverlap";
const DURATION: &str =
    "must be a duration in h, m and s, such as 10m or 1h30m; use h, m, s; 30 days is 720h";
const ID: &str = "must consist of letters, digits, '.', '_', ':', '/', '+' and '-', such as 2026-11-25 or INC-4711";

fn rotation(rotation: Value) -> Value {
    json!({ "rotation": rotation })
}

#[tokio::test]
async fn k05_rotations_that_cannot_be_are_refused() {
    refuses(&[
        (
            "quiet",
            rotation(json!({ "quietPeriod": "2h", "maxOverlap": "1h" })),
            "spec.rotation",
            QUIET,
        ),
        (
            "quiet-default",
            rotation(json!({ "quietPeriod": "169h" })),
            "spec.rotation",
            QUIET,
        ),
        (
            "every",
            rotation(json!({ "every": "2h", "maxOverlap": "2h" })),
            "spec.rotation",
            EVERY,
        ),
        (
            "every-default",
            rotation(json!({ "every": "168h" })),
            "spec.rotation",
            EVERY,
        ),
        (
            "every-short",
            rotation(json!({ "every": "59m", "maxOverlap": "1m" })),
            "spec.rotation.every",
            "must be at least 1h and at most 8760h",
        ),
        (
            "overlap-long",
            rotation(json!({ "maxOverlap": "8761h" })),
            "spec.rotation.maxOverlap",
            "must be at least 0s and at most 8760h",
        ),
        (
            "days",
            rotation(json!({ "maxOverlap": "7d" })),
            "spec.rotation.maxOverlap",
            DURATION,
        ),
        (
            "id",
            rotation(json!({ "requestId": "two words" })),
            "spec.rotation.requestId",
            ID,
        ),
        (
            "public",
            json!({ "type": "Public", "redirectUris": ["https://a.example/cb"], "rotation": {} }),
            "spec",
            "a Public client has no secret to rotate; remove rotation or make the client Confidential",
        ),
    ])
    .await;
    accepts(&[
        ("nothing", rotation(json!({}))),
        ("at-once", rotation(json!({ "maxOverlap": "0s" }))),
        (
            "at-once-quiet",
            rotation(json!({ "maxOverlap": "0s", "quietPeriod": "9h", "every": "1h" })),
        ),
        ("all", rotation(json!({ "every": "720h", "quietPeriod": "168h", "maxOverlap": "168h", "requestId": "INC-4711" }))),
    ])
    .await;
}

#[tokio::test]
async fn k05_a_rotation_that_could_do_nothing_says_what_to_do_instead() {
    let with = |spec: &Value, method: Option<&str>| {
        let mut spec = spec.clone();
        spec["tokenEndpointAuthMethod"] = json!(method);
        spec["rotation"] = json!({ "requestId": "2026-11-26" });
        spec
    };
    let brought = json!({ "secretRef": { "name": "mine" } });
    let keys = json!({ "jwks": { "keys": [key("ES256", |_| ())] } });
    let accounts = json!({ "serviceAccounts": [{ "name": "web" }] });
    refuses(&[
        ("brought", with(&brought, None), "spec", "a client secret provided by secretRef is rotated by its owner; remove rotation, and write the next value into that Secret, with the former one in the entry that secretRef.previousKey names for as long as both shall work"),
        ("keys", with(&keys, Some("private_key_jwt")), "spec", "with private_key_jwt there is no client secret to rotate; remove rotation, and to replace a key list the new one beside the old one in jwks until the client signs with it"),
        ("accounts", with(&accounts, Some("service_account")), "spec", "with service_account there is no client secret to rotate, and Kubernetes renews the tokens of ServiceAccounts by itself; remove rotation"),
    ])
    .await;
    accepts(&[
        ("beside-keys", with(&keys, None)),
        ("beside-accounts", with(&accounts, None)),
        ("post", with(&json!({}), Some("client_secret_post"))),
    ])
    .await;
}
