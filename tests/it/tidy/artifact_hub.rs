//! What the chart says to Artifact Hub, by the rules of its documentation: its linter is not among the tools of the tests.

use std::collections::BTreeSet;

use clientele_api::{OAuthClient, OAuthTenant, OAuthUser, crd};
use kube::ResourceExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xtask::source::read;

const CATEGORIES: [&str; 8] = [
    "ai-machine-learning",
    "database",
    "integration-delivery",
    "monitoring-logging",
    "networking",
    "security",
    "storage",
    "streaming-messaging",
];
const CHANGES: [&str; 6] = [
    "added",
    "changed",
    "deprecated",
    "removed",
    "fixed",
    "security",
];
const CAPABILITIES: [&str; 5] = [
    "Basic Install",
    "Seamless Upgrades",
    "Full Lifecycle",
    "Deep Insights",
    "Auto Pilot",
];
/// The annotations that Artifact Hub knows; it passes over any other without a word.
const KNOWN: [&str; 16] = [
    "alternativeName",
    "category",
    "changes",
    "containsSecurityUpdates",
    "crds",
    "crdsExamples",
    "images",
    "license",
    "links",
    "maintainers",
    "operator",
    "operatorCapabilities",
    "prerelease",
    "recommendations",
    "screenshots",
    "signKey",
];

struct Chart(Value);

impl Chart {
    fn read() -> Self {
        Self(serde_yaml::from_str(&read("charts/clientele/Chart.yaml")).unwrap())
    }

    fn text(&self, name: &str) -> &str {
        let name = format!("artifacthub.io/{name}");
        let annotation = self.0["annotations"][&name].as_str();
        annotation.unwrap_or_else(|| panic!("{name} is no text"))
    }

    /// An annotation whose text is a list.
    fn list(&self, name: &str) -> Vec<Value> {
        let text = self.text(name);
        serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

#[test]
fn artifact_hub_knows_every_word_that_the_chart_says_to_it() {
    let chart = Chart::read();
    for key in chart.0["annotations"].as_object().unwrap().keys() {
        let known = key.strip_prefix("artifacthub.io/");
        assert!(known.is_some_and(|key| KNOWN.contains(&key)), "{key}");
    }
    assert!(CATEGORIES.contains(&chart.text("category")));
    assert!(CAPABILITIES.contains(&chart.text("operatorCapabilities")));
    for name in ["operator", "prerelease"] {
        assert!(["true", "false"].contains(&chart.text(name)), "{name}");
    }
    for change in chart.list("changes") {
        let kind = change["kind"].as_str().unwrap();
        assert!(CHANGES.contains(&kind), "{change}");
        assert!(change["description"].is_string(), "{change}");
    }
    let version = chart.0["appVersion"].as_str().unwrap();
    for image in chart.list("images") {
        let named = image["image"].as_str().unwrap();
        assert!(named.ends_with(&format!(":{version}")), "{named}");
    }
}

#[test]
fn artifact_hub_shows_every_definition_and_examples_of_each() {
    let chart = Chart::read();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let listed = chart.list("crds").into_iter().map(|crd| {
        assert!(crd["displayName"].is_string() && crd["description"].is_string());
        [
            text(&crd["name"]),
            text(&crd["kind"]),
            text(&crd["version"]),
        ]
    });
    let installed = crd::definitions().map(|crd| {
        let version = crd.spec.versions[0].name.clone();
        [crd.name_any(), crd.spec.names.kind, version]
    });
    assert_eq!(
        listed.collect::<BTreeSet<_>>(),
        BTreeSet::from(installed.clone())
    );
    let examples = chart.list("crdsExamples");
    for [_, kind, version] in installed {
        let mut examples = examples.iter().filter(|it| it["kind"] == kind.as_str());
        let is_one = |example: &Value| {
            let api = format!("clientele.dev/{version}");
            assert_eq!(example["apiVersion"], api, "{example}");
            is_read(&kind, example)
        };
        assert!(examples.clone().next().is_some(), "{kind} has no example");
        assert!(examples.all(is_one), "{kind}");
    }
}

/// Whether the program reads an example without leaving anything out.
fn is_read(kind: &str, example: &Value) -> bool {
    match kind {
        "OAuthClient" => is_whole::<OAuthClient>(example, |it| serde_json::to_value(it.spec)),
        "OAuthTenant" => is_whole::<OAuthTenant>(example, |it| serde_json::to_value(it.spec)),
        _ => is_whole::<OAuthUser>(example, |it| serde_json::to_value(it.spec)),
    }
}

fn is_whole<K: DeserializeOwned>(
    example: &Value,
    spec: impl Fn(K) -> serde_json::Result<Value>,
) -> bool {
    let read: K = serde_json::from_value(example.clone()).unwrap();
    let read = spec(read).unwrap();
    let mut written = example["spec"].as_object().unwrap().keys();
    written.all(|field| read.get(field).is_some())
}
