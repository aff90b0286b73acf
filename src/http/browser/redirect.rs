//! How a browser is sent on.

use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::error_page::ErrorPage;
use super::leaving;
use super::redirect_marker::SENT_BY_US;
use super::refusals::{self, Why};
use super::request::BrowserRequest;
use super::sessions::Current;
use crate::pages::{self, Leave, Way};
use clientele_oauth::ErrorCode;
use clientele_oauth::client::redirect_uri::returns_to;
use clientele_oauth::endpoints::authorize::interaction::DENIED;
use clientele_oauth::endpoints::authorize::redirect_target::Destination;
use clientele_oauth::endpoints::authorize::response::{Answer, fields, with_query};
use clientele_oauth::endpoints::authorize::response_mode::ResponseMode;
use clientele_oauth::endpoints::parameters::Parameters;

/// 303: whatever was posted is not posted again (RFC 9700 §4.12).
pub(super) fn see_other(location: &str) -> Response {
    let mut response = Response::default();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let (status, location) = match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, Some(location)),
        // Cannot be: issuers and registered URIs are ASCII, and what is added is encoded.
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
    };
    headers.extend(location.map(|location| (LOCATION, location)));
    *response.status_mut() = status;
    response
}

/// A longer address is not sent in a `Location`: proxies give all headers of an answer together 4 KiB.
pub(super) const MAX_LOCATION: usize = 2048;

/// Has the browser send the same request once more, now from our own site, so that its cookies come along: by a GET, or
/// by a form that sends itself where the address would be too long.
pub(super) fn once_more(
    browser_request: &BrowserRequest<'_>,
    endpoint: &str,
    encoded: &str,
) -> Result<Response, ErrorPage> {
    let location = format!("{}?{encoded}", browser_request.url(endpoint));
    if location.len() <= MAX_LOCATION {
        return Ok(see_other(&location));
    }
    let parameters = Parameters::read(encoded.as_bytes()).map_err(|_| ErrorPage::form())?;
    let mut fields = parameters.pairs().ok_or_else(ErrorPage::form)?;
    fields.push((SENT_BY_US, "1"));
    let chrome = browser_request.chrome();
    Ok(pages::once_more(&chrome, endpoint, &fields))
}

/// The way back to a client.
pub(super) struct ToClient<'a> {
    pub browser_request: &'a BrowserRequest<'a>,
    /// Where the request is answered.
    pub destination: &'a Destination,
    /// Who is signed in, if that is known.
    pub current: Option<&'a Current>,
}

impl ToClient<'_> {
    /// Answers an authorization request where it is to be answered (RFC 6749 §4.1.2, OAuth 2.0 Form Post Response Mode).
    pub fn send(&self, answer: Answer<'_>) -> Response {
        self.record(answer);
        let (browser_request, destination) = (self.browser_request, self.destination);
        let chrome = browser_request.chrome();
        let fields = fields(&browser_request.tenant.issuer, destination, answer);
        if self.needs_click(answer) {
            return self.leave(&fields);
        }
        match destination.mode {
            ResponseMode::Query => see_other(&with_query(&destination.redirect_uri, &fields)),
            ResponseMode::FormPost => pages::form_post(&chrome, &destination.redirect_uri, &fields),
        }
    }

    /// An error without a session may be nothing but a way to lead people elsewhere under the name of this server.
    fn needs_click(&self, answer: Answer<'_>) -> bool {
        let destination = self.destination;
        !matches!(answer, Answer::Code(_))
            && self.current.is_none()
            && !destination.is_silent
            && leaving::needs_click(&destination.client, &destination.redirect_uri)
    }

    fn leave(&self, fields: &[(&str, &str)]) -> Response {
        let destination = self.destination;
        let address = with_query(&destination.redirect_uri, fields);
        let view = Leave {
            client: &destination.client.display_name,
            host: returns_to(&destination.redirect_uri),
            after_sign_out: false,
            way: match destination.mode {
                ResponseMode::Query => Way::Link(&address),
                ResponseMode::FormPost => Way::Form(&destination.redirect_uri, fields),
            },
        };
        pages::leave(&self.browser_request.chrome(), &view)
    }

    /// A refusal is recorded, unless it is an answer to a question without a page (`prompt=none`), or the person's own.
    fn record(&self, answer: Answer<'_>) {
        let error = match answer {
            Answer::Code(_) => return,
            Answer::Error(error) => error,
            Answer::Refused(refused) => refused.error,
        };
        let expected = [
            ErrorCode::LoginRequired,
            ErrorCode::ConsentRequired,
            ErrorCode::InteractionRequired,
        ];
        if expected.contains(&error.code) || error == DENIED {
            return;
        }
        let why = Why {
            client: Some(&self.destination.client),
            user: self.current.map(|current| &*current.user),
            error: error.code.as_str(),
            rule: error.reason(),
        };
        refusals::record(self.browser_request.place(), why);
    }
}
