//! The cluster goes back in time: etcd is restored from an old snapshot.
//!
//! Where revisions were not made to jump (`etcdutl snapshot restore --bump-revision`), a watch from a later revision hears
//! nothing until that revision comes. An operator that runs on sees that the revision is lower than it was, and ends.

use kube::api::ListParams;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::load::ask;
use crate::support::machine;
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{TestNamespace, eventually_within, http, when};

/// Time for what waits for watches that are restarted, on a machine that does other things as well.
const BACKOFF: std::time::Duration = std::time::Duration::from_secs(90);

/// Stops the API server and etcd, does something with etcd's files, and starts both.
fn while_stopped(cluster: &Cluster, script: &str) {
    cluster.control("stop kube-apiserver");
    cluster.control("stop etcd");
    let folder = cluster.kubeconfig.parent().unwrap();
    let done = machine::program("sh")
        .args(["-ec", script])
        .current_dir(folder)
        .status();
    assert!(done.unwrap().success(), "{script}");
    cluster.control("start etcd");
    cluster.control("start kube-apiserver");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_after_an_etcd_restore_the_operator_ends_and_restarts() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "restored").await;
    space.ready("kept", json!({})).await;
    space.ready("deleted-later", json!({})).await;
    let kept = space.entries("kept-oauth").await;
    let deleted = space.entries("deleted-later-oauth").await;
    while_stopped(&cluster, "cp -a etcd etcd.snapshot");

    // What happens now will not have happened.
    space.ready("made-later", json!({})).await;
    let made = space.entries("made-later-oauth").await;
    ask(&http(), &made).await.unwrap();
    for turn in 0..300 {
        let label = json!({ "metadata": { "labels": { "turn": turn.to_string() } } });
        space.patch("made-later", label).await;
    }
    space.delete("deleted-later").await;
    eventually_within(BACKOFF, "the deletion is seen", || async {
        let answer = ask(&http(), &deleted).await;
        when(answer.is_err(), (), || "issued".to_owned())
    })
    .await;
    let listen = operator.listen.clone();
    while_stopped(&cluster, "rm -rf etcd && mv etcd.snapshot etcd");
    eventually_within(BACKOFF, "the operator sees it and ends", || async {
        let said = operator.log().contains("the cluster's revision fell from");
        when(said && operator.readyz().is_none(), (), || operator.log())
    })
    .await;
    assert_eq!(operator.stop().code(), Some(1));
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]).at(&listen));

    eventually_within(BACKOFF, "what was made later is unknown", || async {
        let answer = ask(&http(), &made).await;
        when(answer.is_err(), (), || "issued".to_owned())
    })
    .await;
    eventually_within(BACKOFF, "what was deleted later is back", || async {
        ask(&http(), &deleted).await
    })
    .await;
    ask(&http(), &kept).await.unwrap();
    assert_eq!(space.entries("kept-oauth").await, kept);
    let objects = space.clients().list(&ListParams::default()).await.unwrap();
    assert_eq!(objects.items.len(), 2);
    space.create("after", json!({})).await;
    eventually_within(BACKOFF, "a new client works", || async {
        let secret = space.secrets().get_opt("after-oauth").await.unwrap();
        when(secret.is_some(), (), || "no Secret".to_owned())
    })
    .await;
    space.wait_ready("after").await;
    assert_eq!(space.token("after-oauth").await.0, 200);
    assert_eq!(operator.readyz(), Some(200));
}
