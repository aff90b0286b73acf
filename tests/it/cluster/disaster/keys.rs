//! The Secrets with the keys are lost, and come back from the backup that docs/operations/backup.md makes.

use serde_json::json;
use xtask::shell;

use crate::cluster::documented::run_in;
use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{TestNamespace, eventually, when};

const PAGE: &str = "docs/operations/backup.md";
const SYSTEM: &str = "clientele-system";

/// The blocks of the page for the keys: how to back them up, and how to restore them.
fn documented() -> [String; 2] {
    let blocks = shell::blocks().into_iter();
    let ours = blocks.filter(|block| {
        block.page == PAGE && block.info == "sh no-run=cluster::disaster::keys-runs-it"
    });
    let ours: Vec<String> = ours.map(|block| block.code).collect();
    ours.try_into().expect("two blocks")
}

async fn available(space: &TestNamespace, is: bool) {
    eventually("the tenant is available again, or not", || async {
        let tenant = space.tenants().get("default").await.unwrap();
        let status = tenant.status.unwrap();
        let ready = status.conditions.iter().find(|one| one.type_ == "Ready");
        let now = ready.is_some_and(|ready| ready.status == "True");
        when(now == is, (), || format!("{status:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_keys_come_back_from_the_documented_backup() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "keys").await;
    space.ready("web", json!({})).await;
    let before = space.entries("web-oauth").await;
    let [backup, restore] = documented();
    let shell = |script: String| {
        let output = run_in(&cluster, &space.name, &script);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let delete = |secret: &str| {
        let delete = ["--namespace", SYSTEM, "delete", "secret", secret];
        cluster.kubectl(&delete).unwrap();
    };
    let kept = tempfile::tempdir().unwrap();
    let file = kept.path().join("clientele-keys.yaml");
    let said = shell(format!(
        "{backup}\ncp clientele-keys.yaml {}",
        file.display()
    ));
    assert!(file.exists(), "{said}");

    delete("clientele-root-key");
    delete("clientele-signing-default");
    eventually("the operator refuses to derive", || async {
        let usable = operator.metric("clientele_root_key_usable");
        when(usable == Some(0.0), (), || format!("{usable:?}"))
    })
    .await;
    available(&space, false).await;

    // The marks are still there, which the command reports as an error.
    let said = shell(format!("cp {} .\n{restore}", file.display()));
    assert!(said.contains("AlreadyExists"), "{said}");
    eventually("the operator derives again", || async {
        let usable = operator.metric("clientele_root_key_usable");
        when(usable == Some(1.0), (), || format!("{usable:?}"))
    })
    .await;
    available(&space, true).await;
    assert_eq!(space.entries("web-oauth").await, before);
    assert_eq!(space.token("web-oauth").await.0, 200);
    space.ready("new", json!({})).await;
}
