//! The manifests of the example application do what its README says.

use std::path::Path;

use crate::support::cluster::shared;
use crate::support::test_namespace::TestNamespace;

#[tokio::test]
async fn the_example_is_accepted_under_the_restricted_standard() {
    let space = TestNamespace::new("example").await;
    let cluster = &shared().cluster;
    let kubectl = |arguments: &[&str]| {
        let namespaced = [&["--namespace", &space.name], arguments].concat();
        cluster.kubectl(&namespaced)
    };
    let restricted =
        ["enforce", "warn"].map(|mode| format!("pod-security.kubernetes.io/{mode}=restricted"));
    kubectl(&[
        "label",
        "namespace",
        &space.name,
        &restricted[0],
        &restricted[1],
    ])
    .unwrap();
    for file in ["oauthclient.yaml", "deployment.yaml"] {
        let path = Path::new("examples/web-app").join(file);
        let apply = [
            "apply",
            "--warnings-as-errors",
            "--filename",
            path.to_str().unwrap(),
        ];
        kubectl(&apply).unwrap_or_else(|said| panic!("{file}: {said}"));
    }
    space.wait_ready("example-app").await;
    let name = "jsonpath={.spec.template.spec.containers[0].envFrom[0].secretRef.name}";
    let secret = kubectl(&["get", "deployment", "example-app", "--output", name]).unwrap();
    let entries = space.entries(&secret).await;
    for needed in ["ISSUER", "CLIENT_ID", "CLIENT_SECRET"] {
        assert!(entries.contains_key(needed), "{needed}");
    }
}
