//! One replica on SQLite, as any user that the cluster chooses: a restart interrupts it for a moment, and loses nothing.

use std::time::Duration;

use super::installation::Installation;
use super::machine::Node;
use crate::node::drill::Row;

/// How long one replica may be away.
const GAP: Duration = Duration::from_secs(15);

/// At this load more requests than these cannot fail within [`GAP`].
const ALL: usize = 10_000;

/// Where the node keeps the file.
const VOLUME: &str = "
apiVersion: v1
kind: PersistentVolume
metadata: {name: clientele}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: node
  hostPath: {path: FOLDER, type: Directory}
";

/// Replaces the installation on PostgreSQL.
pub async fn drills(on: &Installation) -> Vec<Row> {
    on.uninstall().await;
    let files = tempfile::tempdir().unwrap();
    volume(on, &files);
    let user = [
        "database.sqlite.persistence.storageClass=node",
        // As OpenShift: a user of the namespace, whom the image does not know.
        "podSecurityContext.runAsUser=1000660000",
        "podSecurityContext.runAsGroup=0",
    ];
    let values = Installation::values(&on.images[0], &user);
    on.helm(&["install"], &values).unwrap();
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

    let upgrade = async {
        let digest = format!("image.digest={}", on.images[1].digest);
        on.helm(
            &["upgrade", "--reset-then-reuse-values"],
            &["--set".to_owned(), digest],
        )
    };
    let (outcome, tally) = on.under_load(upgrade).await;
    outcome.unwrap();
    rows.push(Row::at_most("SQLite: upgrade", ALL, GAP, &tally));

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
    rows.push(Row::at_most("SQLite: kill -9", ALL, GAP, &tally));

    let after = on.secrets().await;
    let same = format!("{} Secrets before, {} after", before.len(), after.len());
    rows.push(Row::holds(
        "SQLite: nothing lost",
        "every Secret byte-identical",
        &same,
        before == after,
    ));
    rows
}

fn volume(on: &Installation, files: &tempfile::TempDir) {
    use std::os::unix::fs::PermissionsExt;
    let folder = files.path().join("volume");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(files.path(), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let file = files.path().join("volume.yaml");
    std::fs::write(&file, VOLUME.replace("FOLDER", folder.to_str().unwrap())).unwrap();
    on.kubectl(&["apply", "-f", file.to_str().unwrap()])
        .unwrap();
}
