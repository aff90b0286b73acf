//! Responses with a page or a fragment, and what surrounds every page.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::person::Caller;
use crate::problem::Problem;

/// The section of the navigation that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The numbers.
    Home,
    /// The list and the pages of single clients.
    Clients,
    /// The form to create one.
    Create,
    /// Tenants.
    Tenants,
    /// Users.
    Users,
    /// APIs.
    Resources,
    /// Import.
    Import,
    /// None of them.
    None,
}

/// What `layout.html` reads: a page template has it as its field `chrome`.
#[derive(Clone)]
pub struct Chrome {
    /// The context or the API server.
    pub place: String,
    /// Whether writes are refused.
    pub read_only: bool,
    /// The value of the hidden field `form_token`.
    pub form_token: Arc<str>,
    /// What the navigation marks.
    pub section: Section,
    /// The query of the addresses of assets: it changes with their content.
    pub version: Arc<str>,
    /// Who signed in.
    pub who: Option<Arc<str>>,
}

impl Chrome {
    /// What surrounds a page for this person.
    pub fn new(person: &Caller, section: Section) -> Self {
        Self {
            place: person.place.clone(),
            read_only: person.read_only,
            form_token: person.form_token.clone(),
            section,
            version: person.version.clone(),
            who: person.who.clone(),
        }
    }

    /// Whether the navigation marks this link, such as `clients`.
    pub fn at(&self, link: &str) -> bool {
        match self.section {
            Section::Home => link == "home",
            Section::Clients => link == "clients",
            Section::Create => link == "create",
            Section::Tenants => link == "tenants",
            Section::Users => link == "users",
            Section::Resources => link == "resources",
            Section::Import => link == "import",
            Section::None => false,
        }
    }
}

/// A page or a fragment. The guard adds the headers that every response has.
pub fn html(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    let text = template.render().map_err(|error| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The page cannot be rendered: {error}."),
            "Report it as a bug, with the address of the page.",
        )
    })?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    Ok(response)
}

/// After a write: the browser GETs `path`, which begins with `/` (303; for htmx a header that makes it navigate).
pub fn see_other(person: &Caller, path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    let Ok(value) = HeaderValue::from_str(path) else {
        return response;
    };
    if person.fragment {
        response.headers_mut().insert("hx-redirect", value);
    } else {
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

/// `/clients/NAMESPACE/NAME`, then `rest`, such as `/edit`.
pub fn client_path(namespace: &str, name: &str, rest: &str) -> String {
    object_path("clients", namespace, name, rest)
}

/// The same for another section.
pub fn object_path(section: &str, namespace: &str, name: &str, rest: &str) -> String {
    let encode =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    format!("/{section}/{}/{}{rest}", encode(namespace), encode(name))
}

/// The day of a time as Kubernetes writes it, such as `2026-11-30T02:00:00Z`.
pub fn day(time: &str) -> String {
    time.chars().take(10).collect()
}

/// What stands beside the name of a client about first-party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstParty {
    /// Nothing.
    No,
    /// The badge: people are not asked for consent.
    Yes,
    /// The manifest asks for it, and the tenant does not allow it.
    Asks,
}

impl FirstParty {
    /// By `spec.firstParty` and the condition Ready.
    pub fn of(asked: bool, ready: bool, reason: &str) -> Self {
        match (asked, ready || reason != "FirstPartyNotAllowed") {
            (false, _) => Self::No,
            (true, true) => Self::Yes,
            (true, false) => Self::Asks,
        }
    }

    /// Its class; `None` for nothing.
    pub const fn class(self) -> Option<&'static str> {
        match self {
            Self::No => None,
            Self::Yes => Some("badge first-party"),
            Self::Asks => Some("hint"),
        }
    }

    /// Its text.
    pub const fn text(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Yes => "first-party",
            Self::Asks => "asks to be first-party",
        }
    }
}

/// The text without the characters that turn the direction of what follows, for places without markup.
pub fn undirected(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.replace(turns, "")
}

/// A piece of a sentence with commands between backticks.
pub struct Piece<'a> {
    /// Whether it was between backticks.
    pub code: bool,
    /// The text without backticks.
    pub text: &'a str,
}

/// The pieces of a sentence, for a template that renders commands as code.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let pieces = text.split('`').enumerate();
    pieces.map(|(at, text)| Piece {
        code: at % 2 == 1,
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_between_backticks() {
        let of = |text| {
            pieces(text)
                .map(|piece| (piece.code, piece.text.to_owned()))
                .collect::<Vec<_>>()
        };
        let expected = [
            (false, "Run ".to_owned()),
            (true, "a b".to_owned()),
            (false, ".".to_owned()),
        ];
        assert_eq!(of("Run `a b`."), expected);
        assert_eq!(of("plain"), [(false, "plain".to_owned())]);
    }

    #[test]
    fn first_party_is_what_the_tenant_allows() {
        let of = FirstParty::of;
        assert_eq!(of(false, false, "FirstPartyNotAllowed"), FirstParty::No);
        assert_eq!(of(true, true, "Registered"), FirstParty::Yes);
        assert_eq!(of(true, false, "Suspended"), FirstParty::Yes);
        assert_eq!(of(true, false, "FirstPartyNotAllowed"), FirstParty::Asks);
    }

    #[test]
    fn a_title_turns_nothing_round() {
        assert_eq!(
            undirected("a\u{202e}b\u{2066}c\u{2069}\u{200f}d\u{61c}é"),
            "abcdé"
        );
    }
}
