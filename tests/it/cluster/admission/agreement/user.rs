//! OAuthUsers.

use serde_json::{Value, json};

use super::{Kind, agree};
use crate::support::judge;

#[tokio::test]
async fn users_are_judged_alike_by_admission_and_program() {
    agree(Kind {
        plural: "oauthusers",
        kind: "OAuthUser",
        namespaced: true,
        valid,
        fields,
        judge: judge::user,
        program_only: &[],
    })
    .await;
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
