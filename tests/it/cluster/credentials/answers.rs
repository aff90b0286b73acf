//! The API server's answer to a write may come after the watch has told what others did to the object since, and the
//! watch may tell of what was written long after it was.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator};
use crate::support::proxy::Proxy;
use crate::support::test_namespace::{TestNamespace, entries, eventually, when};

struct Late {
    space: TestNamespace,
    proxy: Proxy,
    operator: RunningOperator,
    _cluster: Cluster,
}

impl Late {
    async fn new() -> Self {
        let cluster = Cluster::with_chart(&[]);
        let proxy = Proxy::before(&cluster).await;
        let operator = RunningOperator::start(&cluster, &Options::flags(&[]).through(&proxy));
        let space = TestNamespace::within(&cluster, &operator.issuer, "answers").await;
        for name in ["web", "another"] {
            space.ready(name, json!({})).await;
        }
        Self {
            space,
            proxy,
            operator,
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
async fn f47_f33_a_change_before_the_answer_to_a_write_is_repaired() {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f86_keys_lost_before_the_watch_reports_them_are_not_replaced() {
    const KEYS: &str = "clientele-signing-late";
    let late = Late::new().await;
    let own: Api<Secret> = Api::namespaced(late.space.kube.clone(), "clientele-system");
    late.proxy.hold_answers();
    let made = late.space.try_create_tenant("late", json!({})).await;
    made.unwrap();
    eventually("there are keys", || async {
        let keys = own.get_opt(KEYS).await.unwrap();
        when(keys.is_some(), (), || "none".to_owned())
    })
    .await;
    late.proxy.hold_watches();
    late.proxy.release_answers();
    eventually("the status says so", || async {
        let status = late.space.tenants().get("late").await.unwrap().status;
        let known = status.is_some_and(|status| !status.key_ids.is_empty());
        when(known, (), || "it does not".to_owned())
    })
    .await;
    let before = late.operator.conflicts();
    let _ = own.delete(KEYS, &DeleteParams::default()).await.unwrap();
    eventually(
        "a reconcile has seen that the keys were deleted",
        || async {
            let seen = late.operator.conflicts() > before;
            when(seen, (), || late.operator.metrics())
        },
    )
    .await;
    late.proxy.release_watches();
    eventually("a person is asked to restore them", || async {
        let status = late.space.tenants().get("late").await.unwrap().status;
        let conditions = status.map(|status| status.conditions).unwrap_or_default();
        let mut conditions = conditions.iter();
        let asked = conditions.any(|c| c.reason == "SigningKeysUnavailable");
        when(asked, (), || "not yet".to_owned())
    })
    .await;
    assert!(own.get_opt(KEYS).await.unwrap().is_none());
}
