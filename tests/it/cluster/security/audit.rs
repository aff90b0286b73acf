//! The audit log of the Kubernetes side, in a file of its own.

use std::path::Path;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{TestNamespace, eventually, when};

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    // The last one may be only half there.
    let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
    let lines = whole.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("each line is JSON")
}

/// The line of an event about an object of this name.
async fn line(path: &Path, event: &str, name: &str) -> Value {
    eventually(&format!("a line {event} about {name}"), || async {
        let lines = lines(path);
        let found = lines
            .iter()
            .find(|line| line["event"] == event && line["name"] == name);
        when(found.is_some(), found.cloned(), || format!("{lines:#?}"))
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn registrations_keys_and_refusals_are_in_the_audit_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let path = file.clone();
    // The log is silent, the audit log is not.
    let options = Options {
        flags: vec!["--audit-log".into(), path.display().to_string()],
        log_level: Some("error".into()),
        ..Options::default()
    };
    let start = move || {
        let cluster = Cluster::with_chart(&[]);
        let operator = RunningOperator::start(&cluster, &options);
        (cluster, operator)
    };
    let (cluster, operator) = tokio::task::spawn_blocking(start).await.unwrap();
    let space = TestNamespace::within(&cluster, &operator.issuer, "audit").await;
    space.ready("good", json!({})).await;
    space.create("bad", json!({ "tenant": "nowhere" })).await;
    let refused = line(&file, "registration_refused", "bad").await;
    assert_eq!(refused["error"], "TenantNotFound");
    let registered = line(&file, "client_registered", "good").await;
    assert_eq!(registered["namespace"], space.name.as_str());
    assert_eq!(registered["kind"], "OAuthClient");
    let secret = space.entries("good-oauth").await["CLIENT_SECRET"].clone();
    assert_eq!(space.token("good-oauth").await.0, 200);
    space.delete("good").await;
    let deleted = line(&file, "client_deleted", "good").await;
    assert_eq!(deleted["client_id"], format!("{}.good", space.name));
    line(&file, "signing_keys_changed", "default").await;
    line(&file, "root_key_made", "clientele-root-key").await;
    let own: Api<Secret> = Api::namespaced(cluster.kube().await, "clientele-system");
    let now = DeleteParams::default();
    let _ = own.delete("clientele-signing-default", &now).await.unwrap();
    let lost = line(&file, "registration_refused", "default").await;
    assert_eq!(
        (&lost["kind"], &lost["error"]),
        (&"OAuthTenant".into(), &"SigningKeysUnavailable".into())
    );
    let metrics = operator.metrics();
    for metric in [
        "clientele_audit_events_total{event=\"client_deleted\"} 1",
        "clientele_registry_refused_clients 1",
    ] {
        assert!(metrics.contains(metric), "{metric} is not in\n{metrics}");
    }
    let count = |line: &str| {
        Some(
            line.strip_prefix("clientele_propagation_seconds_count ")?
                .to_owned(),
        )
    };
    let propagated = metrics.lines().find_map(count).unwrap();
    assert!(propagated.parse::<u64>().unwrap() >= 3, "{propagated}");
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&secret));
    let log = std::fs::read_to_string(&operator.log).unwrap();
    assert!(!log.contains("client_registered"), "{log}");
}
