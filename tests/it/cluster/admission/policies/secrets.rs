//! The operator may write Secrets everywhere, but only those of an OAuthClient.

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::{Value, json};

use crate::support::cluster::shared;
use crate::support::person::{operator, sentence};
use crate::support::test_namespace::{TestNamespace, content};

const CREATE: &str = "without the label app.kubernetes.io/managed-by: clientele and, outside its own namespace, the label clientele.dev/oauthclient or an OAuthClient as controller.";
const CHANGE: &str = "it is not a Secret of an OAuthClient, or would not be labeled as one afterwards. Rename or delete that Secret, or choose another spec.secret.name.";
const DELETE: &str =
    "it is not a Secret of an OAuthClient. Delete it yourself if it is not needed.";
const TYPE: &str = "is none of Opaque, servicebinding.io/oauth2 and nginx.org/oidc. Choose another spec.secret.type, such as Opaque, or another spec.secret.name.";
const KEYS: &str =
    "whose keys are not in secrets.allowedKeys of the chart. Remove the others from spec.secret.";
const NAME: &str = "names that begin with bootstrap-token- or sh.helm.release. are reserved.";

fn secret(name: &str, type_: &str, labels: &Value) -> Secret {
    // What the API server itself demands of one of the types.
    let annotations = match type_ {
        "kubernetes.io/service-account-token" => {
            json!({ "kubernetes.io/service-account.name": "default" })
        }
        _ => json!({}),
    };
    serde_json::from_value(json!({
        "metadata": { "name": name, "labels": labels, "annotations": annotations },
        "type": type_,
        // What the API server itself demands of another.
        "stringData": { ".dockerconfigjson": "{}" },
    }))
    .unwrap()
}

/// The labels of a Secret of ours; the client does not exist, so no other client writes it.
fn ours() -> Value {
    json!({ "app.kubernetes.io/managed-by": "clientele", "clientele.dev/oauthclient": "unknown" })
}

async fn as_operator(namespace: &str) -> Api<Secret> {
    Api::namespaced(operator(&shared().cluster).await, namespace)
}

#[tokio::test]
async fn f42_f43_the_operator_creates_only_secrets_of_its_own() {
    let space = TestNamespace::new("policies").await;
    let managed = json!({ "app.kubernetes.io/managed-by": "clientele" });
    let attributed = json!({ "clientele.dev/oauthclient": "unknown" });
    let others =
        json!({ "app.kubernetes.io/managed-by": "Helm", "clientele.dev/oauthclient": "x" });
    let table = [
        (secret("plain", "Opaque", &json!({})), CREATE),
        (secret("managed-only", "Opaque", &managed), CREATE),
        (secret("attributed-only", "Opaque", &attributed), CREATE),
        (secret("managed-by-others", "Opaque", &others), CREATE),
        (secret("clientele-root-key", "Opaque", &json!({})), CREATE),
        (
            secret("token", "kubernetes.io/service-account-token", &ours()),
            TYPE,
        ),
        (
            secret("pull", "kubernetes.io/dockerconfigjson", &ours()),
            TYPE,
        ),
        (
            secret("bootstrap", "bootstrap.kubernetes.io/token", &ours()),
            TYPE,
        ),
        (secret("helm", "helm.sh/release.v1", &ours()), TYPE),
        (secret("unlisted", "example.com/any", &ours()), TYPE),
        (secret("bootstrap-token-abcdef", "Opaque", &ours()), NAME),
        (secret("sh.helm.release.v1.x.v1", "Opaque", &ours()), NAME),
    ];
    let api = as_operator(&space.name).await;
    for (secret, expected) in &table {
        let name = secret.metadata.name.as_deref().unwrap();
        let answer = sentence(api.create(&PostParams::default(), secret).await);
        let answer = answer.expect_err(name);
        assert!(answer.contains(expected), "{name}: {answer}");
        assert!(space.secrets().get_opt(name).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn the_operator_can_write_a_secret_of_an_oauthclient() {
    let space = TestNamespace::new("policies").await;
    let api = as_operator(&space.name).await;
    let params = PostParams::default();
    let created = api
        .create(&params, &secret("good", "Opaque", &ours()))
        .await
        .unwrap();
    api.replace("good", &params, &created).await.unwrap();
    api.delete("good", &DeleteParams::default()).await.unwrap();
}

/// As if the operator had not judged a manifest that asks for these.
#[tokio::test]
async fn n03_the_operator_writes_only_keys_that_the_chart_allows() {
    let space = TestNamespace::new("policies").await;
    let api = as_operator(&space.name).await;
    let params = PostParams::default();
    let put = |secret: &mut Secret, field: &str, key: &str| {
        let metadata = &mut secret.metadata;
        let map = match field {
            "labels" => metadata.labels.get_or_insert_default(),
            _ => metadata.annotations.get_or_insert_default(),
        };
        map.insert(key.to_owned(), "x".to_owned());
    };
    let good = secret("good", "Opaque", &ours());
    let mut good = api.create(&params, &good).await.unwrap();
    for key in [
        "replicator.v1.mittwald.de/replicate-to",
        "grafana_datasource",
        "cluster.x-k8s.io/cluster-name",
        "evil.reloader.stakater.com/match",
        "app.kubernetes.io/name",
    ] {
        for field in ["labels", "annotations"] {
            let mut fresh = secret("fresh", "Opaque", &ours());
            put(&mut fresh, field, key);
            let answer = sentence(api.create(&params, &fresh).await).unwrap_err();
            assert!(
                answer.contains(KEYS.trim_end_matches('.')),
                "{key}: {answer}"
            );
            let mut edited = good.clone();
            put(&mut edited, field, key);
            let answer = sentence(api.replace("good", &params, &edited).await).unwrap_err();
            assert!(
                answer.contains(&format!("spec.secret.{field}")),
                "{key}: {answer}"
            );
        }
    }
    // What others put there stays; what is listed is written.
    put(&mut good, "annotations", "example.com/of-others");
    good = space
        .secrets()
        .replace("good", &params, &good)
        .await
        .unwrap();
    put(&mut good, "annotations", "reloader.stakater.com/match");
    put(&mut good, "labels", "app.kubernetes.io/part-of");
    let good = api.replace("good", &params, &good).await.unwrap();
    let annotations = good.metadata.annotations.unwrap();
    assert!(annotations.contains_key("example.com/of-others"));
}

#[tokio::test]
async fn the_operator_cannot_change_or_delete_secrets_of_others() {
    let space = TestNamespace::new("policies").await;
    let params = PostParams::default();
    let theirs = secret(
        "theirs",
        "Opaque",
        &json!({ "app.kubernetes.io/managed-by": "Helm" }),
    );
    let theirs = space.secrets().create(&params, &theirs).await.unwrap();
    let api = as_operator(&space.name).await;

    let mut edited = theirs.clone();
    edited.string_data = Some([("A".to_owned(), "mine".to_owned())].into());
    // Putting our labels on it makes it no more ours.
    let mut claimed = edited.clone();
    claimed.metadata.labels = serde_json::from_value(ours()).unwrap();
    for attempt in [&edited, &claimed] {
        let answer = sentence(api.replace("theirs", &params, attempt).await).unwrap_err();
        assert!(answer.contains(CHANGE), "{answer}");
    }
    let answer = api.delete("theirs", &DeleteParams::default()).await;
    let answer = sentence(answer.map(|_| ())).unwrap_err();
    assert!(answer.contains(DELETE), "{answer}");
    let answer = api
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await;
    let answer = sentence(answer.map(|_| ())).unwrap_err();
    assert!(
        answer.contains(r#"cannot deletecollection resource "secrets""#),
        "{answer}"
    );
    let now = space.secrets().get("theirs").await.unwrap();
    assert_eq!(now, theirs);
}

#[tokio::test]
async fn a_secret_of_ours_cannot_be_let_go_of_but_repaired() {
    let space = TestNamespace::new("policies").await;
    let params = PostParams::default();
    let api = as_operator(&space.name).await;
    let created = api
        .create(&params, &secret("good", "Opaque", &ours()))
        .await
        .unwrap();
    let mut unlabeled = created.clone();
    unlabeled.metadata.labels = None;
    let answer = sentence(api.replace("good", &params, &unlabeled).await).unwrap_err();
    assert!(answer.contains(CHANGE), "{answer}");

    // A tenant strips one of the two labels; the other is enough to put it back.
    let mut stripped = created.clone();
    let labels = stripped.metadata.labels.as_mut().unwrap();
    labels.remove("app.kubernetes.io/managed-by");
    let stripped = space
        .secrets()
        .replace("good", &params, &stripped)
        .await
        .unwrap();
    let mut repaired = created.clone();
    repaired.metadata.resource_version = stripped.metadata.resource_version;
    let repaired = api.replace("good", &params, &repaired).await.unwrap();
    assert_eq!(content(&repaired), content(&created));
}

#[tokio::test]
async fn in_its_namespace_the_operator_writes_only_its_own_names() {
    let space = TestNamespace::new("policies").await;
    let api = as_operator("clientele-system").await;
    let params = PostParams::default();
    let answer = api
        .create(&params, &secret("tls", "Opaque", &json!({})))
        .await;
    let answer = sentence(answer).unwrap_err();
    assert!(answer.contains(CREATE), "{answer}");
    let name = format!("clientele-{}", space.name);
    api.create(&params, &secret(&name, "Opaque", &json!({})))
        .await
        .unwrap();
    api.delete(&name, &DeleteParams::default()).await.unwrap();
}
