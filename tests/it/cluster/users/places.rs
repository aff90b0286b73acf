//! In which namespaces people are honoured, and in which their passwords can be read.

use serde_json::json;

use crate::cluster::documented::obey;
use crate::cluster::install::namespaces::{ENABLED, Scoped, scoped};
use crate::support::test_namespace::TestNamespace;

#[tokio::test]
async fn a_person_counts_only_where_the_tenant_takes_people_from() {
    let space = TestNamespace::new("places").await;
    let spec = json!({ "username": space.name });
    space.create_user("anna", spec).await;
    let said = space.not_enrolled("anna", "NamespaceNotAllowed").await;
    obey(&space, &said).await;
    space.enrolled("anna").await;
}

#[tokio::test]
async fn a_missing_tenant_is_reported_and_order_does_not_matter() {
    let space = TestNamespace::new("places").await;
    let spec = json!({ "tenant": space.name, "username": "anna" });
    space.create_user("anna", spec).await;
    space.not_enrolled("anna", "TenantNotFound").await;
    space.tenant_with_people(json!({})).await;
    space.enrolled("anna").await;
}

#[tokio::test]
async fn with_some_namespaces_passwords_are_read_only_in_those() {
    let Scoped { cluster, operator } = scoped().await;
    let elsewhere = TestNamespace::within(cluster, &operator.issuer, "elsewhere").await;
    let enabled = TestNamespace {
        kube: cluster.kube().await,
        name: ENABLED.into(),
        issuer: operator.issuer.clone(),
    };
    for space in [&elsewhere, &enabled] {
        space.label_for_people().await;
        space.write_password("anna", "horse and cart").await;
        let spec = json!({ "username": space.name, "passwordSecretRef": { "name": "anna" } });
        space.create_user("anna", spec).await;
    }
    enabled.enrolled("anna").await;
    let said = elsewhere.not_enrolled("anna", "NamespaceNotEnabled").await;
    assert!(
        said.contains("create rolebinding clientele-secrets"),
        "{said}"
    );
    let none = json!({ "passwordSecretRef": null });
    elsewhere.patch_user("anna", none).await;
    elsewhere.enrolled("anna").await;
}
