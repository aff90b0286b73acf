//! The span of each HTTP request. It names method, endpoint, tenant and status: nothing else of what came is in it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use axum::response::Response;
use hyper::{HeaderMap, Method, Request};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tower::Service;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use clientele_oauth::{Endpoint, Registry};
use clientele_telemetry::trace::{TARGET, TraceParent};

/// A service whose requests to an endpoint of a tenant are spans. What comes for no endpoint, such as a probe of a load balancer, has
/// none.
#[derive(Clone)]
pub struct TracedRequests<S> {
    service: S,
    registry: Arc<ArcSwap<Registry>>,
}

impl<S> TracedRequests<S> {
    /// The same service; the registry knows the endpoints.
    pub fn new(service: S, registry: Arc<ArcSwap<Registry>>) -> Self {
        Self { service, registry }
    }

    fn span<B>(&self, request: &Request<B>) -> Span {
        let registry = self.registry.load();
        let Some((tenant, endpoint)) = registry.route(request.uri().path()) else {
            return Span::none();
        };
        let (method, route) = (method(request.method()), route(endpoint));
        let span = info_span!(
            target: TARGET,
            "request",
            otel.kind = "server",
            otel.name = %format_args!("{method} {route}"),
            otel.status_code = Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = Empty,
            clientele.tenant = &*tenant.name,
            clientele.request_id = Empty,
        );
        if let Some(parent) = parent(request.headers()) {
            // Fails where the span is not recorded at all.
            let _ = span.set_parent(parent);
        }
        span
    }
}

impl<S, B> Service<Request<B>> for TracedRequests<S>
where
    S: Service<Request<B>, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let span = self.span(&request);
        let answer = self.service.call(request).instrument(span.clone());
        Box::pin(async move {
            let response = answer.await?;
            let status = response.status();
            span.record("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.record("otel.status_code", "ERROR");
            }
            Ok(response)
        })
    }
}

/// The method, of those that exist: a caller may send any word.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// The path of an endpoint below its issuer.
fn route(endpoint: Endpoint) -> &'static str {
    let mut paths = Endpoint::UNDER_ISSUER.iter();
    let found = paths.find(|(of, _)| *of == endpoint);
    found.map_or("/.well-known/openid-configuration", |(_, path)| path)
}

/// The caller's span. Its `tracestate` is left out: it may be anything.
fn parent(headers: &HeaderMap) -> Option<opentelemetry::Context> {
    let value = headers.get("traceparent")?;
    let parent = TraceParent::parse(value.as_bytes())?;
    let caller = SpanContext::new(
        TraceId::from(parent.trace_id),
        SpanId::from(parent.span_id),
        TraceFlags::default().with_sampled(parent.sampled),
        true,
        TraceState::default(),
    );
    Some(opentelemetry::Context::new().with_remote_span_context(caller))
}
