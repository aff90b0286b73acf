//! Secrets hold bytes, and a user who may write them writes any.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::load::{Entries, ask};
use crate::support::test_namespace::{TestNamespace, http, message};
use crate::support::users::{PASSWORD, user_message};

const BROUGHT: &str = "clientele.dev/client-secret";
const VALUE: &str = "one-0123456789abcdef0123456789abcdef";

/// Values, and why each is neither a client secret nor a password.
fn values() -> [(Vec<u8>, &'static str, &'static str); 5] {
    [
        (
            vec![0xff, 0xfe, 0xc3, 0x28],
            "is not text",
            "not text in UTF-8",
        ),
        (vec![b'x'; 900_000], "longer than 256", "longer than 1024"),
        (
            b"$argon2id$v=\0$\xe2\x80\xae".to_vec(),
            "printable ASCII",
            "cannot be read",
        ),
        (
            b"$2b$99$\xf0\x9f\x98\x80".to_vec(),
            "printable ASCII",
            "cannot be read",
        ),
        (b"\n".to_vec(), "missing or empty", "is empty"),
    ]
}

async fn patch(space: &TestNamespace, name: &str, patch: Value) -> Secret {
    let (secrets, params) = (space.secrets(), PatchParams::default());
    let patched = secrets.patch(name, &params, &Patch::Merge(patch)).await;
    patched.unwrap()
}

async fn put(space: &TestNamespace, name: &str, entry: &str, value: &[u8]) {
    let data = json!({ "data": { entry: STANDARD.encode(value) } });
    patch(space, name, data).await;
}

async fn works(space: &TestNamespace, entries: &Entries) {
    ask(&http(), entries).await.unwrap();
    let name = format!(
        "after-{}",
        space
            .clients()
            .list(&kube::api::ListParams::default())
            .await
            .unwrap()
            .items
            .len()
    );
    space.ready(&name, json!({})).await;
    assert_eq!(space.token(&format!("{name}-oauth")).await.0, 200);
}

#[tokio::test]
async fn f91_k13_any_content_of_a_credentials_secret_is_repaired() {
    let space = TestNamespace::new("bytes").await;
    space.ready("web", json!({})).await;
    let entries = space.entries("web-oauth").await;
    let before = space.secrets().get("web-oauth").await.unwrap();
    let is_right = |secret: &Secret| {
        let proof = "clientele.dev/proof";
        secret.data == before.data
            && secret.annotations().get(proof) == before.annotations().get(proof)
    };
    for (value, ..) in values() {
        put(&space, "web-oauth", "CLIENT_SECRET", &value).await;
        space
            .wait_secret("web-oauth", "the value is back", is_right)
            .await;
    }
    for odd in ["\u{202e}.\u{0}é", ".", "", &"x".repeat(100_000)] {
        let odd = json!({ "metadata": { "annotations": { "clientele.dev/proof": odd, "example.com/odd": odd } } });
        patch(&space, "web-oauth", odd).await;
        space
            .wait_secret("web-oauth", "the proof is back", is_right)
            .await;
    }
    let unreadable = json!({ "metadata": { "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": format!("{{\u{0}\u{202e}{}", "[".repeat(200_000)),
    } } });
    space.patch("web", unreadable).await;
    space
        .patch(
            "web",
            json!({ "spec": { "secret": { "labels": { "reloader.stakater.com/a": "b" } } } }),
        )
        .await;
    space.wait_ready("web").await;
    works(&space, &entries).await;
}

#[tokio::test]
async fn f91_k13_no_external_secret_stops_other_clients() {
    let space = TestNamespace::new("bytes").await;
    for name in ["good", "odd"] {
        space
            .write_secret(name, BROUGHT, &[("client-secret", VALUE)])
            .await;
        space
            .ready(name, json!({ "secretRef": { "name": name } }))
            .await;
    }
    let mut good = space.entries("good-oauth").await;
    good.insert("CLIENT_SECRET".into(), VALUE.into());
    for (value, problem, _) in values() {
        put(&space, "odd", "client-secret", &value).await;
        let says = |object: &clientele_api::OAuthClient| message(object).contains(problem);
        space.wait_client("odd", problem, says).await;
        works(&space, &good).await;
    }
    put(&space, "odd", "client-secret", VALUE.as_bytes()).await;
    space.wait_ready("odd").await;
}

#[tokio::test]
async fn f91_k13_whatever_is_brought_as_a_password_stops_nobody_else() {
    let space = TestNamespace::new("bytes").await;
    let tenant = space.tenant_with_people(json!({})).await;
    space.person(&tenant, "odd", "correct horse").await;
    for (number, (value, _, problem)) in values().into_iter().enumerate() {
        put(&space, "odd", "password", &value).await;
        space
            .wait_user("odd", problem, |user| user_message(user).contains(problem))
            .await;
        space
            .person(&tenant, &format!("after-{number}"), "correct horse")
            .await;
    }
    space
        .write_secret("odd", PASSWORD, &[("password", "correct horse")])
        .await;
    space.enrolled("odd").await;
}
