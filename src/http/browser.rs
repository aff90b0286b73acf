//! The endpoints that people's browsers open: to sign in, to consent, to sign out, to see their account.
//!
//! A handler reads a visit, asks [`clientele_oauth`] what follows, and answers with a page or sends the browser on. URLs are
//! built from the issuer; no header of the request is ever part of one. There is no CORS here, whoever asks.

mod account;
pub(crate) mod audit_events;
pub(crate) mod authorization;
mod authorize;
mod consent;
mod cookies;
pub(crate) mod error_page;
mod login;
pub(crate) mod login_transaction;
mod logout;
pub mod password_login;
pub(crate) mod redirect;
pub(crate) mod request;
mod same_origin;
mod sessions;

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
use error_page::Stop;
use request::Visit;

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
    let response = match Visit::read(app, parts, body).await {
        Ok(visit) => answer(&visit, endpoint).await,
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

async fn answer(visit: &Visit<'_>, endpoint: Endpoint) -> Response {
    let answered = match endpoint {
        Endpoint::Authorize => authorize::respond(visit).await,
        Endpoint::Login => login::respond(visit).await,
        Endpoint::Consent => consent::respond(visit).await,
        Endpoint::Logout => logout::respond(visit).await,
        _ => account::respond(visit).await,
    };
    let mut response = answered.unwrap_or_else(|stop: Stop| stop.into_page(&visit.tenant));
    if let Some(cookie) = visit.new_browser_cookie() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
