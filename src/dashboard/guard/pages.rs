//! The pages that stand where a handler's page would: sign in, and problems.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    chrome: Chrome,
    problem: &'a Problem,
    title: &'static str,
}

#[derive(Template)]
#[template(path = "problem.html", block = "content")]
struct ProblemFragment<'a> {
    problem: &'a Problem,
    title: &'static str,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage<'a> {
    version: &'a str,
    problem: &'a Problem,
    title: &'static str,
    /// Whether signing in again may help.
    again: bool,
}

#[derive(Template)]
#[template(path = "session.html")]
struct SessionPage<'a> {
    version: &'a str,
    wrong: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomePage<'a> {
    version: &'a str,
    to: &'a str,
    /// Whether the page goes on by itself.
    at_once: bool,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage<'a> {
    version: &'a str,
    issuer: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "ended.html")]
struct EndedPage<'a> {
    version: &'a str,
}

#[derive(Template)]
#[template(path = "ended.html", block = "said")]
struct EndedFragment {}

/// The response of a handler; a problem becomes a page of this person, or a fragment.
pub fn explained(mut response: Response, person: &Caller) -> Response {
    let problem = response.extensions_mut().remove::<Problem>();
    let Some(problem) = problem.or_else(|| unexplained(response.status())) else {
        return response;
    };
    let (status, title) = (problem.status, title(problem.status));
    let rendered = if person.fragment {
        let problem = &problem;
        html(status, &ProblemFragment { problem, title })
    } else {
        let chrome = Chrome::new(person, Section::None);
        let problem = &problem;
        html(
            status,
            &ProblemPage {
                chrome,
                problem,
                title,
            },
        )
    };
    rendered.unwrap_or(response)
}

/// What the router answers by itself.
fn unexplained(status: StatusCode) -> Option<Problem> {
    match status {
        StatusCode::NOT_FOUND => Some(Problem::not_found("There is no page at this address.")),
        StatusCode::METHOD_NOT_ALLOWED => Some(Problem::new(
            status,
            "This address has no such method.",
            "Use the forms of the dashboard.",
        )),
        _ => None,
    }
}

/// A problem of a request without a session: without navigation and without anything of the cluster.
pub fn refused(problem: &Problem, version: &str, again: bool) -> Response {
    let page = RefusedPage {
        version,
        problem,
        title: title(problem.status),
        again,
    };
    html(problem.status, &page).unwrap_or_else(|_| problem.status.into_response())
}

/// The page that asks for the one-time token.
pub fn sign_in(status: StatusCode, wrong: Option<&str>, version: &str) -> Response {
    let page = SessionPage { version, wrong };
    html(status, &page).unwrap_or_else(|_| status.into_response())
}

/// A page that navigates itself to a path of the dashboard. A redirect would still count as a request of the site before it.
pub fn welcome(version: &str, to: &str) -> Response {
    leading(version, to, true)
}

/// After a link of another site, which may lead to a form with values of that site's choice.
pub fn elsewhere(version: &str, to: &str) -> Response {
    leading(version, to, to == "/")
}

fn leading(version: &str, to: &str, at_once: bool) -> Response {
    let page = WelcomePage {
        version,
        to,
        at_once,
    };
    rendered(StatusCode::OK, &page)
}

/// After signing out. `issuer`: where to sign out there as well.
pub fn signed_out(version: &str, issuer: Option<&str>) -> Response {
    rendered(StatusCode::OK, &SignedOutPage { version, issuer })
}

/// A form that came after the sign-in had ended. The browser keeps what was typed.
pub fn ended(version: &str, fragment: bool) -> Response {
    if fragment {
        return rendered(StatusCode::UNAUTHORIZED, &EndedFragment {});
    }
    rendered(StatusCode::UNAUTHORIZED, &EndedPage { version })
}

fn rendered(status: StatusCode, page: &impl Template) -> Response {
    html(status, page).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn title(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "This cannot be read",
        401 => "The cluster does not know you",
        403 => "This is not allowed",
        404 => "There is nothing here",
        409 => "Another change came first",
        428 => "This must be confirmed",
        422 => "The cluster refuses this",
        502 => "The cluster does not answer",
        _ => "This did not work",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_a_remedy_are_code() {
        let problem = Problem::new(StatusCode::FORBIDDEN, "no", "Run `kubectl <x>`.");
        let title = title(problem.status);
        let refused = RefusedPage {
            version: "1",
            problem: &problem,
            title,
            again: false,
        };
        let fragment = ProblemFragment {
            problem: &problem,
            title,
        };
        for page in [refused.render().unwrap(), fragment.render().unwrap()] {
            assert!(
                page.contains("Run <code>kubectl &#60;x&#62;</code>."),
                "{page}"
            );
        }
    }
}
