//! What people see: server-rendered pages that need no script.
//!
//! A page gets a view, a value with everything it shows, and becomes a whole response with its headers
//! (`Content-Security-Policy`, `Cache-Control: no-store`, `Referrer-Policy: no-referrer`, `X-Frame-Options: DENY`,
//! `X-Content-Type-Options: nosniff`). Pages decide nothing. Every text of theirs lies in `texts.rs`.

use axum::http::StatusCode;
use axum::response::Response;

use crate::oauth::Tenant;
use crate::oauth::registry::issuer_path;

/// What every page of a tenant has in common.
pub(super) struct Frame<'a> {
    /// The path of the issuer: forms post to `{base}/login`, the stylesheet is `{base}/style.css`.
    pub base: &'a str,
    /// The name that people see.
    pub tenant: &'a str,
    /// A `data:` URL of the logo.
    pub logo: Option<&'a str>,
    /// `#rrggbb`.
    pub color: Option<&'a str>,
}

impl<'a> Frame<'a> {
    /// The frame of a tenant's pages.
    pub fn of(tenant: &'a Tenant) -> Self {
        Self {
            base: issuer_path(&tenant.issuer),
            tenant: tenant.display_name(),
            logo: tenant.branding.logo.as_deref(),
            color: tenant.branding.color.as_deref(),
        }
    }
}

/// Why signing in did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignInProblem {
    /// Nobody of that name, wrong password, disabled: one sentence for all. Status 401.
    Wrong,
    /// Too many tries. Status 429; the caller adds `Retry-After`.
    Wait {
        /// For how long.
        seconds: u64,
    },
}

/// The page to sign in: posts `transaction`, `username`, `password` to `{base}/login`.
pub(super) struct SignIn<'a> {
    /// The application that the person comes from; none when they opened their account page.
    pub client: Option<&'a str>,
    /// Where the person goes afterwards, as in [`ConsentAsked::returns_to`].
    pub returns_to: Option<&'a str>,
    /// Handed back unchanged.
    pub transaction: &'a str,
    /// What was typed before, or `login_hint`.
    pub username: &'a str,
    /// What went wrong, if something did.
    pub problem: Option<SignInProblem>,
}

/// The page to consent: posts `transaction` and `decision` (`allow`, `deny`, or `switch` to sign in as somebody else, as
/// with `prompt=login`) to `{base}/consent`.
pub(super) struct ConsentAsked<'a> {
    /// The application's name.
    pub client: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Where the person goes afterwards: a host, or the scheme of an application on this device.
    pub returns_to: &'a str,
    /// Who is signed in.
    pub person: &'a str,
    /// Whether to offer `decision=switch`.
    pub can_switch: bool,
    /// What the application may do, as sentences; empty when a click is all that is missing (RFC 8252 §8.6).
    pub scopes: &'a [String],
    /// The APIs that it may call for the person.
    pub resources: &'a [&'a str],
    /// Handed back unchanged.
    pub transaction: &'a str,
}

/// A page that says what went wrong and where to go.
pub(super) struct Trouble<'a> {
    /// The error code, also in the header `x-clientele-error`.
    pub code: &'a str,
    /// What happened, in one sentence of ours.
    pub sentence: &'a str,
    /// What to do about it, in one sentence of ours.
    pub remedy: &'a str,
    /// The application's name, if it is known and registered.
    pub client: Option<&'a str>,
    /// Where the application lies: the origin of a redirect URI that it registered, such as `https://app.example.com`,
    /// never of one that was only asked for. Other than `https:` and `http:` is passed over.
    pub home: Option<&'a str>,
}

/// The page that asks whether to sign out: posts `transaction` and `decision` (`sign-out` or `stay`) to `{base}/logout`.
pub(super) struct SignOutAsked<'a> {
    /// Who is signed in.
    pub person: &'a str,
    /// The application that asks, if it is known.
    pub client: Option<&'a str>,
    /// Handed back unchanged.
    pub transaction: &'a str,
}

/// Something that was granted, on the account page.
pub(super) struct Granted<'a> {
    /// The application's name.
    pub client: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// What it may do, as sentences.
    pub scopes: Vec<String>,
    /// Since when: a date such as `2026-11-23`.
    pub since: String,
    /// Names it in the form: `grant`.
    pub registration_id: &'a str,
}

/// The account page: posts `transaction` and `action` (`withdraw` with `grant`, `sign-out`, `sign-out-everywhere`) to
/// `{base}/account`.
pub(super) struct Account<'a> {
    /// The person's name.
    pub person: &'a str,
    /// What they type to sign in.
    pub username: &'a str,
    /// What was granted to whom.
    pub grants: &'a [Granted<'a>],
    /// What was just done, such as "withdrawn", as a text of ours.
    pub notice: Option<&'a str>,
    /// Handed back unchanged.
    pub transaction: &'a str,
}

/// The page to sign in.
pub(super) fn sign_in(frame: &Frame<'_>, view: &SignIn<'_>) -> Response {
    let _ = (frame, view.client, view.transaction, view.username);
    plain(match view.problem {
        None => StatusCode::OK,
        Some(SignInProblem::Wrong) => StatusCode::UNAUTHORIZED,
        Some(SignInProblem::Wait { .. }) => StatusCode::TOO_MANY_REQUESTS,
    })
}

/// The page to consent.
pub(super) fn consent(_frame: &Frame<'_>, _view: &ConsentAsked<'_>) -> Response {
    plain(StatusCode::OK)
}

/// The page of an error.
pub(super) fn trouble(_frame: &Frame<'_>, status: StatusCode, _view: &Trouble<'_>) -> Response {
    plain(status)
}

/// The page that asks whether to sign out.
pub(super) fn sign_out(_frame: &Frame<'_>, _view: &SignOutAsked<'_>) -> Response {
    plain(StatusCode::OK)
}

/// The page after signing out; `stayed` when the person chose not to.
pub(super) fn signed_out(_frame: &Frame<'_>, _stayed: bool) -> Response {
    plain(StatusCode::OK)
}

/// The account page.
pub(super) fn account(_frame: &Frame<'_>, _view: &Account<'_>) -> Response {
    plain(StatusCode::OK)
}

/// The page that posts an authorization response (OAuth 2.0 Form Post Response Mode §2), by a hashed script or a button.
pub(super) fn form_post(
    _frame: &Frame<'_>,
    _redirect_uri: &str,
    _fields: &[(&str, &str)],
) -> Response {
    plain(StatusCode::OK)
}

/// What a scope allows, as a sentence for people.
pub(super) fn scope_sentence(_tenant: &Tenant, scope: &str) -> String {
    scope.to_owned()
}

/// The stylesheet of all pages.
pub(super) fn stylesheet() -> Response {
    plain(StatusCode::OK)
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
