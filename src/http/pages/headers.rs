//! The headers of a page: what a browser may do with it.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Where the forms of a page lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forms {
    /// It has none.
    None,
    /// To this server, which answers with a page of its own.
    Here,
    /// To this server, which may send the browser on to a client.
    Onward,
    /// To a client.
    Away,
}

impl Forms {
    /// The part of the policy that says where forms may lead.
    ///
    /// `form-action` is left out where a redirect to a client can follow, because browsers apply it to every redirect
    /// after the POST, too: the person would press "Sign in", and nothing would happen. To list the client's origin is
    /// not enough, as clients redirect on. What `form-action` protects from is a form that an attacker smuggled into the
    /// page, and there is no way in: everything is escaped, and `default-src 'none'` lets nothing else run.
    fn policy(self) -> &'static str {
        match self {
            Self::None => "; form-action 'none'",
            Self::Here => "; form-action 'self'",
            Self::Onward | Self::Away => "",
        }
    }

    /// What the next page learns about where the browser came from.
    ///
    /// With `no-referrer`, browsers send `Origin: null` even when a form leads back here, and the check against forged
    /// requests would refuse what people send. `same-origin` keeps `Origin` here, and tells others nothing. A client
    /// that gets its answer by POST is told our origin, because `Origin: null` is what its own check may refuse; the
    /// address of the page is not told.
    fn referrer(self) -> &'static str {
        match self {
            Self::None => "no-referrer",
            Self::Here | Self::Onward => "same-origin",
            Self::Away => "strict-origin",
        }
    }
}

/// What of a page is written in the page itself: the policy knows it by its hash.
#[derive(Default)]
pub(super) struct Inline<'a> {
    /// The content of its `<style>`.
    pub style: Option<&'a str>,
    /// The content of its `<script>`.
    pub script: Option<&'a str>,
}

/// A page as a response.
pub(super) fn page(
    status: StatusCode,
    forms: Forms,
    inline: &Inline<'_>,
    html: String,
) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    fixed(headers);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static(forms.referrer()));
    let policy = HeaderValue::try_from(policy(forms, inline)).expect("a policy is ASCII");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if forms == Forms::Here {
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response
}

/// Left out on the pages of a flow: an application in a browser may sign people in through a popup, and every value of
/// this header but `unsafe-none` takes `window.opener` from the page that it returns to, for good.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

fn fixed(headers: &mut HeaderMap) {
    let fixed = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn policy(forms: Forms, inline: &Inline<'_>) -> String {
    let mut policy = "default-src 'none'; img-src 'self' data:; style-src 'self'".to_owned();
    if let Some(style) = inline.style {
        let _ = write!(policy, " {}", source(style));
    }
    if let Some(script) = inline.script {
        let _ = write!(policy, "; script-src {}", source(script));
    }
    policy + "; base-uri 'none'; frame-ancestors 'none'" + forms.policy()
}

/// A hash-source of Content Security Policy Level 3 (§2.3.1).
pub(super) fn source(content: &str) -> String {
    let hash = digest(&SHA256, content.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash))
}
