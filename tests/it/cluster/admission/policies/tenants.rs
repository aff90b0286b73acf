//! What the chart warns of in an OAuthTenant, and refuses nothing.

use serde_json::{Value, json};

use crate::cluster::documented::run_in;
use crate::support::cluster::shared;
use crate::support::test_namespace::{TestNamespace, eventually};

/// What `kubectl apply` says beside the answer.
async fn applied(space: &TestNamespace, spec: Value) -> String {
    let tenant = json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": "OAuthTenant",
        "metadata": { "name": space.name }, "spec": spec,
    });
    let name = space.name.clone();
    let script = format!("kubectl apply -f - <<'EOF'\n{tenant}\nEOF");
    let run = move || run_in(&shared().cluster, &name, &script);
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test]
async fn n08_who_writes_a_scope_that_the_tenant_lacks_is_warned() {
    let space = TestNamespace::new("tenants").await;
    let uri = "https://orders.example";
    let spec = |listed: &str| {
        json!({
            "scopes": [{ "name": "orders.read" }],
            "audiences": [{ "uri": "https://bills.example" }, { "uri": uri, "scopes": [listed, "email"] }],
        })
    };
    // A policy counts some seconds after it was installed.
    eventually("the author is warned", || async {
        let said = applied(&space, spec("order.read")).await;
        let warned = said.contains("Warning:") && said.contains(uri);
        warned.then_some(()).ok_or(said)
    })
    .await;
    for right in [spec("orders.read"), json!({})] {
        let said = applied(&space, right).await;
        assert!(!said.contains("Warning:"), "{said}");
    }
}
