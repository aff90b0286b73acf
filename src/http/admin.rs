//! The admin listener: probes and metrics, on a port of their own and nowhere else.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

const TEXT: &str = "text/plain; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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
        .route("/metrics", get(async move || exposition(&metrics)))
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

fn exposition(metrics: &Registry) -> Response {
    let mut lines = String::new();
    match encode(&mut lines, metrics) {
        Ok(()) => text(StatusCode::OK, OPENMETRICS, lines),
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
