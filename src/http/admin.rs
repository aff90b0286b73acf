//! The admin listener: probes and metrics, on a port of their own and nowhere else.

pub mod exposition;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use prometheus_client::registry::Registry;

use exposition::Format;

const TEXT: &str = "text/plain; charset=utf-8";

/// Whether the process can do its work; the sentence says what is missing.
pub type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What the admin listener shows.
#[derive(Clone)]
pub struct Admin {
    /// Asked by every readiness probe.
    pub ready: Readiness,
    /// Everything that is counted.
    pub metrics: Arc<Registry>,
}

/// The admin endpoints as a router.
pub fn admin_router(admin: Admin) -> Router {
    let Admin { ready, metrics } = admin;
    Router::new()
        .route("/livez", get(async || text(StatusCode::OK, TEXT, "ok")))
        .route("/readyz", get(async move || readiness(&ready)))
        .route(
            "/metrics",
            get(async move |headers| metrics_in(&metrics, &headers)),
        )
        .fallback(async || {
            text(
                StatusCode::NOT_FOUND,
                TEXT,
                "try /livez, /readyz or /metrics",
            )
        })
}

fn readiness(ready: &Readiness) -> Response {
    match ready() {
        Ok(()) => text(StatusCode::OK, TEXT, "ok"),
        Err(missing) => text(StatusCode::SERVICE_UNAVAILABLE, TEXT, missing),
    }
}

/// The metrics in the format that the headers ask for.
fn metrics_in(metrics: &Registry, headers: &HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::accepted(accept.unwrap_or_default());
    match format.write(metrics) {
        Ok(lines) => text(StatusCode::OK, format.media_type(), lines),
        Err(_) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            TEXT,
            "a metric could not be written",
        ),
    }
}

fn text(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
