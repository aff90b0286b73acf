//! Who may read an answer from a script in a page of another origin (CORS, the Fetch standard §3.2).
//!
//! Only the token, userinfo and revocation endpoints, and only for the origins that some client of the tenant names, each
//! exactly. Never with credentials: no cookie counts there, a request proves what it may have by what it sends. The
//! pages are never readable (RFC 9700 §2.6).

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use axum::response::Response;

use super::App;
use crate::oauth::Endpoint;

/// Whether scripts of other origins may use the endpoint.
fn is_shared(endpoint: Endpoint) -> bool {
    use Endpoint::{Revoke, Token, Userinfo};
    matches!(endpoint, Token | Userinfo | Revoke)
}

/// The origin of a request to an endpoint that is shared with it.
pub(super) fn origin_of<B>(
    app: &App,
    endpoint: Option<Endpoint>,
    request: &Request<B>,
) -> Option<HeaderValue> {
    let origin = request.headers().get(ORIGIN)?;
    let registry = app.registry.load();
    let (tenant, _) = registry.route(request.uri().path())?;
    let allowed = endpoint.is_some_and(is_shared)
        && origin
            .to_str()
            .is_ok_and(|origin| tenant.allowed_origins.contains(origin));
    allowed.then(|| origin.clone())
}

/// The answer to the question that a browser asks beforehand; none if the request asks nothing of the kind.
pub(super) fn preflight<B>(
    endpoint: Option<Endpoint>,
    request: &Request<B>,
    origin: Option<&HeaderValue>,
) -> Option<Response> {
    let asks = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !asks || !endpoint.is_some_and(is_shared) {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if origin.is_some() {
        let headers = response.headers_mut();
        let methods = HeaderValue::from_static("GET, POST");
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        let allowed = HeaderValue::from_static("authorization, content-type");
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    Some(response)
}

/// Lets the origin read the answer. An answer that depends on the origin says so to caches.
pub(super) fn expose(
    endpoint: Option<Endpoint>,
    headers: &mut HeaderMap,
    origin: Option<HeaderValue>,
) {
    if !endpoint.is_some_and(is_shared) {
        return;
    }
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static("www-authenticate, retry-after");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}
