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
mod views;

use askama::Template;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use clientele_oauth::tenant::logo::Logo;
use url::Url;

pub use texts::scope_sentence;
pub use views::{
    Account, ConsentAsked, ErrorView, Granted, Leave, NotAllowed, PageChrome, SignIn,
    SignInProblem, SignOutAsked, SignedOut, Way,
};

use headers::{Forms, Inline, page};
use sentence::Said;
use templates::{
    AccountPage, ConsentPage, ErrorTemplate, FormPostPage, GrantedRow, LeavePage, NotAllowedPage,
    Shell, SignInPage, SignOutPage, SignedOutPage, initial,
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
        label: if view.by_email {
            t.username_or_email
        } else {
            t.username
        },
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
    let template = ErrorTemplate {
        shell: Shell::new(chrome, texts.lang, t.title),
        sentence: Said::new(
            view.sentence,
            &[("client", view.client.unwrap_or(t.some_client))],
        ),
        view,
        texts,
        home: home.map(|home| {
            (
                home,
                Said::new(t.home, &[("client", view.client.unwrap_or(home))]),
            )
        }),
    };
    let response = respond(status, Forms::None, &template, &template.shell);
    with_code(response, view.code)
}

fn with_code(mut response: Response, code: &str) -> Response {
    if let Ok(code) = HeaderValue::from_str(code) {
        let name = HeaderName::from_static("x-clientele-error");
        response.headers_mut().insert(name, code);
    }
    response
}

/// The page for a person who may not use an application, with the error code in the header `x-clientele-error`.
pub fn not_allowed(chrome: &PageChrome<'_>, view: &NotAllowed<'_>) -> Response {
    let texts = &ENGLISH;
    let t = &texts.not_allowed;
    let client = [("client", view.client)];
    let template = NotAllowedPage {
        shell: Shell::new(chrome, texts.lang, t.title),
        view,
        texts,
        heading: Said::new(t.heading, &client),
        signed_in_as: Said::new(texts.consent.signed_in_as, &[("person", view.user)]),
        why: Said::new(t.why, &client),
        back: Said::new(t.back, &client),
    };
    let response = respond(
        StatusCode::FORBIDDEN,
        Forms::Onward,
        &template,
        &template.shell,
    );
    with_code(response, view.code)
}

/// The page before an address that no administrator has vouched for.
pub fn leave(chrome: &PageChrome<'_>, view: &Leave<'_>) -> Response {
    let texts = &ENGLISH;
    let t = &texts.leave;
    let names = [("client", view.client), ("host", view.host)];
    let why = if view.after_sign_out {
        t.after_sign_out
    } else {
        t.after_refusal
    };
    let template = LeavePage {
        shell: Shell::new(chrome, texts.lang, t.title),
        heading: Said::new(t.heading, &names),
        why: Said::new(why, &names),
        remedy: Said::new(t.remedy, &names),
        submit: Said::new(t.submit, &names),
        way: view.way,
    };
    let forms = match view.way {
        Way::Link(_) => Forms::None,
        Way::Form(..) => Forms::Away,
    };
    respond(StatusCode::OK, forms, &template, &template.shell)
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

/// The page after a request to sign out.
pub fn signed_out(chrome: &PageChrome<'_>, ended: SignedOut) -> Response {
    let texts = &ENGLISH;
    let t = &texts.signed_out;
    let (title, heading, text, onward) = match ended {
        SignedOut::Done => (t.title, t.heading, t.text, t.sign_in),
        SignedOut::Stayed => (t.stayed_title, t.stayed_heading, t.stayed_text, t.account),
        SignedOut::NobodyThere => (
            t.nobody_title,
            t.nobody_heading,
            t.nobody_text,
            t.nobody_sign_in,
        ),
    };
    let template = SignedOutPage {
        shell: Shell::new(chrome, texts.lang, title),
        heading,
        text,
        onward,
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

/// The page that sends a request to an endpoint of ours once more, from our own site.
pub fn once_more(chrome: &PageChrome<'_>, endpoint: &str, fields: &[(&str, &str)]) -> Response {
    let texts = &ENGLISH;
    let t = &texts.form_post;
    let action = format!("{}{endpoint}", chrome.base);
    let template = FormPostPage {
        shell: Shell::new(chrome, texts.lang, t.title),
        texts,
        redirect_uri: &action,
        fields,
        text: Said::new(t.once_more, &[("tenant", chrome.tenant)]),
        script: SEND,
    };
    let inline = Inline {
        style: template.shell.style.as_deref(),
        script: Some(SEND),
    };
    page(StatusCode::OK, Forms::Onward, &inline, render(&template))
}

/// The stylesheet of all pages. Their links to it name its `STYLE_VERSION`, so a day in a cache does not outlive a
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

/// The picture of a tenant. An SVG that a person opens by its address is a document of the issuer's origin, so the policy
/// lets it run nothing. Cached for good is what has the version that was asked for.
pub fn logo(logo: &Logo, query: Option<&str>) -> Response {
    let asked = query.and_then(|query| query.strip_prefix("v="));
    let cached = if asked == Some(&*logo.version) {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    let mut response = Response::new(Body::from(logo.bytes.clone()));
    let fixed = [
        (CONTENT_TYPE, logo.media_type),
        (CACHE_CONTROL, cached),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
        ),
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
