//! Every manifest that we hand out does what it says.

use std::path::{Path, PathBuf};

use clientele::api::OAuthClient;
use kube::ResourceExt;

use crate::support::cluster::{Cluster, shared};
use crate::support::space::Space;

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
    let ready = ["wait", "--for=condition=Ready", "--timeout=30s", what];
    cluster.kubectl(&[&ready[..], &["--namespace", namespace]].concat())
}

#[tokio::test]
async fn every_sample_becomes_ready() {
    let cluster = {
        Space::new("samples").await;
        &shared().cluster
    };
    cluster.kubectl(&["create", "namespace", DEMO]).unwrap();
    let orders = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/samples/tenant-orders.yaml");
    apply(cluster, DEMO, &orders).unwrap();
    wait_ready(cluster, DEMO, "oauthtenant/orders").unwrap();

    for file in manifests("deploy/samples") {
        if file == orders {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let object: OAuthClient = serde_yaml::from_str(&text).unwrap();
        let space = Space::new("sample").await;
        let namespace = match object.spec.tenant.as_str() {
            "orders" => DEMO,
            _ => &space.name,
        };
        apply(cluster, namespace, &file).unwrap();
        let what = format!("oauthclient/{}", object.name_any());
        wait_ready(cluster, namespace, &what)
            .unwrap_or_else(|said| panic!("{}: {said}", file.display()));
        assert_eq!(
            file.file_stem().unwrap().to_str(),
            Some(&*object.name_any())
        );
    }
}

#[tokio::test]
async fn every_refused_sample_is_refused_with_the_sentence_of_its_first_line() {
    let space = Space::new("refused").await;
    for file in manifests("deploy/samples/refused") {
        let text = std::fs::read_to_string(&file).unwrap();
        let sentence = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        let answer = apply(&shared().cluster, &space.name, &file)
            .expect_err(&format!("{} was accepted", file.display()));
        assert!(answer.contains(sentence), "{}: {answer}", file.display());
    }
}
