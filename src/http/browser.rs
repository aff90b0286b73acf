//! The endpoints that people's browsers open: to sign in, to consent, to sign out, to see their account.
//!
//! A handler reads a visit, asks [`clientele_oauth`] what follows, and answers with a page or sends the browser on. URLs are
//! built from the issuer; no header of the request is ever part of one. There is no CORS here, for any origin.

mod account;
pub(crate) mod audit_events;
pub(crate) mod authorization;
mod authorize;
mod consent;
mod consent_page;
mod cookies;
pub(crate) mod error_page;
mod known_browser;
mod leaving;
mod login;
mod login_failures;
pub(crate) mod login_transaction;
mod logout;
pub mod password_login;
mod password_upgrade;
pub(crate) mod redirect;
mod redirect_marker;
pub mod refusals;
pub(crate) mod request;
mod same_origin;
pub mod server_sign_out;
mod sessions;
mod sign_in_page;

use axum::body::HttpBody;
use axum::http::Method;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;

use super::App;
use super::error_response::Refusal;
use super::head::without_body;
use clientele_oauth::Endpoint;
use error_page::ErrorPage;
use request::BrowserRequest;

/// Answers a request to one of these endpoints.
pub(super) async fn respond<B>(app: &App, endpoint: Endpoint, parts: Parts, body: B) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let head = parts.method == Method::HEAD;
    let allowed = methods(endpoint);
    if !allowed.split(", ").any(|method| parts.method == method) {
        return Refusal::wrong_method(allowed);
    }
    let response = match BrowserRequest::read(app, endpoint, parts, body).await {
        Ok(browser_request) => answer(&browser_request, endpoint).await,
        Err(response) => response,
    };
    if head {
        without_body(response)
    } else {
        response
    }
}

/// `GET /authorize` may issue a code and `GET /logout` may end a session: not for a `HEAD`, which must be safe.
fn methods(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Authorize | Endpoint::Logout => "GET, POST",
        _ => "GET, HEAD, POST",
    }
}

async fn answer(browser_request: &BrowserRequest<'_>, endpoint: Endpoint) -> Response {
    let answered = match endpoint {
        Endpoint::Authorize => authorize::respond(browser_request).await,
        Endpoint::Login => login::respond(browser_request).await,
        Endpoint::Consent => consent::respond(browser_request).await,
        Endpoint::Logout => logout::respond(browser_request).await,
        _ => account::respond(browser_request).await,
    };
    let mut response =
        answered.unwrap_or_else(|error_page: ErrorPage| browser_request.refuse(error_page, None));
    if let Some(cookie) = browser_request.new_browser_cookie() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
