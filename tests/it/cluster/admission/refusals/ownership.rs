//! A Secret of another owner is never read as input and never touched.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::support::cluster::shared;
use crate::support::operator::OPERATOR_USER;
use crate::support::test_namespace::TestNamespace;

impl TestNamespace {
    /// Creates a Secret as its owner would.
    async fn secret(&self, name: &str, more: Value) -> Secret {
        let mut object =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name } });
        merge(&mut object, more);
        let object = serde_json::from_value(object).unwrap();
        let params = PostParams::default();
        self.secrets().create(&params, &object).await.unwrap()
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Secrets of others under the name that an OAuthClient wants.
fn foreign() -> Vec<(&'static str, Value)> {
    let tls = json!({ "tls.crt": "", "tls.key": "" });
    let label = json!({
        "app.kubernetes.io/managed-by": "clientele",
        "clientele.dev/oauthclient": "labeled",
    });
    let proof = json!({ "clientele.dev/proof": "clientele-proof", "clientele.dev/ours": "A;;" });
    vec![
        ("opaque", json!({ "stringData": { "PASSWORD": "theirs" } })),
        ("empty", json!({})),
        (
            "tls",
            json!({ "type": "kubernetes.io/tls", "stringData": tls }),
        ),
        (
            "helm",
            json!({ "type": "helm.sh/release.v1", "metadata": { "labels": { "owner": "helm" } } }),
        ),
        // F46: cannot be changed by anybody.
        (
            "immutable",
            json!({ "immutable": true, "stringData": { "A": "1" } }),
        ),
        // F45: fixes the credential in advance.
        (
            "prepared",
            json!({ "stringData": { "CLIENT_ID": "mine", "CLIENT_SECRET": "x".repeat(64) } }),
        ),
        // F49: looks as if it were ours.
        (
            "labeled",
            json!({ "metadata": { "labels": label }, "stringData": { "A": "1" } }),
        ),
        (
            "forged",
            json!({ "metadata": { "labels": label, "annotations": proof }, "stringData": { "A": "1" } }),
        ),
    ]
}

#[tokio::test]
async fn f39_f45_f46_f49_a_foreign_secret_stays_until_it_is_deleted() {
    let space = TestNamespace::new("ownership").await;
    let mut before = Vec::new();
    for (name, more) in foreign() {
        before.push(space.secret(&format!("{name}-oauth"), more).await);
        space.create(name, json!({})).await;
    }
    for (name, _) in foreign() {
        let command = format!("`kubectl -n {} delete secret {name}-oauth`", space.name);
        space.refused(name, "SecretNotOwned", &command).await;
    }
    for (secret, (name, _)) in before.iter().zip(foreign()) {
        let now = space.secrets().get(&format!("{name}-oauth")).await.unwrap();
        assert_eq!(&now, secret, "{name}");
        let params = DeleteParams::default();
        space
            .secrets()
            .delete(&format!("{name}-oauth"), &params)
            .await
            .unwrap();
    }
    for (name, _) in foreign() {
        space.accepted(name).await;
        assert_eq!(space.token(&format!("{name}-oauth")).await.0, 200, "{name}");
    }
}

#[tokio::test]
async fn f36_an_owner_reference_makes_no_secret_ours() {
    let space = TestNamespace::new("ownership").await;
    // The tenant learns the UID from an object that is refused for another reason.
    let object = space.create("early", json!({ "tenant": space.name })).await;
    space.refused("early", "TenantNotFound", "").await;
    let owner = json!([{
        "apiVersion": "clientele.dev/v1alpha1",
        "kind": "OAuthClient",
        "name": "early",
        "uid": object.metadata.uid,
        "controller": true,
    }]);
    let label = json!({ "clientele.dev/oauthclient": "early", "app.kubernetes.io/managed-by": "clientele" });
    let more = json!({
        "metadata": { "ownerReferences": owner, "labels": label },
        "stringData": { "CLIENT_ID": "mine", "CLIENT_SECRET": "mine" },
    });
    let before = space.secret("early-oauth", more).await;
    space.tenant(json!({})).await;
    space
        .refused("early", "SecretNotOwned", "it was not touched")
        .await;
    assert_eq!(space.secrets().get("early-oauth").await.unwrap(), before);
}

#[tokio::test]
async fn f40_two_clients_with_one_secret_name_do_not_fight() {
    let space = TestNamespace::new("ownership").await;
    let spec = json!({ "secret": { "name": "shared" } });
    space.ready("first", spec.clone()).await;
    let before = space.secrets().get("shared").await.unwrap();
    space.create("second", spec).await;
    let said = space
        .refused("second", "SecretNotOwned", "OAuthClient \"first\"")
        .await;
    assert!(!said.contains("delete"), "{said}");
    // Two more passes over each.
    for round in ["one", "two"] {
        for name in ["first", "second"] {
            space
                .patch(name, json!({ "spec": { "displayName": round } }))
                .await;
        }
        space.accepted("first").await;
        space.refused("second", "SecretNotOwned", "shared").await;
    }
    assert_eq!(space.secrets().get("shared").await.unwrap(), before);
    let path = format!("{}/shared", space.name);
    let writes = shared().cluster.writes_by(OPERATOR_USER).into_iter();
    // The audit log does not name what a create makes; the Secret's own creation is there by the namespace.
    let writes: Vec<_> = writes
        .filter(|(verb, resource, object)| {
            resource == "secrets" && *object == path && verb != "create"
        })
        .collect();
    assert_eq!(writes, []);

    space
        .patch("second", json!({ "spec": { "secret": { "name": "own" } } }))
        .await;
    space.accepted("second").await;
    assert_eq!(space.token("own").await.0, 200);
    assert_eq!(space.token("shared").await.0, 200);
}

#[tokio::test]
async fn f40_the_second_gets_the_name_when_the_first_is_gone() {
    let space = TestNamespace::new("ownership").await;
    let spec = json!({ "secret": { "name": "shared" } });
    space.ready("first", spec.clone()).await;
    let before = space.entries("shared").await;
    space.create("second", spec).await;
    space.refused("second", "SecretNotOwned", "shared").await;
    space.delete("first").await;
    space.accepted("second").await;
    let now = space.entries("shared").await;
    assert_eq!(now["CLIENT_ID"], format!("{}.second", space.name));
    assert_ne!(now["CLIENT_SECRET"], before["CLIENT_SECRET"]);
}
