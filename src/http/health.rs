//! The paths of the public port that belong to no endpoint: what a load balancer probes, and what a person opens who
//! was given nothing but a host name.

use axum::http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;

use super::App;
use super::head::without_body;
use clientele_oauth::Tenant;
use clientele_oauth::registry::issuer_path;

/// Where load balancers ask, whatever the Host is.
const HEALTH: &str = "/healthz";
/// The tenant whose page a person sees who names none.
const DEFAULT: &str = "default";

/// The answer to a path that is no endpoint; `None` where there is nothing.
pub(super) fn respond(app: &App, parts: &Parts) -> Option<Response> {
    let path = parts.uri.path();
    let response = if path == HEALTH {
        match parts.method {
            Method::GET | Method::HEAD => health(app),
            _ => return Some(wrong_method()),
        }
    } else {
        lead(app, parts, path)?
    };
    Some(match parts.method {
        Method::HEAD => without_body(response),
        _ => response,
    })
}

/// What is missing is said on the admin port only.
fn health(app: &App) -> Response {
    match (app.ready)() {
        Ok(()) => text(StatusCode::OK, "ok"),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    }
}

/// A browser that opens the issuer, or the root of the host, goes on to the account page; programs are told as before.
fn lead(app: &App, parts: &Parts, path: &str) -> Option<Response> {
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    let mut accepted = parts.headers.get_all(ACCEPT).iter();
    let is_browser =
        accepted.any(|value| value.to_str().is_ok_and(|text| text.contains("text/html")));
    if !is_read || !is_browser {
        return None;
    }
    let registry = app.registry.load();
    let trimmed = path.trim_end_matches('/');
    let lies_here = |tenant: &&std::sync::Arc<Tenant>| issuer_path(&tenant.issuer) == trimmed;
    let of_path = registry.tenants.values().find(lies_here);
    let at_root = || registry.tenants.get(DEFAULT).filter(|_| trimmed.is_empty());
    let tenant = of_path.or_else(at_root)?;
    let page = HeaderValue::try_from(format!("{}/account", tenant.issuer)).ok()?;
    let mut response = text(StatusCode::SEE_OTHER, "");
    response.headers_mut().insert(LOCATION, page);
    Some(response)
}

fn wrong_method() -> Response {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "use GET or HEAD");
    let allow = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, allow);
    response
}

fn text(status: StatusCode, body: &'static str) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, plain);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
