//! The root key is lost for good: the runbook and the message of the operator lead to another one.

use serde_json::json;
use xtask::shell;

use super::{ROOT_KEY, lose, printed_root_key, put, wait_usable};
use crate::cluster::documented::run_in;
use crate::support::cluster::Cluster;
use crate::support::load::{Entries, ask};
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{TestNamespace, entries, eventually, http};

/// The block of the runbook.
fn documented() -> String {
    let ours = |block: &shell::Block| {
        block.page == "docs/operations/runbooks.md"
            && block.info == "sh no-run=cluster::root_key::lost-runs-it"
    };
    shell::blocks().into_iter().find(ours).unwrap().code
}

fn run(cluster: &Cluster, space: &TestNamespace, script: &str) {
    let output = run_in(cluster, &space.name, script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
}

/// Waits until the client has another secret than before, which works.
async fn has_another(space: &TestNamespace, before: &Entries) -> Entries {
    let another = |secret: &_| entries(secret) != *before;
    let secret = space.wait_secret("web-oauth", "another secret", another);
    let after = entries(&secret.await);
    eventually("it works", || async { ask(&http(), &after).await }).await;
    assert!(ask(&http(), before).await.is_err(), "the old one is over");
    after
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_key_lost_for_good_is_replaced_as_the_runbook_says() {
    let cluster = Cluster::with_chart(&[]);
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "lost").await;
    space.ready("web", json!({})).await;
    let first = space.entries("web-oauth").await;

    // Whether or not another key was created already.
    lose(&space.kube).await;
    put(&space.kube, &printed_root_key(ROOT_KEY)).await;
    wait_usable(&operator, 0.0).await;
    run(&cluster, &space, &documented());
    wait_usable(&operator, 1.0).await;
    let second = has_another(&space, &first).await;

    // The message leads there as well.
    lose(&space.kube).await;
    wait_usable(&operator, 0.0).await;
    space.create("new", json!({})).await;
    let said = space.wait_refused("new", "RootKeyUnavailable").await;
    run(&cluster, &space, said.split('`').nth(1).unwrap());
    wait_usable(&operator, 1.0).await;
    has_another(&space, &second).await;
    space.wait_ready("new").await;
}
