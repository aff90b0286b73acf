//! Generated files equal what the code generates today. `make generate` writes them.

use clientele_api::crd;
use kube::ResourceExt;

use super::metrics_page;
use crate::support::cluster::tool;
use crate::support::machine;
use xtask::source::{read, root};

#[track_caller]
fn assert_fresh(path: &str, generated: &str) {
    let committed = read(path);
    let differs = committed
        .lines()
        .zip(generated.lines())
        .position(|(committed, generated)| committed != generated);
    assert!(
        committed == generated,
        "{path} is stale from line {} on; run `make generate` and commit what it writes",
        differs.unwrap_or(committed.lines().count().min(generated.lines().count())) + 1
    );
}

#[test]
fn the_definitions_are_fresh() {
    for definition in crd::definitions() {
        let path = format!("crds/{}.yaml", definition.name_any());
        assert_fresh(&path, &crd::to_yaml(&definition));
    }
}

#[test]
fn the_definitions_of_the_chart_are_fresh() {
    assert_fresh("charts/clientele/templates/crds.yaml", &crd::render(true));
}

#[test]
fn the_page_of_the_metrics_is_fresh() {
    assert_fresh("docs/reference/metrics.md", &metrics_page::page());
}

#[test]
fn the_manifests_for_kustomize_are_the_rendered_chart() {
    let rendered = machine::program(tool("helm"))
        .args([
            "template",
            "clientele",
            "charts/clientele",
            "--namespace",
            "clientele-system",
        ])
        .args(["--kube-version", "1.33.0", "--skip-tests"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        rendered.status.success(),
        "{}",
        String::from_utf8_lossy(&rendered.stderr)
    );
    let manifests = read("deploy/namespace.yaml") + &String::from_utf8(rendered.stdout).unwrap();
    assert_fresh("deploy/install.yaml", &manifests);
}
