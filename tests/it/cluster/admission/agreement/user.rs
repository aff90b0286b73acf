//! OAuthUsers.

use std::time::Duration;

use clientele_api::{OAuthTenant, OAuthUser};
use clientele_oauth::Keyring;
use clientele_oauth::keys::root_keyring::{ROOT_KEY_LEN, RootKey};
use clientele_operator::domain::reason::Reason;
use clientele_operator::domain::tenant::policy::{Labels, TenantPolicy};
use clientele_operator::domain::user::validate::{UserInputs, validate_user};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Judgement, Kind, agree};

#[tokio::test]
async fn users_are_judged_alike_by_admission_and_program() {
    agree(Kind {
        plural: "oauthusers",
        kind: "OAuthUser",
        valid,
        fields,
        judge,
        program_only: &[],
    })
    .await;
}

fn judge(object: Value) -> Judgement {
    let object: OAuthUser = match serde_json::from_value(object) {
        Ok(object) => object,
        Err(error) => return Judgement::Refused(error.to_string()),
    };
    let tenant: OAuthTenant = serde_json::from_value(json!({
        "apiVersion": "clientele.dev/v1alpha1",
        "kind": "OAuthTenant",
        "metadata": { "name": "default" },
        "spec": { "users": { "namespaces": {} } },
    }))
    .unwrap();
    let tenant = TenantPolicy::new(
        &tenant,
        "https://login.example.com",
        Duration::from_mins(15),
    );
    let key = RootKey::new("aaaaaaaa", &[7; ROOT_KEY_LEN]).unwrap();
    let keyring = Keyring::new("aaaaaaaa", vec![key]).unwrap();
    let labels = Labels::new();
    let inputs = UserInputs {
        tenant: Some((&tenant, "uid-of-default")),
        namespace: &labels,
        username_holder: None,
        subject_holder: None,
        password: None,
        keyring: &keyring,
        valid_from: Timestamp::UNIX_EPOCH,
    };
    match validate_user(&object, inputs) {
        Err(refusal) if refusal.reason == Reason::InvalidSpec => {
            Judgement::Refused(refusal.message)
        }
        _ => Judgement::Accepted,
    }
}

fn valid() -> Vec<Value> {
    vec![
        json!({ "username": "ada" }),
        json!({ "username": "ada", "email": "ada@example.com", "emailVerified": true, "name": "Ada", "groups": ["staff"] }),
        json!({ "username": "ada@example.com", "claims": { "given_name": "Ada" }, "subject": "legacy-1" }),
    ]
}

/// Without a reserved claim of the value null: the API server removes it before it stores the object.
fn fields() -> Vec<(&'static str, Vec<Value>)> {
    let texts = |texts: &[&str]| -> Vec<Value> { texts.iter().map(|text| json!(text)).collect() };
    vec![
        (
            "username",
            texts(&[
                "",
                "a",
                "Ada",
                "a b",
                ".a",
                "a.",
                "a+b@c",
                "ü",
                &"x".repeat(128),
                &"x".repeat(129),
            ]),
        ),
        (
            "email",
            texts(&[
                "",
                "a@b",
                "a",
                "@b",
                "a@",
                "a@b@c",
                "a b@c",
                "a@b\u{200b}",
                "ü@example.com",
                "a\n@b",
            ]),
        ),
        (
            "name",
            texts(&[
                "",
                "Ada",
                "a\u{202e}b",
                "a\nb",
                &"x".repeat(200),
                &"x".repeat(201),
            ]),
        ),
        (
            "groups",
            vec![
                json!([]),
                json!(["a", "a"]),
                json!(["system:masters"]),
                json!([""]),
                json!(["a b"]),
                json!([&"x".repeat(129)]),
            ],
        ),
        (
            "claims",
            vec![
                json!({}),
                json!({ "iss": "x" }),
                json!({ "email": "x" }),
                json!({ "locale": "de" }),
                json!({ "x": { "y": [1, 2, null] } }),
                json!({ "": 1 }),
                json!({ "nonce": "x" }),
                json!({ "at_hash": "x" }),
            ],
        ),
        (
            "subject",
            texts(&[
                "",
                "a",
                "a b",
                "ü",
                "a.b",
                "A.b",
                "usr:x",
                "system:x",
                "USR:x",
                "auth0|1",
                &"x".repeat(255),
                &"x".repeat(256),
            ]),
        ),
        (
            "passwordSecretRef",
            vec![
                json!({ "name": "ada" }),
                json!({ "name": "" }),
                json!({ "name": "Ada" }),
                json!({ "name": "ada", "key": "a/b" }),
                json!({}),
            ],
        ),
        ("disabled", vec![json!(true), json!("no")]),
    ]
}
