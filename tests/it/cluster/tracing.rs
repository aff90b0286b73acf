//! Traces of the operator: a reconcile, and what it writes.

use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::collector::{Collector, Conduct, attribute};
use crate::support::operator::{Options, RunningOperator};
use crate::support::test_namespace::{TestNamespace, eventually, when};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o17_a_reconcile_is_a_trace_with_its_writes() {
    let collector = Collector::start(Conduct::Accepts).await;
    let cluster = Cluster::with_chart(&[]);
    let endpoint = collector.endpoint();
    let flags = ["--otlp-endpoint", &endpoint, "--otlp-sample-ratio", "1"];
    let operator = RunningOperator::start(&cluster, &Options::flags(&flags));
    let space = TestNamespace::within(&cluster, &operator.issuer, "traced").await;
    space.ready("web", json!({})).await;
    assert_eq!(space.token("web-oauth").await.0, 200);

    let exported = operator.metric("clientele_trace_spans_total");
    assert!(exported.is_some(), "{exported:?}");
    // The end exports what waits.
    assert!(operator.stop().success());
    let spans = eventually("the spans have come", || async {
        let spans = collector.spans();
        let token = spans.iter().any(|span| span.name == "POST /token");
        when(token, spans, || "no token request".to_owned())
    })
    .await;
    let ours = |span: &&Span| attribute(span, "k8s.namespace.name") == Some(space.name.clone());
    let created = spans
        .iter()
        .filter(ours)
        .find(|span| span.name == "create Secret");
    let created = created.expect("the Secret was created");
    assert_eq!(
        attribute(created, "k8s.object.name").as_deref(),
        Some("web-oauth")
    );
    let mut reconciles = spans
        .iter()
        .filter(|span| span.name == "reconcile OAuthClient");
    let reconcile = reconciles.find(|span| span.span_id == created.parent_span_id);
    let reconcile = reconcile.expect("the write is within a reconcile");
    assert_eq!(reconcile.trace_id, created.trace_id);
    assert!(reconcile.parent_span_id.is_empty());
    for (key, value) in [
        ("k8s.object.kind", "OAuthClient"),
        ("k8s.namespace.name", &*space.name),
        ("k8s.object.name", "web"),
        ("clientele.outcome", "ok"),
    ] {
        assert_eq!(attribute(reconcile, key).as_deref(), Some(value), "{key}");
    }
    let status = spans
        .iter()
        .filter(ours)
        .find(|span| span.name == "apply status OAuthClient");
    assert!(status.is_some(), "the status was written");
    // Heartbeats and leases begin no trace: each trace begins with a request or a reconcile.
    for span in spans.iter().filter(|span| span.parent_span_id.is_empty()) {
        let begins = ["reconcile ", "GET /", "POST /", "HEAD /"];
        assert!(
            begins.iter().any(|begin| span.name.starts_with(begin)),
            "{}",
            span.name
        );
    }
}
