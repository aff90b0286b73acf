//! From a raw path and a method to a handler.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request};
use axum::response::Response;
use bytes::Bytes;
use tower::Service;

use super::api::{cors, discovery, introspect, revoke, token, userinfo};
use super::behind::unless_behind;
use super::error_response::Refusal;
use super::head::without_body;
use super::{App, browser, health, pages};
use clientele_oauth::Endpoint;

/// For a year a browser that was here once comes by TLS only (RFC 6797). The token endpoint goes without: its answers are as
/// small as can be, and who calls it has read the metadata.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The public endpoints of all tenants as a service.
#[derive(Clone)]
pub struct Endpoints(Arc<App>);

impl Endpoints {
    /// The endpoints of an application.
    pub(super) fn new(app: App) -> Self {
        Self(Arc::new(app))
    }
}

impl<B> Service<Request<B>> for Endpoints
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let app = self.0.clone();
        let (parts, mut body) = request.into_parts();
        // A block and no function, which would keep its arguments twice; the token endpoint is lent the body for the
        // same reason. What waits for the store is boxed, so that a request that does not is not moved about with
        // room for it.
        Box::pin(async move {
            let app = &*app;
            let (endpoint, is_secure) = endpoint_of(app, parts.uri.path());
            let response = match endpoint {
                Some(endpoint) if is_recorded(endpoint) && !app.audit.has_room() => {
                    Refusal::NO_AUDIT_LOG.into_response()
                }
                Some(Endpoint::Token) => token::respond(app, &parts, &mut body).await,
                Some(endpoint @ (Endpoint::Metadata | Endpoint::Jwks)) => {
                    document(app, endpoint, &parts)
                }
                Some(
                    endpoint @ (Endpoint::Authorize
                    | Endpoint::Login
                    | Endpoint::Consent
                    | Endpoint::Logout
                    | Endpoint::Account),
                ) => Box::pin(browser::respond(app, endpoint, parts, body)).await,
                Some(Endpoint::Stylesheet) => file(&parts, pages::stylesheet),
                Some(Endpoint::Logo) => file(&parts, || logo(app, &parts)),
                Some(Endpoint::Userinfo) => Box::pin(userinfo::respond(app, &parts, body)).await,
                Some(Endpoint::Introspect) => {
                    Box::pin(introspect::respond(app, &parts, body)).await
                }
                Some(Endpoint::Revoke) => Box::pin(revoke::respond(app, &parts, body)).await,
                None if app.registry.load().revision == 0 => Refusal::LOADING.into_response(),
                None => health::respond(app, &parts)
                    .unwrap_or_else(|| Refusal::NOT_FOUND.into_response()),
            };
            let mut response = unless_behind(app, response);
            app.metrics.count_response(endpoint, response.status());
            if is_secure && endpoint != Some(Endpoint::Token) {
                let headers = response.headers_mut();
                headers.insert(STRICT_TRANSPORT_SECURITY, ONLY_TLS);
            }
            Ok(response)
        })
    }
}

/// Whether a request to the endpoint may have a line in the audit log.
fn is_recorded(endpoint: Endpoint) -> bool {
    !matches!(
        endpoint,
        Endpoint::Metadata | Endpoint::Jwks | Endpoint::Stylesheet | Endpoint::Logo
    )
}

/// The endpoint, and whether its issuer is reached by TLS only.
fn endpoint_of(app: &App, path: &str) -> (Option<Endpoint>, bool) {
    match app.registry.load().route(path) {
        Some((tenant, endpoint)) => (Some(endpoint), tenant.issuer.starts_with("https://")),
        None => (None, false),
    }
}

fn document(app: &App, endpoint: Endpoint, parts: &Parts) -> Response {
    match parts.method {
        Method::GET => read(app, endpoint, parts.uri.path()),
        Method::HEAD => without_body(read(app, endpoint, parts.uri.path())),
        _ => cors::other_method_of_document(parts, "GET, HEAD"),
    }
}

fn file(parts: &Parts, read: impl FnOnce() -> Response) -> Response {
    match parts.method {
        Method::GET => read(),
        Method::HEAD => without_body(read()),
        _ => Refusal::wrong_method("GET, HEAD"),
    }
}

fn logo(app: &App, parts: &Parts) -> Response {
    let registry = app.registry.load();
    let tenant = registry.route(parts.uri.path()).map(|(tenant, _)| tenant);
    match tenant.and_then(|tenant| tenant.branding.logo.as_ref()) {
        Some(picture) => pages::logo(picture, parts.uri.query()),
        None => Refusal::NOT_FOUND.into_response(),
    }
}

fn read(app: &App, endpoint: Endpoint, path: &str) -> Response {
    let registry = app.registry.load();
    match registry.route(path) {
        Some((tenant, Endpoint::Jwks)) => discovery::jwks(tenant),
        Some((tenant, _)) if endpoint == Endpoint::Metadata => discovery::metadata(tenant),
        // The registry was replaced a moment ago.
        _ => Refusal::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arc_swap::ArcSwap;
    use axum::body::Body;
    use clientele_oauth::{Registry, Tenant};
    use clientele_store::Store;

    #[tokio::test]
    async fn o08_a_process_that_is_still_loading_asks_to_come_again() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let app = App::new(Arc::default(), jiff::Timestamp::now, Arc::default(), store);
        let mut endpoints = Endpoints::new(app);
        for path in ["/token", "/.well-known/openid-configuration", "/elsewhere"] {
            let request = Request::post(path).body(Body::empty()).unwrap();
            let response = endpoints.call(request).await.unwrap();
            assert_eq!(response.status(), 503, "{path}");
            assert_eq!(response.headers()["retry-after"], "1");
            assert_eq!(response.headers()["cache-control"], "no-store");
        }
    }

    /// The allocator of glibc has pieces of up to 1,032 bytes at hand. A body of hyper's takes 40 bytes where this
    /// one takes 16.
    #[tokio::test]
    async fn a_request_is_not_moved_about_with_room_for_what_it_does_not_need() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let tenant = Tenant::new("t".into(), "uid-of-t".into(), "https://t".into());
        let registry = Registry::new(1, None, vec![Arc::new(tenant)]);
        let registry = Arc::new(ArcSwap::from_pointee(registry));
        let app = App::new(registry, jiff::Timestamp::now, Arc::default(), store);
        let request = Request::post("/token").body(Body::empty()).unwrap();
        let size = std::mem::size_of_val(&*Endpoints::new(app).call(request));
        assert!(size < 1000, "{size} bytes");
    }
}
