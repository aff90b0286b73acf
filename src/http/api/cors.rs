//! Which pages of other origins may call, and read the answers (the CORS protocol of the Fetch standard, RFC 9700 §2.6).
//!
//! Token, userinfo and revocation: exact origins of registered clients only; never `*`, and never with credentials, as
//! these endpoints know no cookies. Metadata and JWK Set say the same to everybody and are for any page, with any header;
//! introspection and the pages of people are for none.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;

use crate::App;
use crate::error_response::Refusal;
use clientele_oauth::Client;

/// The headers that a page may send to an endpoint that authenticates.
const OF_REQUESTS: &str = "Authorization, Content-Type";
/// Every header: `*` means all but `Authorization`, which stands for itself.
const ANY: &str = "*, Authorization";

/// What an endpoint answers to a method that is not its own: a preflight of a page that some client of the tenant
/// lists, or 405 with the methods that work.
pub(crate) fn other_method(app: &App, parts: &Parts, methods: &'static str) -> Response {
    let preflight = is_preflight(parts);
    let origin = parts.headers.get(ORIGIN).filter(|_| preflight);
    let mut response = match origin.filter(|origin| is_listed(app, parts.uri.path(), origin)) {
        Some(origin) => allowed(origin.clone(), methods, OF_REQUESTS),
        None => Refusal::wrong_method(methods),
    };
    if preflight {
        vary(response.headers_mut());
    }
    response
}

/// The same of a document, which any page may read: clients add headers of their own to such a request, and browsers
/// send a preflight for them.
pub(crate) fn other_method_of_document(parts: &Parts, methods: &'static str) -> Response {
    if is_preflight(parts) {
        return allowed(HeaderValue::from_static("*"), methods, ANY);
    }
    let mut response = Refusal::wrong_method(methods);
    expose_to_all(&mut response);
    response
}

/// Lets every page read an answer that says the same to everybody.
pub(crate) fn expose_to_all(response: &mut Response) {
    let anyone = HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
}

fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Which client will call is not known yet: any of the tenant may have asked for this origin.
fn is_listed(app: &App, path: &str, origin: &HeaderValue) -> bool {
    let registry = app.registry.load();
    let tenant = registry.route(path).map(|(tenant, _)| tenant);
    let origin = origin.to_str().ok();
    tenant
        .zip(origin)
        .is_some_and(|(tenant, origin)| tenant.clients.list_origin(origin))
}

fn allowed(origin: HeaderValue, methods: &'static str, names: &'static str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, names),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets the page that asked read the answer, if the client whom the request concerns lists its origin.
pub(crate) fn expose(response: &mut Response, request: &HeaderMap, client: Option<&Client>) {
    let Some(origin) = request.get(ORIGIN) else {
        return;
    };
    let headers = response.headers_mut();
    vary(headers);
    let lists = |client: &Client| {
        let mut listed = client.allowed_origins.iter();
        listed.any(|known| known.as_bytes() == origin.as_bytes())
    };
    if client.is_some_and(lists) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let readable = HeaderValue::from_static("WWW-Authenticate, Retry-After");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, readable);
    }
}

fn vary(headers: &mut HeaderMap) {
    headers.insert(VARY, HeaderValue::from_static("Origin"));
}
