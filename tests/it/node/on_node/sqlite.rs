//! One replica on SQLite, as any user that the cluster chooses: a restart interrupts it for a moment, and loses nothing.

use std::time::Duration;

use kube::ResourceExt;

use super::installation::{Installation, lasts};
use super::lifecycle::{rollback, signed_in, unchanged, unnoticed, upgrade};
use super::machine::Node;
use super::volume;
use crate::node::drill::Row;
use crate::support::test_namespace::{eventually, when};

/// How long one replica may be away.
const GAP: Duration = Duration::from_secs(15);

/// At this load more requests than these cannot fail within [`GAP`].
const ALL: usize = 10_000;

/// How long a second replica tries to become one.
const BESIDE: Duration = Duration::from_secs(20);

/// Replaces the installation on PostgreSQL.
pub async fn drills(on: &Installation) -> Vec<Row> {
    on.uninstall().await;
    let files = tempfile::tempdir().unwrap();
    volume::keep(&on.node, "node", &files);
    let user = [
        "database.sqlite.persistence.storageClass=node",
        // As OpenShift: a user of the namespace, whom the image does not know.
        "podSecurityContext.runAsUser=1000660000",
        "podSecurityContext.runAsGroup=0",
    ];
    let values = Installation::values(&on.release.image, &user);
    on.helm(&["install"], &values).unwrap();
    on.find_service().await;
    on.sign_in().await;
    let before = on.secrets().await;
    let mut rows = Vec::new();

    let restart = async {
        on.kubectl(&["rollout", "restart", "deployment/clientele"])
            .unwrap();
        on.rolled_out();
    };
    let ((), tally) = on.under_load(restart).await;
    rows.push(Row::at_most("SQLite: restart", ALL, GAP, &tally));

    let upgrade = async { upgrade(on, &on.release, &on.again) };
    let (outcome, tally) = on.under_load(upgrade).await;
    outcome.unwrap();
    rows.push(Row::at_most("SQLite: upgrade", ALL, GAP, &tally));
    let (outcome, tally) = on.under_load(async { rollback(on) }).await;
    outcome.unwrap();
    rows.push(Row::at_most("SQLite: rollback", ALL, GAP, &tally));

    rows.extend(second_replica(on).await);
    rows.push(kill(on).await);
    rows.push(unchanged("SQLite: nothing lost", on, &before).await);
    rows.push(signed_in("SQLite: nothing lost", on).await);
    rows
}

async fn kill(on: &Installation) -> Row {
    let victim = on.ready_pods().await.pop().unwrap();
    let crash = async {
        assert!(Node::signal(&victim, "-9"), "no process runs in {victim}");
        // The pod is called Ready until the kubelet has seen that its process ended.
        on.kubectl(&[
            "wait",
            "--for=jsonpath={.status.containerStatuses[0].restartCount}=1",
            "--timeout=60s",
            &format!("pod/{victim}"),
        ])
        .unwrap();
        on.pods_are_ready(1).await;
    };
    let ((), tally) = on.under_load(crash).await;
    Row::at_most("SQLite: kill -9", ALL, GAP, &tally)
}

/// The chart refuses it. Who has it all the same, by kubectl, gets a pod that says why it does not serve; the first one goes on.
async fn second_replica(on: &Installation) -> Vec<Row> {
    let drill = "SQLite: a second replica";
    let two = ["--set".to_owned(), "replicaCount=2".to_owned()];
    let refused = on.helm(&["upgrade", "--reset-then-reuse-values"], &two);
    let refused = refused.err().unwrap_or_else(|| "installed".to_owned());
    let by_chart = refused.contains("replicaCount") && refused.contains("SQLite");

    let first = on.restarts().await;
    let beside = async {
        on.kubectl(&["scale", "deployment/clientele", "--replicas=2"])
            .unwrap();
        let said = says_why(on, &first.keys().next().unwrap().clone()).await;
        lasts(BESIDE).await;
        let ready = on.ready_pods().await;
        on.kubectl(&["scale", "deployment/clientele", "--replicas=1"])
            .unwrap();
        on.rolled_out();
        (said, ready)
    };
    let ((said, ready), tally) = on.under_load(beside).await;
    let after = on.restarts().await;
    vec![
        Row::holds(drill, "refused by the chart", &refused, by_chart),
        Row::holds(
            drill,
            "says whose file it is",
            &said,
            said.contains("in use by"),
        ),
        Row::holds(
            drill,
            "not Ready, and the first one lives on",
            &format!("Ready: {ready:?}"),
            ready.iter().eq(first.keys()) && after == first,
        ),
        unnoticed(drill, &tally),
    ]
}

/// What the pod beside this one says about the database.
async fn says_why(on: &Installation, first: &str) -> String {
    eventually("the second pod says why it does not serve", || async {
        let pods = on.pods().await;
        let second = pods
            .iter()
            .map(ResourceExt::name_any)
            .find(|pod| pod != first);
        let second = second.ok_or("there is none")?;
        let log = on.kubectl(&["logs", &second])?;
        let line = log.lines().find(|line| line.contains("in use by"));
        when(line.is_some(), line.unwrap_or_default().to_owned(), || {
            log.clone()
        })
    })
    .await
}
