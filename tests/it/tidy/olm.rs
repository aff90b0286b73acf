//! The bundle for the Operator Lifecycle Manager, by the rules of its documentation: no OLM is among the tools of the tests.

use std::collections::BTreeSet;

use clientele_api::crd;
use kube::ResourceExt;
use serde_json::Value;
use xtask::olm::bundle;
use xtask::source::read;

use super::chart::{helm, objects_of};

/// The kinds that a bundle may have beside its `ClusterServiceVersion`.
const KINDS: [&str; 15] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "ConsoleCLIDownload",
    "ConsoleLink",
    "ConsoleQuickStart",
    "ConsoleYamlSample",
    "CustomResourceDefinition",
    "PodDisruptionBudget",
    "PriorityClass",
    "PrometheusRule",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceMonitor",
];
/// The values of `scripts/olm`.
const VALUES: [&str; 4] = [
    "crds.enabled=false",
    "admissionPolicies.enabled=false",
    "database.type=postgres",
    "database.postgres.existingSecret=clientele-database",
];

#[test]
fn a_bundle_for_olm_follows_its_rules() {
    let script = read("scripts/olm");
    for value in VALUES {
        assert!(script.contains(&format!("--set {value}")), "{value}");
    }
    let output = helm(&VALUES);
    let rendered = String::from_utf8(output.stdout.clone()).unwrap();
    let bundle = bundle(&rendered).unwrap();
    let parsed = |text: &String| -> Value { serde_yaml::from_str(text).unwrap() };
    let manifests = bundle
        .iter()
        .filter(|(path, _)| path.starts_with("manifests/"))
        .map(|(_, text)| parsed(text));
    let (csv, others): (Vec<Value>, Vec<Value>) =
        manifests.partition(|object| object["kind"] == "ClusterServiceVersion");
    assert_eq!(csv.len(), 1);
    for object in &others {
        let kind = object["kind"].as_str().unwrap();
        assert!(KINDS.contains(&kind), "{kind}");
        assert!(object["metadata"]["namespace"].is_null(), "{object}");
    }
    has_its_definitions(&csv[0], &others);
    installs_what_the_chart_does(&csv[0], &output);
    let annotations = parsed(&bundle["metadata/annotations.yaml"]);
    let annotations = &annotations["annotations"];
    let about = |name: &str| {
        let key = format!("operators.operatorframework.io.bundle.{name}.v1");
        annotations[&key].clone()
    };
    assert_eq!(about("mediatype"), "registry+v1");
    assert_eq!(about("manifests"), "manifests/");
    assert_eq!(about("metadata"), "metadata/");
    assert_eq!(about("channel.default"), about("channels"));
    let package = about("package");
    let name = csv[0]["metadata"]["name"].as_str().unwrap();
    let version = csv[0]["spec"]["version"].as_str().unwrap();
    assert_eq!(name, format!("{}.v{version}", package.as_str().unwrap()));
}

/// What is owned is what is in the bundle, and each kind has an example.
fn has_its_definitions(csv: &Value, others: &[Value]) {
    let owned = csv["spec"]["customresourcedefinitions"]["owned"].as_array();
    let owned = owned.unwrap().iter();
    let owned: BTreeSet<&str> = owned.map(|crd| crd["name"].as_str().unwrap()).collect();
    let shipped = others
        .iter()
        .filter(|object| object["kind"] == "CustomResourceDefinition");
    let shipped: BTreeSet<&str> = shipped
        .map(|object| object["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(owned, shipped);
    let installed = crd::definitions().map(|crd| crd.name_any());
    assert!(installed.iter().all(|name| owned.contains(&**name)));
    let examples = csv["metadata"]["annotations"]["alm-examples"].as_str();
    let examples: Vec<Value> = serde_json::from_str(examples.unwrap()).unwrap();
    for crd in crd::definitions() {
        let kind = crd.spec.names.kind;
        assert!(examples.iter().any(|it| it["kind"] == *kind), "{kind}");
    }
}

/// Deployment and rights are those of the chart.
fn installs_what_the_chart_does(csv: &Value, output: &std::process::Output) {
    let install = &csv["spec"]["install"]["spec"];
    let of_chart = |kind: &str| {
        let mut objects = objects_of(output, kind).into_iter();
        let found = objects.find(|object| object["metadata"]["name"] == "clientele");
        found.unwrap()
    };
    let deployment = of_chart("Deployment");
    let mut spec = deployment["spec"].clone();
    // A text to YAML 1.2.
    spec["template"]["spec"]["volumes"][0]["secret"]["defaultMode"] = 0o440.into();
    assert_eq!(install["deployments"][0]["spec"], spec);
    let pod = &deployment["spec"]["template"]["spec"];
    for (rights, kind) in [
        ("clusterPermissions", "ClusterRole"),
        ("permissions", "Role"),
    ] {
        assert_eq!(
            install[rights][0]["rules"],
            of_chart(kind)["rules"],
            "{kind}"
        );
        let account = &install[rights][0]["serviceAccountName"];
        assert_eq!(*account, pod["serviceAccountName"]);
    }
    let volumes = pod["volumes"].as_array().unwrap().iter();
    assert!(
        volumes
            .clone()
            .all(|it| it["persistentVolumeClaim"].is_null())
    );
    let image = &pod["containers"][0]["image"];
    assert_eq!(csv["spec"]["relatedImages"][0]["image"], *image);
}
