//! Protocol errors: an RFC error code and a sentence.

use std::fmt;

/// An error code of RFC 6749, RFC 6750, RFC 8707 or OpenID Connect Core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request is malformed, repeats a parameter or misses one.
    InvalidRequest,
    /// Client authentication failed.
    InvalidClient,
    /// The code or refresh token is wrong, over, used, or another client's (RFC 6749 §5.2).
    InvalidGrant,
    /// The client may not use this grant type.
    UnauthorizedClient,
    /// The server does not know this grant type.
    UnsupportedGrantType,
    /// The server does not know this response type (RFC 6749 §4.1.2.1).
    UnsupportedResponseType,
    /// A scope is malformed, unknown or not for this client. `/authorize` ignores unknown ones (OIDC Core §3.1.2.1).
    InvalidScope,
    /// A resource is malformed, unknown or not for this client (RFC 8707 §2).
    InvalidTarget,
    /// The person said no, or may not use this client (RFC 6749 §4.1.2.1).
    AccessDenied,
    /// No person is signed in and no page may be shown (OIDC Core §3.1.2.6).
    LoginRequired,
    /// Consent is missing and nothing may be shown (OIDC Core §3.1.2.6).
    ConsentRequired,
    /// A click is missing and nothing may be shown (OIDC Core §3.1.2.6).
    InteractionRequired,
    /// Request objects are not supported (OIDC Core §3.1.2.6).
    RequestNotSupported,
    /// Request objects by reference are not supported (OIDC Core §3.1.2.6).
    RequestUriNotSupported,
    /// Registration in a request is not supported (OIDC Core §3.1.2.6).
    RegistrationNotSupported,
    /// The access token is malformed, over, revoked or not for this resource (RFC 6750 §3.1).
    InvalidToken,
    /// The access token lacks a scope (RFC 6750 §3.1).
    InsufficientScope,
    /// The server failed; the request may be right.
    ServerError,
    /// The server cannot answer now; try again later.
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// Every code, for tables of metrics and tests.
    pub const ALL: [Self; 19] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::UnsupportedResponseType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::AccessDenied,
        Self::LoginRequired,
        Self::ConsentRequired,
        Self::InteractionRequired,
        Self::RequestNotSupported,
        Self::RequestUriNotSupported,
        Self::RegistrationNotSupported,
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::ServerError,
        Self::TemporarilyUnavailable,
    ];

    /// The code as it stands in the `error` member.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
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
    cause: Option<&'static str>,
    retry_after: Option<u32>,
}

impl OAuthError {
    /// A refusal with a code and the sentence that explains it.
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self {
            code,
            description,
            cause: None,
            retry_after: None,
        }
    }

    /// The caller asks too often (RFC 6585 §4): it may try again after this number of seconds.
    pub const fn too_often(description: &'static str, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(ErrorCode::TemporarilyUnavailable, description)
        }
    }

    /// After how many seconds the caller may try again, if it asked too often.
    pub const fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The same for every caller. Only the audit log says which of the causes it was: a constant as well.
    #[must_use]
    pub const fn because(self, cause: &'static str) -> Self {
        Self {
            cause: Some(cause),
            ..self
        }
    }

    /// The sentence for the audit log.
    pub fn reason(&self) -> &'static str {
        self.cause.unwrap_or(self.description)
    }

    /// The request itself is wrong.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// Authentication failed. One sentence for every cause, so that callers do not learn which client exists.
    pub const fn invalid_client() -> Self {
        Self::new(
            ErrorCode::InvalidClient,
            "client authentication failed: unknown client, wrong credentials or a method that is not registered",
        )
    }

    /// The code or refresh token cannot be used. One sentence for every cause.
    pub const fn invalid_grant() -> Self {
        Self::new(
            ErrorCode::InvalidGrant,
            "the code or token is unknown, expired, used, revoked, or belongs to another client or redirect URI",
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
