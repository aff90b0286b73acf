//! The API server's answer to a write may come after the watch has told what others did to the object since.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator};
use crate::support::proxy::{Proxy, as_operator};
use crate::support::space::{Space, entries};

struct Late {
    space: Space,
    proxy: Proxy,
    _operator: RunningOperator,
    _cluster: Cluster,
}

impl Late {
    async fn new() -> Self {
        let cluster = Cluster::with_chart(&[]);
        let proxy = Proxy::start(as_operator(&cluster).await).await;
        let options = Options {
            kubeconfig: Some(proxy.kubeconfig.clone()),
            ..Options::flags(&[])
        };
        let operator = RunningOperator::start(&cluster, &options);
        let space = Space::within(&cluster, &operator.issuer, "answers").await;
        for name in ["web", "another"] {
            space.ready(name, json!({})).await;
        }
        Self {
            space,
            proxy,
            _operator: operator,
            _cluster: cluster,
        }
    }

    /// Changes a Secret, and waits until it is put right.
    async fn is_put_right(&self, name: &str) -> Secret {
        let before = self.space.secrets().get(name).await.unwrap();
        self.tamper(name).await;
        let right = |secret: &Secret| secret.data == before.data;
        let what = format!("{name} is put right");
        self.space.wait_secret(name, &what, right).await
    }

    async fn tamper(&self, name: &str) {
        let patch = Patch::Merge(json!({ "data": { "CLIENT_SECRET": "aHVudGVyMg==" } }));
        let params = PatchParams::default();
        let changed = self.space.secrets().patch(name, &params, &patch).await;
        changed.unwrap();
    }

    /// Events come in the order of what happened: when this is answered by a write, the operator has heard of all
    /// that was done before.
    async fn has_heard(&self) {
        self.is_put_right("another-oauth").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f47_f33_what_was_done_to_a_secret_before_the_answer_came_is_put_right() {
    let late = Late::new().await;
    late.proxy.hold_answers();
    let right = late.is_put_right("web-oauth").await;
    late.tamper("web-oauth").await;
    late.has_heard().await;
    late.proxy.release_answers();
    let what = "the second change is put right, too";
    let same = |secret: &Secret| secret.data == right.data;
    late.space.wait_secret("web-oauth", what, same).await;

    late.proxy.hold_answers();
    let right = late.is_put_right("web-oauth").await;
    let now = DeleteParams::default();
    late.space
        .secrets()
        .delete("web-oauth", &now)
        .await
        .unwrap();
    late.has_heard().await;
    late.proxy.release_answers();
    let again = |secret: &Secret| secret.uid() != right.uid();
    let back = late
        .space
        .wait_secret("web-oauth", "it is back", again)
        .await;
    assert_eq!(entries(&back), entries(&right));
}
