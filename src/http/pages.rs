//! What people see: server-rendered pages that need no script.
//!
//! A page gets a view, a value with everything it shows, and becomes a whole response with its headers. Pages decide
//! nothing. Every text of theirs lies in `texts.rs`, every template in `templates/`.
//!
//! What handlers should know of the headers (`headers.rs` says why):
//! - Pages with forms have `Referrer-Policy: same-origin`, because under `no-referrer` a browser sends `Origin: null` with
//!   the form. So `/login`, `/consent`, `/logout` and `/account` get the `Origin` of the issuer and may insist on it.
//!   No address of a page carries a code, so there is none to leak (RFC 9700 §4.2).
//! - No policy has `form-action` where the POST may end in a redirect to a client.
//! - Nothing is cached, nothing may be framed.

mod color;
mod headers;
pub(crate) mod sentence;
mod templates;
#[cfg(test)]
mod tests;
mod texts;

use askama::Template;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use url::Url;

pub use texts::scope_sentence;

use clientele_oauth::Tenant;
use clientele_oauth::registry::issuer_path;
use headers::{Forms, Inline, page};
use sentence::Said;
use templates::{
    AccountPage, ConsentPage, FormPostPage, GrantedRow, Shell, SignInPage, SignOutPage,
    SignedOutPage, TroublePage, initial,
};
use texts::{ENGLISH, Texts};

/// The stylesheet of all pages.
const STYLE: &str = include_str!("templates/style.css");
/// Changes with [`STYLE`]: FNV-1a (32 bits), because a compiler can work it out.
const STYLE_VERSION: u32 = {
    let (bytes, mut hash, mut at) = (STYLE.as_bytes(), 0x811c_9dc5_u32, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
};
/// Sends the only form of its page.
const SEND: &str = include_str!("templates/form_post.js");

/// What every page of a tenant has in common.
pub struct PageChrome<'a> {
    /// The path of the issuer: forms post to `{base}/login`, the stylesheet is `{base}/style.css`.
    pub base: &'a str,
    /// The name that people see.
    pub tenant: &'a str,
    /// A `data:` URL of the logo.
    pub logo: Option<&'a str>,
    /// `#rrggbb`; anything else is passed over.
    pub color: Option<&'a str>,
}

impl<'a> PageChrome<'a> {
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
pub enum SignInProblem {
    /// Nobody of that name, wrong password, disabled: one sentence for all. Status 401.
    Wrong,
    /// Too many tries. Status 429; the caller adds `Retry-After`.
    Wait {
        /// For how long.
        seconds: u64,
    },
}

/// The page to sign in: posts `transaction`, `username`, `password` to `{base}/login`.
pub struct SignIn<'a> {
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
pub struct ConsentAsked<'a> {
    /// The application's name.
    pub client: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Where the person goes afterwards: a host, or the scheme of an application on this device.
    pub returns_to: &'a str,
    /// Whether the application runs on the person's own computer, where any program could answer in its place.
    pub on_device: bool,
    /// Who is signed in.
    pub user: &'a str,
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
pub struct ErrorView<'a> {
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
pub struct SignOutAsked<'a> {
    /// Who is signed in.
    pub user: &'a str,
    /// The application that asks, if it is known.
    pub client: Option<&'a str>,
    /// Handed back unchanged.
    pub transaction: &'a str,
}

/// Something that was granted, on the account page.
pub struct Granted<'a> {
    /// The application's name.
    pub client: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// What it may do, as sentences.
    pub scopes: Vec<String>,
    /// Since when: a date such as `2026-11-23`.
    pub since: String,
    /// Names it in the form: `grant`.
    pub client_uid: &'a str,
}

/// The account page: posts `transaction` and `action` (`withdraw` with `grant`, `sign-out`, `sign-out-everywhere`) to
/// `{base}/account`.
pub struct Account<'a> {
    /// The person's name.
    pub user: &'a str,
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
pub fn sign_in(chrome: &PageChrome<'_>, view: &SignIn<'_>) -> Response {
    let texts = &ENGLISH;
    let t = &texts.sign_in;
    let (status, problem) = match view.problem {
        None => (StatusCode::OK, None),
        Some(SignInProblem::Wrong) => (StatusCode::UNAUTHORIZED, Some(t.wrong.to_owned())),
        Some(SignInProblem::Wait { seconds }) => {
            (StatusCode::TOO_MANY_REQUESTS, Some((t.wait)(seconds)))
        }
    };
    let template = SignInPage {
        shell: Shell::new(chrome, texts.lang, t.title),
        view,
        texts,
        heading: Said::new(
            chrome.logo.map_or(t.heading, |_| t.heading_with_name),
            &[("tenant", chrome.tenant)],
        ),
        lead: match view.client {
            Some(client) => Said::new(t.to_client, &[("client", client)]),
            None => Said::new(t.to_account, &[]),
        },
        afterwards: view
            .returns_to
            .map(|host| Said::new(t.afterwards, &[("host", host)])),
        wrong: view.problem == Some(SignInProblem::Wrong),
        problem,
    };
    respond(status, Forms::Onward, &template, &template.shell)
}

/// The page to consent.
pub fn consent(chrome: &PageChrome<'_>, view: &ConsentAsked<'_>) -> Response {
    let texts = &ENGLISH;
    let (t, proceed) = (&texts.consent, &texts.proceed);
    let client = [("client", view.client)];
    let asks_nothing = view.scopes.is_empty() && view.resources.is_empty();
    let (title, heading, allow, deny) = if asks_nothing {
        (proceed.title, proceed.heading, proceed.allow, proceed.deny)
    } else {
        (t.title, t.heading, t.allow, t.deny)
    };
    let template = ConsentPage {
        shell: Shell::new(chrome, texts.lang, title),
        view,
        texts,
        heading: Said::new(heading, &client),
        signed_in_as: Said::new(t.signed_in_as, &[("person", view.user)]),
        may: Said::new(t.may, &client),
        on_device: (view.on_device && !asks_nothing).then(|| Said::new(t.on_device, &client)),
        why: asks_nothing.then(|| Said::new(proceed.why, &client)),
        allow,
        deny,
    };
    respond(StatusCode::OK, Forms::Onward, &template, &template.shell)
}

/// The page of an error, with its code in the header `x-clientele-error`.
pub fn error(chrome: &PageChrome<'_>, status: StatusCode, view: &ErrorView<'_>) -> Response {
    let texts = &ENGLISH;
    let t = &texts.error;
    let home = view
        .home
        .filter(|home| home.starts_with("https://") || home.starts_with("http://"));
    let template = TroublePage {
        shell: Shell::new(chrome, texts.lang, t.title),
        view,
        texts,
        home: home.map(|home| {
            (
                home,
                Said::new(t.home, &[("client", view.client.unwrap_or(home))]),
            )
        }),
    };
    let mut response = respond(status, Forms::None, &template, &template.shell);
    if let Ok(code) = HeaderValue::from_str(view.code) {
        let name = HeaderName::from_static("x-clientele-error");
        response.headers_mut().insert(name, code);
    }
    response
}

/// The page that asks whether to sign out.
pub fn sign_out(chrome: &PageChrome<'_>, view: &SignOutAsked<'_>) -> Response {
    let texts = &ENGLISH;
    let t = &texts.sign_out;
    let template = SignOutPage {
        shell: Shell::new(chrome, texts.lang, t.title),
        view,
        texts,
        heading: Said::new(t.heading, &[("tenant", chrome.tenant)]),
        asked_by: view
            .client
            .map(|client| Said::new(t.asked_by, &[("client", client)])),
        effect: Said::new(t.effect, &[("person", view.user)]),
    };
    respond(StatusCode::OK, Forms::Onward, &template, &template.shell)
}

/// The page after signing out; `stayed` when the person chose not to.
pub fn signed_out(chrome: &PageChrome<'_>, stayed: bool) -> Response {
    let texts = &ENGLISH;
    let t = &texts.signed_out;
    let title = if stayed { t.stayed_title } else { t.title };
    let template = SignedOutPage {
        shell: Shell::new(chrome, texts.lang, title),
        texts,
        stayed,
    };
    respond(StatusCode::OK, Forms::None, &template, &template.shell)
}

/// The account page.
pub fn account(chrome: &PageChrome<'_>, view: &Account<'_>) -> Response {
    let texts = &ENGLISH;
    let t = &texts.account;
    let row = |grant| granted_row(texts, grant);
    let template = AccountPage {
        shell: Shell::new(chrome, texts.lang, t.title),
        view,
        texts,
        signed_in_as: Said::new(
            t.signed_in_as,
            &[("tenant", chrome.tenant), ("username", view.username)],
        ),
        grants: view.grants.iter().map(row).collect(),
    };
    respond(StatusCode::OK, Forms::Here, &template, &template.shell)
}

fn granted_row<'a>(texts: &Texts, grant: &'a Granted<'a>) -> GrantedRow<'a> {
    let t = &texts.account;
    GrantedRow {
        grant,
        initial: initial(grant.client),
        namespace: Said::new(t.namespace, &[("namespace", grant.namespace)]),
        since: Said::new(t.since, &[("date", &grant.since)]),
        withdraw_from: Said::new(t.withdraw_from, &[("client", grant.client)]),
    }
}

/// The page that posts an authorization response (OAuth 2.0 Form Post Response Mode §2), by a hashed script or a button.
pub fn form_post(chrome: &PageChrome<'_>, redirect_uri: &str, fields: &[(&str, &str)]) -> Response {
    let texts = &ENGLISH;
    let t = &texts.form_post;
    let host = Url::parse(redirect_uri)
        .ok()
        .and_then(|uri| uri.host_str().map(str::to_owned));
    let host = host.as_deref().unwrap_or(redirect_uri);
    let template = FormPostPage {
        shell: Shell::new(chrome, texts.lang, t.title),
        texts,
        redirect_uri,
        fields,
        text: Said::new(t.text, &[("host", host)]),
        script: SEND,
    };
    let inline = Inline {
        style: template.shell.style.as_deref(),
        script: Some(SEND),
    };
    page(StatusCode::OK, Forms::Away, &inline, render(&template))
}

/// The stylesheet of all pages. Their links to it name its [`STYLE_VERSION`], so a day in a cache does not outlive a
/// release; longer would, where two releases serve at once during an update.
pub fn stylesheet() -> Response {
    let mut response = Response::new(Body::from(STYLE));
    let fixed = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=86400"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn respond(
    status: StatusCode,
    forms: Forms,
    template: &impl Template,
    shell: &Shell<'_>,
) -> Response {
    let inline = Inline {
        style: shell.style.as_deref(),
        script: None,
    };
    page(status, forms, &inline, render(template))
}

fn render(template: &impl Template) -> String {
    template
        .render()
        .expect("texts can be written into a String")
}
