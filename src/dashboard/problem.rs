//! Why a request is refused, with a remedy. A handler returns it; `guard` renders it as a page or as a fragment.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A refusal: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status of the response, which is that of the API server where the API server refused.
    pub status: StatusCode,
    /// What is wrong, such as `You may not list oauthclients in namespace web.`
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// What the API server answered, word for word; empty if it was not asked.
    pub answer: String,
    /// The fields that the API server names in `details.causes` of a 422.
    pub causes: Vec<Cause>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The path of the field, such as `spec.redirectUris[0]`; empty if the API server names none.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Problem {
    /// A refusal without an answer of the API server.
    pub fn new(status: StatusCode, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            remedy: remedy.into(),
            answer: String::new(),
            causes: Vec::new(),
        }
    }

    /// There is no such page or object.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            message,
            "Go back to the list of clients; another person may have deleted it, or the address is incomplete.",
        )
    }

    /// What the form or the address says cannot be used.
    pub fn bad_request(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message, remedy)
    }

    /// The dashboard runs with `--read-only`.
    pub fn read_only() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "This dashboard runs with --read-only and changes nothing.",
            "Start it without --read-only to make changes.",
        )
    }
}

/// The status and an extension; the body is rendered by the guard, which knows the person.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
