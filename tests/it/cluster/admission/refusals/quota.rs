//! What the cluster does not let the operator write.

use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::core::v1::{ResourceQuota, Secret};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::support::test_namespace::{TestNamespace, eventually};

#[tokio::test]
async fn f08_f48_a_used_up_quota_is_said_and_a_raised_one_is_noticed() {
    let space = TestNamespace::new("quota").await;
    let quotas: Api<ResourceQuota> = Api::namespaced(space.kube.clone(), &space.name);
    let none = json!({ "metadata": { "name": "few" }, "spec": { "hard": { "secrets": "0" } } });
    let none = serde_json::from_value(none).unwrap();
    quotas.create(&PostParams::default(), &none).await.unwrap();
    in_force(&space).await;
    space.create("hello", json!({})).await;
    space
        .refused(
            "hello",
            "QuotaExceeded",
            "raise the quota, or delete objects that are not needed",
        )
        .await;
    let more = json!({ "spec": { "hard": { "secrets": "1" } } });
    let params = PatchParams::default();
    quotas
        .patch("few", &params, &Patch::Merge(more))
        .await
        .unwrap();
    space.accepted("hello").await;
    assert_eq!(space.token("hello-oauth").await.0, 200);
}

#[tokio::test]
async fn f08_a_platform_policy_that_refuses_the_secret_is_quoted() {
    let space = TestNamespace::new("forbidden").await;
    forbid_secrets(&space).await;
    space.create("hello", json!({})).await;
    space
        .refused(
            "hello",
            "SecretRefused",
            "denied request: no Secrets without an owner label here",
        )
        .await;
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(space.kube.clone());
    bindings
        .delete(&space.name, &DeleteParams::default())
        .await
        .unwrap();
    space.accepted("hello").await;
}

/// A policy of the platform team for this namespace, in force.
async fn forbid_secrets(space: &TestNamespace) {
    let name = &space.name;
    let policy: ValidatingAdmissionPolicy = serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": {
            "matchConstraints": {
                "namespaceSelector": space.selector(),
                "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["*"], "resources": ["secrets"], "operations": ["CREATE"],
                }],
            },
            "validations": [{
                "expression": "has(object.metadata.labels) && 'owner' in object.metadata.labels",
                "message": "no Secrets without an owner label here",
                "reason": "Forbidden",
            }],
        },
    }))
    .unwrap();
    let binding: ValidatingAdmissionPolicyBinding = serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"] },
    }))
    .unwrap();
    let params = PostParams::default();
    Api::all(space.kube.clone())
        .create(&params, &policy)
        .await
        .unwrap();
    Api::all(space.kube.clone())
        .create(&params, &binding)
        .await
        .unwrap();
    in_force(space).await;
}

/// Waits until the API server refuses a Secret in this namespace.
async fn in_force(space: &TestNamespace) {
    let probe: Secret = serde_json::from_value(json!({ "metadata": { "name": "probe" } })).unwrap();
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    eventually("a Secret is refused", || async {
        match space.secrets().create(&dry, &probe).await {
            Err(_) => Ok(()),
            Ok(_) => Err("a Secret is accepted".to_owned()),
        }
    })
    .await;
}
