//! Traces of the operator: a reconcile, and what it writes.

use std::collections::BTreeSet;

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
        .find(|span| span.name == "create secrets");
    let created = created.expect("the Secret was created");
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
        .find(|span| span.name == "patch oauthclients/status");
    let status = status.expect("the status was written");
    for (key, value) in [
        ("k8s.object.name", "web"),
        ("http.response.status_code", "200"),
        ("clientele.outcome", "ok"),
    ] {
        assert_eq!(attribute(status, key).as_deref(), Some(value), "{key}");
    }
    are_written_outside_of_reconciles(&spans);
}

/// What is written without a request and without a reconcile begins a trace as well; heartbeats in the store do not.
fn are_written_outside_of_reconciles(spans: &[Span]) {
    let roots = spans.iter().filter(|span| span.parent_span_id.is_empty());
    let roots: BTreeSet<&str> = roots.map(|span| &*span.name).collect();
    for resource in [
        "leases",
        "configmaps",
        "secrets",
        "events",
        "oauthtenants",
        "oauthclients",
    ] {
        let created = format!("create {resource}");
        assert!(roots.contains(&*created), "{created}: {roots:?}");
    }
    let begins = ["reconcile ", "GET /", "POST /", "HEAD /"];
    let verbs = ["create ", "update ", "patch ", "delete "];
    for name in roots {
        let mut begins = begins.iter().chain(&verbs);
        assert!(begins.any(|begin| name.starts_with(begin)), "{name}");
    }
}
