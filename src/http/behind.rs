//! A replica that the others do not wait for: what it refuses, it may refuse only because it has not heard of something yet.

use axum::http::HeaderMap;
use axum::http::header::VARY;
use axum::response::Response;

use super::App;
use super::api::client_request::malformed;
use super::error_response::{Refusal, RefusalCode};
use clientele_oauth::{ErrorCode, OAuthError};

/// Refusals that a newer registry could turn into an answer: it knows the client, its scope or its new secret.
const REVERSIBLE: [&str; 9] = [
    "not_found",
    "invalid_client",
    "unauthorized_client",
    "invalid_grant",
    "invalid_scope",
    "invalid_target",
    "access_denied",
    "invalid_token",
    "insufficient_scope",
];

/// The error in place of such a refusal.
pub(crate) const BEHIND: OAuthError = OAuthError::new(
    ErrorCode::TemporarilyUnavailable,
    "this replica was cut off and is catching up: try again",
);

/// The response of this replica; while it is behind, "later" in place of a refusal that may be wrong.
pub(super) fn unless_behind(app: &App, response: Response) -> Response {
    let refused = response.extensions().get::<RefusalCode>();
    let reversible = refused.is_some_and(|RefusalCode(code)| REVERSIBLE.contains(code));
    if !reversible || !(app.is_behind)() {
        return response;
    }
    let mut later = malformed(Refusal::from(BEHIND));
    keep_cors(response.headers(), later.headers_mut());
    later
}

/// A script must be able to read that it may try again.
fn keep_cors(from: &HeaderMap, to: &mut HeaderMap) {
    let cors = from
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control-") || *name == VARY);
    to.extend(cors.map(|(name, value)| (name.clone(), value.clone())));
}
