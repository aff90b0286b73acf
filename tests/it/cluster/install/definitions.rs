//! A program on what another release left in the cluster: its definitions and its Roles.

use clientele_api::new_fields::NEW_FIELDS;
use clientele_operator::domain::definitions::REMEDY;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{TestNamespace, eventually, when};
use crate::tidy::releases::last_release;

fn apply(cluster: &Cluster, path: &str) {
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--filename",
        path,
    ];
    cluster.kubectl(&apply).unwrap();
}

async fn outdated(operator: &RunningOperator, value: f64) {
    eventually(&format!("clientele_crds_outdated is {value}"), || async {
        let seen = operator.metric("clientele_crds_outdated");
        when(seen == Some(value), (), || format!("{seen:?}"))
    })
    .await;
}

/// Whether the API server made a reconcile fail.
fn has_failed(operator: &RunningOperator) -> bool {
    let text = operator.metrics();
    let lines = text.lines().filter(|line| {
        line.starts_with("clientele_reconcile_errors_total") && line.contains("\"ApiError\"")
    });
    let mut counts = lines.filter_map(|line| Some(line.rsplit_once(' ')?.1));
    counts.any(|count| count != "0")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o05_o13_it_works_on_what_the_release_before_left() {
    let cluster = Cluster::start();
    let before = last_release();
    // Between a release and the first field after it, its definitions are those of today.
    let are_outdated = NEW_FIELDS.iter().any(|(_, fields)| !fields.is_empty());
    apply(&cluster, &format!("{before}/crds"));
    cluster.install_chart(&["crds.enabled=false"]);
    // As after a rollback of the chart, before that of the pods.
    apply(&cluster, &format!("{before}/rbac.yaml"));
    let operator = RunningOperator::start(&cluster, &Options::flags(&[]));
    let space = TestNamespace::within(&cluster, &operator.issuer, "before").await;
    space.ready("web", json!({})).await;
    assert_eq!(space.token("web-oauth").await.0, 200);
    outdated(&operator, f64::from(u8::from(are_outdated))).await;
    space
        .ready(
            "api",
            json!({ "scopes": ["openid"], "redirectUris": ["https://a.example/cb"] }),
        )
        .await;
    space.is_settled().await;
    assert!(!has_failed(&operator), "{}", operator.metrics());
    let warnings = operator
        .log()
        .matches("are those of the release before")
        .count();
    assert_eq!(warnings, usize::from(are_outdated));

    apply(&cluster, "crds");
    outdated(&operator, 0.0).await;
    assert_eq!(space.token("web-oauth").await.0, 200);
    operator.stop();

    // Older than the release before: that one knew this field.
    let field = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/displayName";
    let patch = json!([{ "op": "remove", "path": field }]).to_string();
    let definition = "customresourcedefinition/oauthtenants.clientele.dev";
    let remove = ["patch", definition, "--type=json", "--patch", &patch];
    cluster.kubectl(&remove).unwrap();
    let operator = RunningOperator::start_unready(&cluster, &Options::flags(&[]));
    eventually("it says what to install", || async {
        let said = operator.readiness();
        let is_told = said.contains("OAuthTenant.spec.displayName") && said.contains(REMEDY);
        when(is_told, (), || said.clone())
    })
    .await;
    assert_eq!(operator.readyz(), Some(503));
    apply(&cluster, "crds");
    operator.wait_ready();
    assert!(!has_failed(&operator));
}
