//! The installations in the cluster as an administrator sees them: the replica that writes, the root keys, and each replica with its
//! version, its watches and its database. What the user may not read is left out.

mod metrics;
mod shown;

use std::time::Duration;

use clientele_oauth::keys::recorded_keys::counting;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::ListParams;
use kube::core::Request;
use kube::{Api, ResourceExt};
use tokio::time::timeout;

use crate::connect::Session;
use metrics::Metrics;

/// The ConfigMap with the marks of an installation, in the namespace of the operator.
pub const MARKS: &str = "clientele-installation";
/// The Lease of the replica that writes, beside it.
const LEASE: &str = "clientele";
/// How the holder of the Lease begins that keeps a SQLite file.
const ALONE: &str = "sqlite/";
/// The pods of the chart; replicas are those with a port of this name, where the metrics are.
const PODS: &str = "app.kubernetes.io/part-of=clientele";
const PORT: &str = "admin";
/// The longest wait for the metrics of a replica.
const ANSWER: Duration = Duration::from_secs(3);

/// An installation.
#[derive(Debug, Default)]
pub struct Installation {
    namespace: String,
    leader: Option<Leader>,
    /// How many root keys are recorded and not withdrawn.
    root_keys: usize,
    replicas: Vec<Replica>,
}

/// The holder of the Lease.
#[derive(Debug)]
struct Leader {
    replica: String,
    /// By the clock of that replica.
    renewed_at: String,
}

/// A replica that runs as a pod of the chart.
#[derive(Debug, Default)]
struct Replica {
    name: String,
    ready: bool,
    restarts: i32,
    image: String,
    /// What it says about itself; `None` where it does not answer, or the user may not ask it.
    metrics: Option<Metrics>,
}

/// The marks of every installation in the cluster.
pub async fn everywhere(session: &Session) -> kube::Result<Vec<ConfigMap>> {
    let api: Api<ConfigMap> = Api::all(session.client.clone());
    let params = ListParams::default().fields(&format!("metadata.name={MARKS}"));
    Ok(api.list(&params).await?.items)
}

/// The installations that the session is about: that of its namespace, or all.
pub async fn look(session: &Session) -> Vec<Installation> {
    let marks = if session.all {
        everywhere(session).await
    } else {
        let api: Api<ConfigMap> = Api::namespaced(session.client.clone(), &session.namespace);
        api.get_opt(MARKS)
            .await
            .map(|marks| marks.into_iter().collect())
    };
    let marks = marks.unwrap_or_default();
    let each = marks.into_iter().map(|marks| one(session, marks));
    futures::future::join_all(each).await
}

/// Installations for people.
pub fn text(installations: &[Installation], now: jiff::Timestamp) -> String {
    let each = installations.iter().map(|it| it.text(now));
    each.collect()
}

/// Installations for programs.
pub fn json(installations: &[Installation]) -> serde_json::Value {
    installations.iter().map(Installation::json).collect()
}

async fn one(session: &Session, marks: ConfigMap) -> Installation {
    let namespace = marks.namespace().unwrap_or_default();
    let marks = marks.data.unwrap_or_default();
    let leases: Api<Lease> = Api::namespaced(session.client.clone(), &namespace);
    let (lease, replicas) = tokio::join!(leases.get_opt(LEASE), replicas(session, &namespace));
    let lease = lease.ok().flatten();
    Installation {
        leader: lease.as_ref().and_then(leader),
        root_keys: counting(&marks).count(),
        replicas,
        namespace,
    }
}

fn leader(lease: &Lease) -> Option<Leader> {
    let record = lease.spec.as_ref()?;
    let holder = record.holder_identity.as_deref()?;
    let replica = holder.strip_prefix(ALONE).unwrap_or(holder);
    let renewed_at = record.renew_time.as_ref().map(|time| time.0.to_string());
    (!replica.is_empty()).then(|| Leader {
        replica: replica.to_owned(),
        renewed_at: renewed_at.unwrap_or_default(),
    })
}

async fn replicas(session: &Session, namespace: &str) -> Vec<Replica> {
    let api: Api<Pod> = Api::namespaced(session.client.clone(), namespace);
    let pods = api.list(&ListParams::default().labels(PODS)).await;
    let pods = pods.map(|list| list.items).unwrap_or_default();
    let asked = pods.iter().filter_map(replica);
    let asked = asked.map(|(it, port)| async move {
        let metrics = metrics_of(session, namespace, &it.name, port).await;
        Replica { metrics, ..it }
    });
    futures::future::join_all(asked).await
}

/// The replica that a pod is, and the port of its metrics.
fn replica(pod: &Pod) -> Option<(Replica, i32)> {
    let containers = &pod.spec.as_ref()?.containers;
    let (container, port) = containers.iter().find_map(|container| {
        let mut ports = container.ports.iter().flatten();
        let port = ports.find(|port| port.name.as_deref() == Some(PORT))?;
        Some((container, port.container_port))
    })?;
    let status = pod.status.as_ref();
    let mut containers = status
        .iter()
        .flat_map(|it| it.container_statuses.iter().flatten());
    let of_container = containers.find(|it| it.name == container.name);
    let replica = Replica {
        name: pod.name_any(),
        ready: of_container.is_some_and(|it| it.ready),
        restarts: of_container.map_or(0, |it| it.restart_count),
        image: container.image.clone().unwrap_or_default(),
        metrics: None,
    };
    Some((replica, port))
}

/// The metrics of a pod, which the API server fetches.
async fn metrics_of(session: &Session, namespace: &str, pod: &str, port: i32) -> Option<Metrics> {
    let pods = Request::new(format!("/api/v1/namespaces/{namespace}/pods"));
    let request = pods.get_subresource("proxy/metrics", &format!("{pod}:{port}"));
    let answer = session.client.request_text(request.ok()?);
    let text = timeout(ANSWER, answer).await.ok()?.ok()?;
    Some(Metrics::read(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lease_names_the_replica_that_writes() {
        for (spec, expected) in [
            (
                json!({ "holderIdentity": "clientele-0" }),
                Some("clientele-0"),
            ),
            (
                json!({ "holderIdentity": "sqlite/clientele-0" }),
                Some("clientele-0"),
            ),
            (json!({ "holderIdentity": "" }), None),
            (json!({}), None),
        ] {
            let lease: Lease = serde_json::from_value(json!({ "spec": spec })).unwrap();
            let leader = leader(&lease).map(|leader| leader.replica);
            assert_eq!(leader.as_deref(), expected);
        }
    }

    #[test]
    fn a_replica_is_a_pod_with_a_port_for_metrics() {
        let pod = |ports: serde_json::Value| -> Pod {
            serde_json::from_value(json!({
                "metadata": { "name": "clientele-0" },
                "spec": { "containers": [
                    { "name": "proxy", "image": "proxy:1" },
                    { "name": "clientele", "image": "clientele:0.2.0", "ports": ports },
                ] },
                "status": { "containerStatuses": [
                    { "name": "proxy", "ready": false, "restartCount": 9, "image": "", "imageID": "" },
                    { "name": "clientele", "ready": true, "restartCount": 2, "image": "", "imageID": "" },
                ] },
            }))
            .unwrap()
        };
        let ports = json!([{ "name": "http", "containerPort": 8080 }]);
        assert!(replica(&pod(ports)).is_none(), "the dashboard");
        let ports = json!([{ "name": "http", "containerPort": 8080 }, { "name": "admin", "containerPort": 8081 }]);
        let (found, port) = replica(&pod(ports)).unwrap();
        assert_eq!((&*found.name, port), ("clientele-0", 8081));
        assert_eq!((found.ready, found.restarts), (true, 2));
        assert_eq!(found.image, "clientele:0.2.0");
    }
}
