//! How a browser is sent on.

use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::request::BrowserRequest;
use crate::pages;
use clientele_oauth::endpoints::authorize::redirect_target::Destination;
use clientele_oauth::endpoints::authorize::response::{Answer, fields, with_query};
use clientele_oauth::endpoints::authorize::response_mode::ResponseMode;

/// 303: whatever was posted is not posted again (RFC 9700 §4.12).
pub(super) fn see_other(location: &str) -> Response {
    let mut response = Response::default();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let (status, location) = match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, Some(location)),
        // Cannot be: issuers and registered URIs are ASCII, and what is added is encoded.
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
    };
    headers.extend(location.map(|location| (LOCATION, location)));
    *response.status_mut() = status;
    response
}

/// Answers an authorization request where it is to be answered (RFC 6749 §4.1.2, OAuth 2.0 Form Post Response Mode).
pub(super) fn to_client(
    browser_request: &BrowserRequest<'_>,
    destination: &Destination,
    answer: Answer<'_>,
) -> Response {
    let fields = fields(&browser_request.tenant.issuer, destination, answer);
    match destination.mode {
        ResponseMode::Query => see_other(&with_query(&destination.redirect_uri, &fields)),
        ResponseMode::FormPost => pages::form_post(
            &browser_request.chrome(),
            &destination.redirect_uri,
            &fields,
        ),
    }
}
