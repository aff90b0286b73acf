//! Protocol trouble: an RFC error code and a sentence.

use std::fmt;

/// An error code of the token endpoint (RFC 6749 §5.2, RFC 8707 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request is malformed, repeats a parameter or misses one.
    InvalidRequest,
    /// Client authentication failed.
    InvalidClient,
    /// The client may not use this grant type.
    UnauthorizedClient,
    /// The server does not know this grant type.
    UnsupportedGrantType,
    /// A scope is malformed, unknown or not for this client.
    InvalidScope,
    /// A resource is malformed, unknown or not for this client (RFC 8707 §2).
    InvalidTarget,
    /// The server failed; the request may be right.
    ServerError,
    /// The server cannot answer now; try again later.
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// Every code, for tables of metrics and tests.
    pub const ALL: [Self; 8] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::ServerError,
        Self::TemporarilyUnavailable,
    ];

    /// The code as it stands in the `error` member.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

/// A refusal of the protocol.
///
/// The description is always a constant of this program, so it can neither echo what was sent nor
/// leave the character set of RFC 6749 §5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OAuthError {
    /// The RFC's code.
    pub code: ErrorCode,
    /// A sentence for the developer of the client.
    pub description: &'static str,
}

impl OAuthError {
    /// A refusal with a code and the sentence that explains it.
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    /// The request itself is wrong.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// Authentication failed. One sentence for every cause, so that nobody learns which client exists.
    pub const fn invalid_client() -> Self {
        Self::new(
            ErrorCode::InvalidClient,
            "client authentication failed: unknown client, wrong credentials or a method that is not registered",
        )
    }

    /// A scope that cannot be granted.
    pub const fn invalid_scope(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidScope, description)
    }

    /// A resource that cannot be granted (RFC 8707 §2).
    pub const fn invalid_target(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidTarget, description)
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.description)
    }
}

impl std::error::Error for OAuthError {}
