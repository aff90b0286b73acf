//! How errors are answered over HTTP: a status, an error code and a sentence.

use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::response;
use clientele_oauth::{ErrorCode, OAuthError};

/// An answer that refuses. Its words are constants of this program (RFC 6749 §5.2 bounds their
/// characters), so nothing internal and nothing that was sent can be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub error: &'static str,
    pub description: &'static str,
    /// After how many seconds the caller may try again.
    pub retry_after: Option<u32>,
}

/// The error code of a response, for what decides about it later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusalCode(pub &'static str);

impl Refusal {
    pub const NOT_FOUND: Self = Self::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "no endpoint has this path: read /.well-known/openid-configuration under the issuer, which lists them as they must be spelled",
    );
    pub const LOADING: Self = Self {
        retry_after: Some(1),
        ..Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "the server has just started and does not know its tenants yet: try again in a moment",
        )
    };
    pub const TOO_LARGE: Self = Self::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "invalid_request",
        "the body is larger than 64 KiB",
    );
    pub const TIMED_OUT: Self = Self::new(
        StatusCode::REQUEST_TIMEOUT,
        "invalid_request",
        "the body did not arrive in time",
    );
    pub const BROKEN_BODY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        "the body ended before it was complete",
    );

    pub const NO_AUDIT_LOG: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "temporarily_unavailable",
        "the audit log of the server accepts no more lines; an administrator must free space",
    );
    pub const TOO_MANY: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "temporarily_unavailable",
        "too many requests are in flight: try again in a moment",
    )
    .after(1);
    pub const TOO_MANY_OF_ADDRESS: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "temporarily_unavailable",
        "too many requests of this address are in flight: wait for some of them",
    )
    .after(1);

    const fn after(self, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    const fn new(status: StatusCode, error: &'static str, description: &'static str) -> Self {
        Self {
            status,
            error,
            description,
            retry_after: None,
        }
    }

    /// 405 with the methods that work (RFC 9110 §15.5.6).
    pub fn wrong_method(allow: &'static str) -> Response {
        let mut response = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "invalid_request",
            "this endpoint does not answer this method: the Allow header names those that work",
        )
        .into_response();
        let headers = response.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static(allow));
        response
    }

    /// The refusal as a response that caches do not store.
    pub fn into_response(self) -> Response {
        let body = format!(
            r#"{{"error":"{}","error_description":"{}"}}"#,
            self.error, self.description
        );
        let no_store = HeaderValue::from_static("no-store");
        let mut response = response::json(self.status, body.into(), no_store);
        let seconds = match self.retry_after {
            None if self.status == StatusCode::SERVICE_UNAVAILABLE => Some(5),
            seconds => seconds,
        };
        response.extensions_mut().insert(RefusalCode(self.error));
        let headers = response.headers_mut();
        headers.extend(seconds.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds))));
        response
    }
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        let status = match error.code {
            ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
            ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
            ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::TemporarilyUnavailable if error.retry_after().is_some() => {
                StatusCode::TOO_MANY_REQUESTS
            }
            ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            retry_after: error.retry_after(),
            ..Self::new(status, error.code.as_str(), error.description)
        }
    }
}
