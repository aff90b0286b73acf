//! Traces, as a collector receives them: what is in them, what is not, and what a collector can do to the server.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, Response};
use clientele::traces::requests::TracedRequests;
use clientele::traces::writes::WriteSpans;
use clientele::traces::{TraceSettings, Traces};
use clientele_http::{App, Endpoints};
use clientele_telemetry::audit::Audit;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::runtime::Handle;
use tower::{Layer, ServiceExt};
use tracing::subscriber::DefaultGuard;

use crate::support::ask::ask;
use crate::support::collector::{Collector, Conduct, attribute};
use crate::support::issued::seed;
use crate::support::logs::Logs;
use crate::support::reply::Reply;
use crate::support::test_namespace::eventually;
use crate::support::test_server::{FORM, TestServer, basic};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A server with traces.
struct Traced {
    world: TestServer,
    requests: TracedRequests<Endpoints>,
    traces: Traces,
    logs: Logs,
    _guard: DefaultGuard,
}

impl Traced {
    async fn start(collector: &Collector, ratio: f64) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let settings = TraceSettings {
            endpoint: format!("{}/v1/traces", collector.endpoint()),
            ratio,
            version: "9.9.9".to_owned(),
            instance: "clientele-0".to_owned(),
        };
        let traces = Traces::start(Some(&settings), &Handle::current()).unwrap();
        let (logs, guard) = Logs::beside(traces.layer().unwrap());
        let app = TestServer::at_rest().await.app;
        let audit = Audit::new(true).with_traces(traces.current());
        let world = TestServer::with(App {
            audit: audit.into(),
            ..app
        });
        let registry = world.app.registry.clone();
        Self {
            requests: TracedRequests::new(world.router.clone(), registry),
            world,
            traces,
            logs,
            _guard: guard,
        }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.requests.clone().oneshot(request).await.unwrap();
        Reply::read(response).await
    }

    async fn get(&self, path: &str) -> Reply {
        let request = Request::get(path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// `POST /token` of a client, with a `traceparent` if it is not empty.
    async fn token(&self, client_id: &str, parent: &str, form: &[(&str, &str)]) -> Reply {
        let credentials = basic(client_id, &self.world.secret(client_id));
        let mut request = Request::post("/token")
            .header(CONTENT_TYPE, FORM)
            .header(AUTHORIZATION, credentials);
        if !parent.is_empty() {
            request = request.header("traceparent", parent);
        }
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(form).finish();
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Exports everything.
    async fn end(self) {
        self.traces.end().await;
    }
}

fn is_child(child: &Span, parent: &Span) -> bool {
    child.trace_id == parent.trace_id && child.parent_span_id == parent.span_id
}

#[tokio::test]
async fn o17_a_token_request_is_a_span_with_the_store_below_it() {
    let collector = Collector::start(Conduct::Accepts).await;
    let traced = Traced::start(&collector, 1.0).await;
    let code = seed(&traced.world, "team-a.app")
        .insert(&traced.world)
        .await;
    let reply = traced.token("team-a.app", "", &code.form()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    traced.end().await;

    let request = collector.span("POST /token");
    assert!(request.parent_span_id.is_empty(), "it begins the trace");
    for (key, expected) in [
        ("http.request.method", "POST"),
        ("http.route", "/token"),
        ("http.response.status_code", "200"),
        ("clientele.tenant", "default"),
    ] {
        assert_eq!(attribute(&request, key).as_deref(), Some(expected), "{key}");
    }
    for (name, access) in [("FindCode", "read"), ("RedeemCode", "write")] {
        let operation = collector.span(name);
        assert!(is_child(&operation, &request), "{operation:?}");
        let found = attribute(&operation, "clientele.store.access");
        assert_eq!(found.as_deref(), Some(access));
    }
    // The code was put into the store without a request.
    let names: Vec<String> = collector
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert!(!names.iter().any(|name| name == "InsertCode"), "{names:?}");
    for (key, expected) in [
        ("service.name", "clientele"),
        ("service.version", "9.9.9"),
        ("service.instance.id", "clientele-0"),
    ] {
        let found = collector.about_the_process(key);
        assert_eq!(found.as_deref(), Some(expected), "{key}");
    }
}

#[tokio::test]
async fn o17_a_trace_goes_on_where_the_caller_began_it() {
    let collector = Collector::start(Conduct::Accepts).await;
    let traced = Traced::start(&collector, 0.0).await;
    let form = [("grant_type", "client_credentials")];
    for parent in ["", &PARENT.replace("-01", "-00"), "00-nonsense", PARENT] {
        assert_eq!(traced.token("team-a.web", parent, &form).await.status, 200);
    }
    let lines = traced.logs.text();
    traced.end().await;

    let request = collector.span("POST /token");
    let trace_id = u128::from_str_radix(&PARENT[3..35], 16).unwrap();
    let span_id = u64::from_str_radix(&PARENT[36..52], 16).unwrap();
    assert_eq!(request.trace_id, trace_id.to_be_bytes());
    assert_eq!(request.parent_span_id, span_id.to_be_bytes());
    let of_trace = format!("trace_id=\"{}\"", &PARENT[3..35]);
    let of_trace = lines.matches(&of_trace).count();
    assert_eq!(of_trace, 2, "lines of both requests of that trace: {lines}");
    assert_eq!(lines.matches("trace_id=").count(), 4, "{lines}");
}

#[tokio::test]
async fn o17_callers_have_no_more_than_a_few_traces_recorded() {
    let collector = Collector::start(Conduct::Accepts).await;
    let traced = Traced::start(&collector, 0.0).await;
    let began = Instant::now();
    for _ in 0..200 {
        let request = Request::get("/jwks").header("traceparent", PARENT);
        traced.send(request.body(Body::empty()).unwrap()).await;
    }
    let seconds = began.elapsed().as_secs() + 2;
    traced.end().await;
    let recorded = collector.spans().len() as u64;
    assert!(
        (10..=10 * seconds).contains(&recorded),
        "{recorded} in {seconds} s"
    );
}

#[tokio::test]
async fn o17_a_refusal_has_its_request_id_in_its_span() {
    let collector = Collector::start(Conduct::Accepts).await;
    let traced = Traced::start(&collector, 1.0).await;
    let page = traced.get("/authorize?client_id=unknown").await;
    assert_eq!(page.status, 400);
    traced.end().await;
    let request = collector.span("GET /authorize");
    let id = attribute(&request, "clientele.request_id").expect("an ID");
    assert!(page.body.contains(&id), "{id}: {}", page.body);
}

#[tokio::test]
async fn o17_m14_nothing_that_a_caller_sends_is_exported() {
    const CANARY: &str = "canary-that-is-secret";
    let collector = Collector::start(Conduct::Accepts).await;
    let traced = Traced::start(&collector, 1.0).await;
    let code = seed(&traced.world, "team-a.app")
        .insert(&traced.world)
        .await;
    let answer = traced.token("team-a.app", "", &code.form()).await;
    let secret = traced.world.secret("team-a.app");
    let wrong = [("grant_type", "refresh_token"), ("refresh_token", CANARY)];
    traced.token("team-a.app", "", &wrong).await;
    let login = [("username", CANARY), ("password", CANARY)];
    traced.token("team-a.app", CANARY, &login).await;
    let authorize = ask("team-a.app").with("state", CANARY).url();
    traced.get(&authorize).await;
    traced.get(&format!("/{CANARY}")).await;
    traced.get(&format!("/t/{CANARY}/token")).await;
    let everywhere = Request::builder()
        .method(CANARY)
        .uri(format!("/login?{CANARY}={CANARY}"))
        .header("traceparent", PARENT)
        .header("tracestate", format!("{CANARY}={CANARY}"))
        .header("baggage", format!("{CANARY}={CANARY}"))
        .header("user-agent", CANARY)
        .header("cookie", format!("{CANARY}={CANARY}"))
        .header("x-forwarded-for", CANARY)
        .body(Body::from(CANARY));
    traced.send(everywhere.unwrap()).await;
    traced.end().await;

    let sent = collector.bytes();
    let sent = String::from_utf8_lossy(&sent);
    assert!(sent.contains("_OTHER /login"), "{sent}");
    let tokens = answer.json();
    let tokens = ["access_token", "refresh_token", "id_token"].map(|name| tokens[name].as_str());
    let mut forbidden: Vec<&str> = tokens.into_iter().flatten().collect();
    assert!(!forbidden.is_empty());
    forbidden.extend([CANARY, &code.value, &code.kept.digest, &secret]);
    forbidden.extend(["alice", "team-a.app", "127.0.0.1"]);
    for forbidden in forbidden {
        assert!(!sent.contains(forbidden), "{forbidden} is in {sent}");
    }
}

/// Sends writes over a connection that answers with the status in the query, or not at all.
async fn write_all(paths: impl IntoIterator<Item = (&str, &str)>) {
    let wire = tower::service_fn(|request: Request<Body>| async move {
        let status = request.uri().query().and_then(|query| query.parse().ok());
        let status: u16 = status.ok_or("no answer")?;
        let response = Response::builder().status(status);
        Ok::<_, &str>(response.body(Body::empty()).unwrap())
    });
    let wire = WriteSpans.layer(wire);
    for (method, path) in paths {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::from("the content of a Secret")).unwrap();
        let _ = wire.clone().oneshot(request).await;
    }
}

#[tokio::test]
async fn o17_a_write_to_the_api_server_is_a_span_with_its_outcome() {
    const IN: &str = "/api/v1/namespaces/ops";
    let collector = Collector::start(Conduct::Accepts).await;
    let traced = Traced::start(&collector, 1.0).await;
    let writes = [
        ("update leases", "ok", Some("200")),
        ("create configmaps", "conflict", Some("409")),
        ("delete secrets", "gone", Some("404")),
        ("patch oauthclients/status", "error", Some("500")),
        ("create events", "error", None),
    ];
    let paths = [
        ("PUT", format!("{IN}/leases/clientele?200")),
        ("POST", format!("{IN}/configmaps?409")),
        ("DELETE", format!("{IN}/secrets/clientele?404")),
        ("PATCH", format!("{IN}/oauthclients/clientele/status?500")),
        ("POST", format!("{IN}/events?never")),
        ("GET", format!("{IN}/secrets/clientele?200")),
    ];
    write_all(paths.iter().map(|(method, path)| (*method, &**path))).await;
    traced.end().await;

    assert_eq!(collector.spans().len(), writes.len(), "what reads is none");
    for (name, outcome, status) in writes {
        let span = collector.span(name);
        let is_of = |key: &str, expected: Option<&str>| {
            assert_eq!(attribute(&span, key).as_deref(), expected, "{name}: {key}");
        };
        let (verb, resource) = name.split_once(' ').unwrap();
        let object = (verb != "create").then_some("clientele");
        is_of("k8s.verb", Some(verb));
        is_of("k8s.resource", Some(resource));
        is_of("k8s.namespace.name", Some("ops"));
        is_of("k8s.object.name", object);
        is_of("clientele.outcome", Some(outcome));
        is_of("http.response.status_code", status);
        let failed = span.status.as_ref().is_some_and(|it| it.code == 2);
        assert_eq!(failed, outcome == "error", "{name}");
    }
    let sent = collector.bytes();
    let sent = String::from_utf8_lossy(&sent);
    for forbidden in ["content of a Secret", "never"] {
        assert!(!sent.contains(forbidden), "{forbidden} is in {sent}");
    }
}

#[tokio::test]
async fn o17_a_collector_that_stalls_costs_spans_and_no_time() {
    let collector = Collector::start(Conduct::Stalls).await;
    let traced = Traced::start(&collector, 1.0).await;
    let form = [("grant_type", "client_credentials")];
    assert_eq!(traced.token("team-a.web", "", &form).await.status, 200);
    eventually("an exchange hangs", || async {
        (collector.exchanges() > 0)
            .then_some(())
            .ok_or(String::new())
    })
    .await;
    let began = Instant::now();
    assert_eq!(traced.token("team-a.web", "", &form).await.status, 200);
    let token = began.elapsed();
    assert!(token < Duration::from_secs(2), "{token:?}");
    for _ in 0..3_000 {
        assert_eq!(traced.get("/jwks").await.status, 200);
    }
    let counts = traced.traces.counts().clone();
    // 2,048 wait, and one or two batches may have failed meanwhile.
    let (dropped, failed) = (counts.dropped.get(), counts.failed.get());
    assert!(dropped + failed >= 3_002 - 2_048, "{dropped} and {failed}");
    let began = Instant::now();
    traced.end().await;
    let end = began.elapsed();
    assert!(end < Duration::from_secs(8), "the end is bounded: {end:?}");
    assert_eq!(counts.exported.get(), 0);
}

#[tokio::test]
async fn o17_a_failing_collector_is_one_line_and_its_return_one() {
    let collector = Collector::start(Conduct::Refuses).await;
    let traced = Traced::start(&collector, 1.0).await;
    let counts = traced.traces.counts().clone();
    let count = |text: &str| traced.logs.text().matches(text).count();
    let conducts = [
        Conduct::Refuses,
        Conduct::Refuses,
        Conduct::Babbles,
        Conduct::Accepts,
    ];
    for (sent, conduct) in (1..).zip(conducts) {
        collector.turn(conduct);
        traced.get("/jwks").await;
        eventually("the span has been sent", || async {
            let seen = counts.failed.get() + counts.exported.get();
            (seen == sent)
                .then_some(())
                .ok_or(format!("{seen} of {sent}"))
        })
        .await;
    }
    let lines = traced.logs.text();
    assert_eq!(count("the collector does not accept traces"), 1, "{lines}");
    assert_eq!(count("it answered 500"), 1);
    assert_eq!(count("the collector accepts traces again"), 1);
    assert_eq!((counts.failed.get(), counts.exported.get()), (2, 2));
    traced.end().await;
}
