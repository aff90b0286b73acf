//! Status is output: only the operator writes it.

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::cluster::shared;
use crate::support::person::{person, sentence};
use crate::support::test_namespace::{TestNamespace, eventually};

/// The status that an attacker would like.
fn forged() -> Value {
    let condition = json!({
        "type": "Ready", "status": "True", "reason": "Registered", "message": "forged",
        "lastTransitionTime": "2020-01-01T00:00:00Z", "observedGeneration": 1,
    });
    json!({ "clientId": "admin", "secretName": "victim-oauth", "secretUid": "1", "conditions": [condition] })
}

/// A connection of a user whom the chart's role lets edit clients in this namespace.
async fn editor(space: &TestNamespace) -> kube::Client {
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": { "name": "editor" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "clientele-edit" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ann" }],
    }))
    .unwrap();
    let bindings: Api<RoleBinding> = Api::namespaced(space.kube.clone(), &space.name);
    bindings
        .create(&PostParams::default(), &binding)
        .await
        .unwrap();
    let ann = person(&shared().cluster, "ann", &["system:authenticated"]).await;
    let clients: Api<OAuthClient> = Api::namespaced(ann.clone(), &space.name);
    eventually("the role is in force", || async {
        clients
            .list(&kube::api::ListParams::default())
            .await
            .map_err(|error| error.to_string())
    })
    .await;
    ann
}

async fn administrator() -> kube::Client {
    person(
        &shared().cluster,
        "root",
        &["system:masters", "system:authenticated"],
    )
    .await
}

#[tokio::test]
async fn k15_f63_f64_only_the_operator_writes_the_status_of_a_client() {
    let space = TestNamespace::new("status").await;
    space.ready("hello", json!({})).await;
    let before = space.clients().get("hello").await.unwrap();
    let ann = editor(&space).await;
    let table = [
        (
            "editor",
            ann,
            r#"oauthclients.clientele.dev "hello" is forbidden: User "ann" cannot patch resource "oauthclients/status""#,
        ),
        (
            "cluster-admin",
            administrator().await,
            "only the operator (system:serviceaccount:clientele-system:clientele) writes the status of oauthclients, and you are root. Change the spec; the status follows.",
        ),
    ];
    for (who, kube, expected) in table {
        let api: Api<OAuthClient> = Api::namespaced(kube, &space.name);
        let patch = json!({ "status": forged() });
        let params = PatchParams::default();
        let answer = sentence(
            api.patch_status("hello", &params, &Patch::Merge(&patch))
                .await,
        );
        let answer = answer.expect_err(who);
        assert!(answer.contains(expected), "{who}: {answer}");
    }
    let now = space.clients().get("hello").await.unwrap();
    assert_eq!(
        (now.status, now.metadata.resource_version),
        (before.status, before.metadata.resource_version)
    );
}

#[tokio::test]
async fn k15_nobody_but_the_operator_writes_the_status_of_a_tenant() {
    let space = TestNamespace::new("status").await;
    let tenant = space.tenant(json!({})).await;
    let api: Api<OAuthTenant> = Api::all(administrator().await);
    let patch = json!({ "status": { "issuer": "https://evil.example" } });
    let params = PatchParams::default();
    let answer = sentence(
        api.patch_status(&tenant, &params, &Patch::Merge(&patch))
            .await,
    );
    let answer = answer.unwrap_err();
    assert!(
        answer.contains("writes the status of oauthtenants, and you are root"),
        "{answer}"
    );
}

#[tokio::test]
async fn f64_a_status_in_the_manifest_is_no_status() {
    let space = TestNamespace::new("status").await;
    let api: Api<OAuthClient> = Api::namespaced(editor(&space).await, &space.name);
    let mut object: OAuthClient = serde_json::from_value(json!({
        "apiVersion": "clientele.dev/v1alpha1",
        "kind": "OAuthClient",
        "metadata": { "name": "hello" },
        "spec": { "firstParty": true },
        "status": forged(),
    }))
    .unwrap();
    let stored = api.create(&PostParams::default(), &object).await.unwrap();
    let status = stored.status.unwrap();
    assert_eq!(
        (status.client_id, &*status.conditions[0].status),
        (None, "Unknown")
    );
    space
        .refused("hello", "FirstPartyNotAllowed", "remove firstParty")
        .await;

    // Nor by an edit of the whole object.
    object.metadata = api.get("hello").await.unwrap().metadata;
    api.replace("hello", &PostParams::default(), &object)
        .await
        .unwrap();
    let now = api.get("hello").await.unwrap().status.unwrap();
    assert_eq!(now.client_id, None);
    let forged = now.conditions.iter().find(|c| &*c.message == "forged");
    assert_eq!(forged, None);
}

#[tokio::test]
async fn an_editor_of_clients_needs_no_other_right() {
    let space = TestNamespace::new("status").await;
    let api: Api<OAuthClient> = Api::namespaced(editor(&space).await, &space.name);
    let object = serde_json::from_value(json!({
        "apiVersion": "clientele.dev/v1alpha1",
        "kind": "OAuthClient",
        "metadata": { "name": "hello" },
        "spec": {},
    }));
    api.create(&PostParams::default(), &object.unwrap())
        .await
        .unwrap();
    space.accepted("hello").await;
    let secrets: Api<k8s_openapi::api::core::v1::Secret> =
        Api::namespaced(api.into_client(), &space.name);
    let answer = sentence(secrets.get("hello-oauth").await).unwrap_err();
    assert!(
        answer.contains(r#"User "ann" cannot get resource "secrets""#),
        "{answer}"
    );
}

#[tokio::test]
async fn k15_nobody_but_the_operator_writes_the_status_of_a_person() {
    let space = TestNamespace::new("status").await;
    let tenant = space.tenant_with_people(json!({})).await;
    let spec = json!({ "tenant": tenant, "username": "anna", "disabled": true });
    space.create_user("anna", spec).await;
    space.not_enrolled("anna", "Disabled").await;
    let api: Api<OAuthUser> = Api::namespaced(administrator().await, &space.name);
    let status = json!({ "sessionsValidFrom": "2100-01-01T00:00:00Z" });
    let patch = Patch::Merge(json!({ "status": status }));
    let params = PatchParams::default();
    let answer = api.patch_status("anna", &params, &patch);
    let answer = sentence(answer.await).unwrap_err();
    assert!(
        answer.contains("writes the status of oauthusers, and you are root"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_editor_of_clients_decides_nothing_about_people() {
    let space = TestNamespace::new("status").await;
    let api: Api<OAuthUser> = Api::namespaced(editor(&space).await, &space.name);
    let user = OAuthUser::new(
        "anna",
        serde_json::from_value(json!({ "username": "anna" })).unwrap(),
    );
    let answer = sentence(api.create(&PostParams::default(), &user).await).unwrap_err();
    assert!(
        answer.contains(r#"User "ann" cannot create resource "oauthusers""#),
        "{answer}"
    );
}
