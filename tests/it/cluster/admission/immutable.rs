//! What cannot be changed: not by another value, not by removing it, not by adding it.

use serde_json::{Value, json};

use super::{blames, causes};
use crate::support::test_namespace::TestNamespace;

const TENANT: &str =
    "tenant cannot be changed; delete the OAuthClient and create it again in the other tenant";
const CLIENT_ID: &str =
    "clientId cannot be changed; delete the OAuthClient and create it again with the other ID";
const SECRET_TYPE: &str = "the type of the Secret, which follows from secret.format unless secret.type names it, cannot be changed, as in Kubernetes; give the Secret another name in a new OAuthClient";

/// A name, the spec that is stored, the patch, the field that is blamed and how.
type Edit<'a> = (&'a str, Value, Value, &'a str, &'a str);

async fn refuses_edits(edits: &[Edit<'_>]) {
    let space = TestNamespace::new("immutable").await;
    for (name, spec, patch, field, sentence) in edits {
        space.create(name, spec.clone()).await;
        let before = space.clients().get(name).await.unwrap().spec;
        let answer = space.try_patch(name, json!({ "spec": patch })).await;
        let answer = answer.expect_err(&format!("{name} was accepted"));
        let causes = causes(&answer, "OAuthClient", name);
        assert!(
            causes.iter().any(|cause| blames(cause, field, sentence)),
            "{name}: {answer}"
        );
        assert_eq!(space.clients().get(name).await.unwrap().spec, before);
    }
}

#[tokio::test]
async fn k07_the_tenant_cannot_be_changed() {
    refuses_edits(&[
        (
            "set",
            json!({}),
            json!({ "tenant": "other" }),
            "spec.tenant",
            TENANT,
        ),
        (
            "change",
            json!({ "tenant": "a" }),
            json!({ "tenant": "b" }),
            "spec.tenant",
            TENANT,
        ),
        // Removed, the default comes back, which is another tenant.
        (
            "remove",
            json!({ "tenant": "a" }),
            json!({ "tenant": null }),
            "spec.tenant",
            TENANT,
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_client_id_cannot_be_changed() {
    let imported = json!({ "clientId": "legacy" });
    refuses_edits(&[
        (
            "change",
            imported.clone(),
            json!({ "clientId": "other" }),
            "spec",
            CLIENT_ID,
        ),
        (
            "remove",
            imported,
            json!({ "clientId": null }),
            "spec",
            CLIENT_ID,
        ),
        (
            "add",
            json!({}),
            json!({ "clientId": "legacy" }),
            "spec",
            CLIENT_ID,
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_type_of_the_secret_cannot_be_changed() {
    let bound = json!({ "secret": { "type": "servicebinding.io/oauth2" } });
    let opaque = json!({ "secret": { "type": "Opaque" } });
    refuses_edits(&[
        ("change", bound.clone(), opaque, "spec", SECRET_TYPE),
        (
            "remove",
            bound.clone(),
            json!({ "secret": { "type": null } }),
            "spec",
            SECRET_TYPE,
        ),
        (
            "remove-all",
            bound.clone(),
            json!({ "secret": null }),
            "spec",
            SECRET_TYPE,
        ),
        ("add", json!({}), bound.clone(), "spec", SECRET_TYPE),
        (
            "add-below",
            json!({ "secret": { "name": "x" } }),
            bound,
            "spec",
            SECRET_TYPE,
        ),
    ])
    .await;
}

#[tokio::test]
async fn saying_the_default_aloud_is_no_change() {
    let space = TestNamespace::new("immutable").await;
    space.create("quiet", json!({})).await;
    for patch in [
        json!({ "tenant": "default", "secret": { "type": "Opaque" } }),
        json!({ "tenant": null, "secret": null }),
    ] {
        space
            .try_patch("quiet", json!({ "spec": patch }))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn the_type_of_a_client_may_be_changed_in_both_directions() {
    let space = TestNamespace::new("immutable").await;
    let uri = "https://app.example.com/cb";
    let spec = json!({
        "redirectUris": [uri],
        "grantTypes": ["authorization_code", "client_credentials"],
    });
    space.ready("both", spec).await;
    let before = space.entries("both-oauth").await;
    assert_eq!(space.token("both-oauth").await.0, 200);

    let public = json!({ "type": "Public", "grantTypes": ["authorization_code"] });
    space.patch("both", json!({ "spec": public })).await;
    space.wait_ready("both").await;
    let now = space.entries("both-oauth").await;
    assert!(!now.contains_key("CLIENT_SECRET"));
    assert_eq!(now["CLIENT_ID"], before["CLIENT_ID"]);
    let (id, secret) = (&before["CLIENT_ID"], &before["CLIENT_SECRET"]);
    let (code, body) = space.token_from(&space.issuer, id, secret, &[]).await;
    assert_eq!((code, &body["error"]), (401, &json!("invalid_client")));

    let confidential = json!({
        "type": "Confidential",
        "grantTypes": ["authorization_code", "client_credentials"],
    });
    space.patch("both", json!({ "spec": confidential })).await;
    space.wait_ready("both").await;
    assert_eq!(space.token("both-oauth").await.0, 200);
}
