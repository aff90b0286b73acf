//! What runs in the cluster has what it needs and nothing more, whatever the values.

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::cluster::tool;
use crate::support::machine;
use crate::support::test_namespace::{TestNamespace, eventually};

/// The values that the chart is tried with, and what is mounted then.
const VALUES: [(&str, &[&str]); 4] = [
    (
        "default",
        &["/var/lib/clientele of a persistentVolumeClaim"],
    ),
    (
        "namespaces",
        &["/var/lib/clientele of a persistentVolumeClaim"],
    ),
    (
        "production",
        &[
            "/database of a secret, read only",
            "/tls of a secret, read only",
        ],
    ),
    (
        "everything",
        &["/database of a secret, read only", "/scratch of a emptyDir"],
    ),
];

/// What a manifest says of pods: the specification of each.
fn pods_of(manifest: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(manifest)
        .map(|document| Value::deserialize(document).unwrap())
        .map(|object| object["spec"]["template"]["spec"].clone())
        .filter(|pod| !pod.is_null())
        .collect()
}

fn rendered(values: &str) -> String {
    let output = machine::program(tool("helm"))
        .args(["template", "clientele", "charts/clientele"])
        .args(["--kube-version=1.33", "--values"])
        .arg(format!("charts/clientele/ci/{values}-values.yaml"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{values}: {complaint}");
    let manifest = String::from_utf8(output.stdout).unwrap();
    // Kubernetes reads YAML 1.1, which knows octal numbers.
    manifest.replace("defaultMode: 0440", "defaultMode: 288")
}

/// Where which kind of volume is mounted.
fn mounts(pod: &Value) -> Vec<String> {
    let volumes = pod["volumes"].as_array().unwrap();
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    assert_eq!(volumes.len(), mounts.len(), "nothing lies there unused");
    let mount = |mount: &Value| {
        let volume = volumes.iter().find(|v| v["name"] == mount["name"]);
        let kinds = volume.unwrap().as_object().unwrap().keys();
        let kind = kinds.into_iter().find(|key| *key != "name").unwrap();
        let path = mount["mountPath"].as_str().unwrap();
        let read_only = mount["readOnly"].as_bool() == Some(true);
        let how = if read_only { ", read only" } else { "" };
        format!("{path} of a {kind}{how}")
    };
    mounts.iter().map(mount).collect()
}

/// The one container of the one pod runs as no other user and can write nowhere but where it is told.
fn is_confined(pod: &Value) {
    let context = json!({
        "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
        "seccompProfile": { "type": "RuntimeDefault" },
    });
    assert_eq!(pod["securityContext"], context);
    for shared in [
        "hostNetwork",
        "hostPID",
        "hostIPC",
        "shareProcessNamespace",
        "initContainers",
    ] {
        assert!(pod[shared].is_null(), "{shared}: {}", pod[shared]);
    }
    let containers = pod["containers"].as_array().unwrap();
    let [container] = &containers[..] else {
        panic!("{} containers", containers.len())
    };
    let context = json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": { "drop": ["ALL"] },
    });
    assert_eq!(container["securityContext"], context);
    let resources = &container["resources"];
    for set in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
        assert!(resources.pointer(set).is_some(), "{set}: {resources}");
    }
    // What stands in the environment is read by every child, by /proc and by every user who may read pods.
    let environment = format!("{} {}", container["env"], container["envFrom"]);
    assert!(!environment.contains("secret"), "{environment}");
}

#[test]
fn f70_the_pod_is_confined_and_mounts_only_what_it_needs() {
    let install = std::fs::read_to_string("deploy/install.yaml").unwrap();
    let mut all = vec![("install.yaml", install, VALUES[0].1)];
    all.extend(VALUES.map(|(values, mounted)| (values, rendered(values), mounted)));
    for (name, manifest, mounted) in all {
        // The dashboard has its own test, and its own rights: none.
        let mut pods = pods_of(&manifest);
        pods.retain(|pod| pod["containers"][0]["args"][0] != "dashboard");
        let [pod] = &pods[..] else {
            panic!("{name}: {} kinds of pods", pods.len())
        };
        is_confined(pod);
        assert_eq!(mounts(pod), mounted, "{name}");
    }
    // The token is the Deployment's own: no other pod of the ServiceAccount gets it unasked.
    let account = "automountServiceAccountToken: false";
    assert!(rendered("default").contains(account));
}

#[tokio::test]
async fn f70_the_pod_is_admitted_under_the_restricted_standard() {
    let space = TestNamespace::new("pod").await;
    let namespaces: Api<Namespace> = Api::all(space.kube.clone());
    let label = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
    let label = Patch::Merge(json!({ "metadata": { "labels": label } }));
    let params = PatchParams::default();
    namespaces
        .patch(&space.name, &params, &label)
        .await
        .unwrap();
    let pods: Api<Pod> = Api::namespaced(space.kube.clone(), &space.name);
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let object = |spec: &Value| -> Pod {
        let metadata = json!({ "name": "clientele" });
        serde_json::from_value(json!({ "metadata": metadata, "spec": spec })).unwrap()
    };
    for (values, _) in VALUES {
        let mut spec = pods_of(&rendered(values)).remove(0);
        // The ServiceAccount of the chart lives in another namespace.
        spec.as_object_mut().unwrap().remove("serviceAccountName");
        let pod = object(&spec);
        eventually(&format!("the pod of {values} is admitted"), || async {
            let admitted = pods.create(&dry, &pod).await;
            admitted.map(|_| ()).map_err(|error| error.to_string())
        })
        .await;
        // The standard is in force: it would have said so.
        spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
        let refused = pods.create(&dry, &object(&spec)).await.unwrap_err();
        assert!(refused.to_string().contains("restricted"), "{refused}");
    }
}
