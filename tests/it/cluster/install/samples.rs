//! Every manifest that we hand out does what it says.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::cluster::{Cluster, shared};
use crate::support::test_namespace::TestNamespace;

/// The namespace that `tenant-orders.yaml` names.
const DEMO: &str = "demo";

fn manifests(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    assert!(files.len() > 10, "{files:?}");
    files
}

fn apply(cluster: &Cluster, namespace: &str, file: &Path) -> Result<String, String> {
    let file = file.to_str().unwrap();
    cluster.kubectl(&["apply", "--namespace", namespace, "--filename", file])
}

fn wait_ready(cluster: &Cluster, namespace: &str, what: &str) -> Result<String, String> {
    let ready = ["wait", "--for=condition=Ready", "--timeout=2m", what];
    cluster.kubectl(&[&ready[..], &["--namespace", namespace]].concat())
}

/// `tenant-<name>.yaml` are the tenants that other samples need; they select the namespace `demo`.
#[tokio::test]
async fn every_sample_becomes_ready() {
    let cluster = {
        TestNamespace::new("samples").await;
        &shared().cluster
    };
    cluster.kubectl(&["create", "namespace", DEMO]).unwrap();
    let (tenants, others): (Vec<_>, Vec<_>) = manifests("deploy/samples")
        .into_iter()
        .partition(|file| stem(file).starts_with("tenant-"));
    for file in tenants {
        apply(cluster, DEMO, &file).unwrap();
        let name = stem(&file).trim_start_matches("tenant-").to_owned();
        wait_ready(cluster, DEMO, &format!("oauthtenant/{name}")).unwrap();
    }

    for file in others {
        let text = std::fs::read_to_string(&file).unwrap();
        let object = sample(&text);
        let space = TestNamespace::new("sample").await;
        space.label_for_people().await;
        let of_a_tenant = object["spec"]["tenant"].is_string();
        let namespace = if of_a_tenant { DEMO } else { &space.name };
        apply(cluster, namespace, &file).unwrap();
        let name = object["metadata"]["name"].as_str().unwrap();
        let kind = object["kind"].as_str().unwrap().to_lowercase();
        wait_ready(cluster, namespace, &format!("{kind}/{name}"))
            .unwrap_or_else(|said| panic!("{}: {said}", file.display()));
        assert_eq!(stem(&file), name);
    }
}

fn stem(file: &Path) -> &str {
    file.file_stem().unwrap().to_str().unwrap()
}

/// The object of ours in a file; a Secret may stand before it.
fn sample(text: &str) -> Value {
    let documents = text.split("\n---\n");
    let objects = documents.map(|text| serde_yaml::from_str::<Value>(text).unwrap());
    let mut ours = objects.filter(|object| object["apiVersion"] == "clientele.dev/v1alpha1");
    let object = ours.next().unwrap();
    assert!(ours.next().is_none(), "one object of ours in a file");
    object
}

#[tokio::test]
async fn every_refused_sample_is_refused_with_its_first_line() {
    let space = TestNamespace::new("refused").await;
    for file in manifests("deploy/samples/refused") {
        let text = std::fs::read_to_string(&file).unwrap();
        let sentence = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        let answer = apply(&shared().cluster, &space.name, &file)
            .expect_err(&format!("{} was accepted", file.display()));
        assert!(answer.contains(sentence), "{}: {answer}", file.display());
    }
}
