//! The rights of the operator are a list that a person can read; a new one is a change of a file under review.

use std::io::Write;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::cluster::install::namespaces::{ENABLED, scoped};
use crate::support::cluster::{Cluster, shared, tool};
use crate::support::machine;
use crate::support::operator::service_account_kubeconfig;
use crate::support::person;
use crate::support::test_namespace::TestNamespace;

/// What `kubectl auth can-i --list` says to the operator, without what every ServiceAccount may.
fn rights(cluster: &Cluster, namespace: &str) -> String {
    let mut kubeconfig = tempfile::NamedTempFile::new().unwrap();
    let text = service_account_kubeconfig(cluster);
    kubeconfig.write_all(text.as_bytes()).unwrap();
    let operator = ["--kubeconfig", kubeconfig.path().to_str().unwrap()];
    let anybody = [
        "--as=system:serviceaccount:default:anybody",
        "--as-group=system:serviceaccounts",
        "--as-group=system:authenticated",
    ];
    let everybody_may = list(cluster, namespace, &anybody);
    assert!(everybody_may.len() > 5, "{everybody_may:?}");
    let mut lines = list(cluster, namespace, &operator);
    lines.retain(|line| !everybody_may.contains(line));
    lines.sort();
    lines.join("\n")
}

/// The lines of the list; their order and that of the verbs in them means nothing.
fn list(cluster: &Cluster, namespace: &str, who: &[&str]) -> Vec<String> {
    let ask = ["auth", "can-i", "--list", "--namespace", namespace];
    let answer = cluster.kubectl(&[&ask[..], who].concat()).unwrap();
    let lines = answer.lines().skip(1).map(|line| {
        let (what, verbs) = line.trim_end_matches(']').rsplit_once('[').unwrap();
        let what: Vec<&str> = what.split_whitespace().collect();
        let mut verbs: Vec<&str> = verbs.split(' ').collect();
        verbs.sort_unstable();
        format!("{} [{}]", what.join(" "), verbs.join(" "))
    });
    lines.collect()
}

fn has_no_dangerous_right(rights: &str) {
    for right in [
        "*",
        "escalate",
        "bind",
        "impersonate",
        "pods",
        "serviceaccounts",
        "deletecollection",
    ] {
        assert!(!rights.contains(right), "{right}:\n{rights}");
    }
}

#[tokio::test]
async fn f67_the_rights_with_every_namespace() {
    let space = TestNamespace::new("rights").await;
    let cluster = &shared().cluster;
    let elsewhere = rights(cluster, &space.name);
    has_no_dangerous_right(&elsewhere);
    insta::assert_snapshot!("cluster_scope_in_a_namespace_of_a_tenant", elsewhere);
    let own = rights(cluster, "clientele-system");
    has_no_dangerous_right(&own);
    insta::assert_snapshot!("cluster_scope_in_its_own_namespace", own);
}

#[tokio::test]
async fn f67_the_rights_with_some_namespaces() {
    let cluster = &scoped().await.cluster;
    for (namespace, name) in [
        ("default", "namespaces_scope_in_a_namespace_of_a_tenant"),
        (ENABLED, "namespaces_scope_in_an_enabled_namespace"),
        ("clientele-system", "namespaces_scope_in_its_own_namespace"),
    ] {
        let rights = rights(cluster, namespace);
        has_no_dangerous_right(&rights);
        insta::assert_snapshot!(name, rights);
    }
}

#[tokio::test]
async fn f68_the_edit_role_writes_oauthclients_only_if_configured() {
    TestNamespace::new("rights").await;
    let cluster = &shared().cluster;
    for role in ["view", "edit", "admin"] {
        let rules = cluster
            .kubectl(&["get", "clusterrole", role, "--output", "yaml"])
            .unwrap();
        assert!(
            rules.contains("configmaps"),
            "the role is aggregated: {rules}"
        );
        assert!(!rules.contains("clientele"), "{role}: {rules}");
    }
}

#[test]
fn f68_each_opt_in_opens_one_role() {
    let helm = tool("helm");
    for (value, opened) in [
        ("rbac.aggregateToView", "view"),
        ("rbac.aggregateToEdit", "edit"),
        ("rbac.aggregateToAdmin", "admin"),
    ] {
        let output = machine::program(&helm)
            .args([
                "template",
                "clientele",
                "charts/clientele",
                "--kube-version=1.33",
            ])
            .args(["--set", &format!("{value}=true")])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let labels: Vec<&str> = text
            .lines()
            .filter_map(|line| {
                line.trim()
                    .strip_prefix("rbac.authorization.k8s.io/aggregate-to-")
            })
            .collect();
        assert_eq!(labels, [format!("{opened}: \"true\"")], "{value}");
    }
}

#[test]
fn service_binding_controllers_read_oauthclients_if_configured() {
    let output = machine::program(tool("helm"))
        .args(["template", "clientele", "charts/clientele"])
        .args(["--kube-version=1.33", "--set=rbac.serviceBinding=true"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let roles: Vec<&str> = text
        .split("\n---\n")
        .filter(|document| document.contains("servicebinding.io/controller: \"true\""))
        .collect();
    let [role] = roles[..] else {
        panic!("{}: {roles:?}", roles.len())
    };
    assert!(role.contains("kind: ClusterRole") && role.contains("oauthclients"));
    assert!(
        role.contains(r#"verbs: ["get", "list", "watch"]"#),
        "{role}"
    );
}

/// A Secret is made, put right and made again by an operator that may not make its owner wait for it.
async fn is_owned_without_a_right_on_finalizers(cluster: &Cluster, space: &TestNamespace) {
    const NAME: &str = "owned-oauth";
    space.ready("owned", json!({})).await;
    let made = space.secrets().get(NAME).await.unwrap();
    let as_operator: Api<Secret> = Api::namespaced(person::operator(cluster).await, &space.name);
    let mut blocking = made.clone();
    blocking.owner_references_mut()[0].block_owner_deletion = Some(true);
    let params = PostParams::default();
    let refused = as_operator.replace(NAME, &params, &blocking).await;
    let refused = person::sentence(refused).unwrap_err();
    assert!(refused.contains("set finalizers on"), "{refused}");

    let disowned = Patch::Merge(json!({ "metadata": { "ownerReferences": null } }));
    let (secrets, params) = (space.secrets(), PatchParams::default());
    let patched = secrets.patch(NAME, &params, &disowned).await.unwrap();
    assert_eq!(patched.owner_references(), []);
    let owned = |secret: &Secret| secret.owner_references() == made.owner_references();
    space.wait_secret(NAME, "the owner is back", owned).await;

    space.delete_secret(NAME).await;
    let again = space.wait_secret(NAME, "it is back", owned).await;
    assert_eq!(again.data, made.data);
    space.accepted("owned").await;
}

/// The control plane of every test enforces owners, as `OpenShift` does.
#[tokio::test]
async fn f38_where_owners_are_enforced_secrets_are_made_and_repaired() {
    let space = TestNamespace::new("owners").await;
    is_owned_without_a_right_on_finalizers(&shared().cluster, &space).await;
}

#[tokio::test]
async fn f38_the_same_where_only_some_namespaces_are_enabled() {
    let scoped = scoped().await;
    let space = TestNamespace {
        kube: scoped.cluster.kube().await,
        name: ENABLED.into(),
        issuer: scoped.operator.issuer.clone(),
    };
    is_owned_without_a_right_on_finalizers(&scoped.cluster, &space).await;
}

/// The other half of least privilege: a right that is missing shows in the log of every installation.
#[tokio::test]
async fn the_operator_asks_for_nothing_that_it_may_not_do() {
    let space = TestNamespace::new("rights").await;
    space.ready("hello", json!({})).await;
    let operator = &shared().operator;
    // Every watch has been asked for by then: the client was made ready, and it takes a root key and signing keys.
    let log = operator.log();
    let refused: Vec<&str> = log
        .lines()
        .filter(|line| {
            line.contains("cannot list resource") || line.contains("cannot watch resource")
        })
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}
