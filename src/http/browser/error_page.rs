//! Where a flow ends with a page that says why, and what to do about it. All its sentences are here.

use std::sync::Arc;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::refusals::{self, Place, Why};
use crate::error_response::Refusal;
use crate::pages::{self, ErrorView, PageChrome};
use clientele_oauth::endpoints::authorize::redirect_target::SUSPENDED;
use clientele_oauth::endpoints::authorize::refused::Stopped;
use clientele_oauth::{Client, ErrorCode, OAuthError, User};
use clientele_store::StoreError;

/// The reason why a flow ends here, for the person. The client learns nothing, and the browser is sent nowhere.
#[derive(Debug)]
pub(super) struct ErrorPage {
    status: StatusCode,
    code: &'static str,
    /// For a person; `{client}` stands for the application's name.
    sentence: &'static str,
    remedy: &'static str,
    /// For a developer, and for log and audit.
    rule: &'static str,
    client: Option<Arc<Client>>,
}

const INVALID: &str = "invalid_request";
const FORBIDDEN: &str = "forbidden";
const AGAIN: &str = "Go back to the application and start again from there.";
const TELL: &str = "Go back to the application and try again. If this page comes back, show it to the people who run the application.";
const LATER: &str = "Wait a moment, then reload this page.";

impl ErrorPage {
    /// The person is told what the developer is told.
    fn new(
        status: StatusCode,
        code: &'static str,
        sentence: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            status,
            code,
            sentence,
            remedy,
            rule: sentence,
            client: None,
        }
    }

    /// The developer is told something else.
    fn because(self, rule: &'static str) -> Self {
        Self { rule, ..self }
    }

    /// The client is known, so the page can name it and lead back to it.
    pub fn of(self, client: &Arc<Client>) -> Self {
        Self {
            client: Some(client.clone()),
            ..self
        }
    }

    /// Whether a newer registry could answer the same: it knows the client, or its redirect URI.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.status,
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
        )
    }

    /// Whether the same may succeed in a moment.
    pub fn is_temporary(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    /// A request that may not be answered, not even by sending the person back.
    pub fn stopped(stopped: Stopped) -> Self {
        let page = Self::request(stopped.error);
        match stopped.client {
            Some(client) => page.of(&client),
            None => page,
        }
    }

    fn request(error: OAuthError) -> Self {
        let (sentence, remedy) = if error == SUSPENDED {
            (
                "{client} is switched off at the moment, so sign-in to it is not possible.",
                "Try again later. The people who run the application can say when.",
            )
        } else if error.code == ErrorCode::InvalidClient {
            (
                "The application that sent you here is not known to this server.",
                TELL,
            )
        } else {
            (
                "{client} sent you here with a request that this server cannot answer.",
                TELL,
            )
        };
        Self::new(
            StatusCode::BAD_REQUEST,
            error.code.as_str(),
            sentence,
            remedy,
        )
        .because(error.reason())
    }

    /// A form of ours that is not as we made it.
    pub fn form() -> Self {
        let sentence = "This form was not sent in a way that can be read.";
        Self::new(StatusCode::BAD_REQUEST, INVALID, sentence, AGAIN)
    }

    /// Parameters in the query of a POST as well.
    pub fn query_and_form() -> Self {
        let sentence =
            "The application sent parameters in two places at once: in the address and in a form.";
        Self::new(StatusCode::BAD_REQUEST, INVALID, sentence, TELL)
    }

    /// Something else than a form.
    pub fn not_a_form() -> Self {
        let sentence =
            "The application sent something else than a form (application/x-www-form-urlencoded).";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID, sentence, TELL)
    }

    /// An address without a use.
    pub fn uri_too_long() -> Self {
        let sentence = "The application sent a request that is longer than 16 KiB.";
        Self::new(StatusCode::URI_TOO_LONG, INVALID, sentence, TELL)
    }

    /// A transaction that was begun in another browser, or in none; or the browser keeps no cookies.
    pub fn foreign(status: StatusCode) -> Self {
        let code = if status == StatusCode::FORBIDDEN {
            FORBIDDEN
        } else {
            INVALID
        };
        let sentence =
            "This page was not opened by this browser, or the browser does not keep cookies.";
        let remedy = "Allow cookies for this site, then go back to the application and start again from there.";
        Self::new(status, code, sentence, remedy)
            .because("the sealed request is missing, changed, or was made for another browser")
    }

    /// A form that another site sent.
    pub fn cross_site() -> Self {
        let sentence = "This form was sent by another site.";
        Self::new(StatusCode::FORBIDDEN, FORBIDDEN, sentence, AGAIN)
            .because("Origin or Sec-Fetch-Site says that another site sent the form")
    }

    /// The person took too long.
    pub fn expired() -> Self {
        let sentence = "This page is no longer valid: it was open for more than a week.";
        Self::new(StatusCode::BAD_REQUEST, INVALID, sentence, AGAIN)
    }

    /// Another client has the name of the one that asked.
    pub fn another_client() -> Self {
        let sentence = "The application was replaced by another one since this page was opened.";
        Self::new(StatusCode::BAD_REQUEST, INVALID, sentence, AGAIN)
    }

    /// The subject of the person was another registration's.
    pub fn subject_taken() -> Self {
        let sentence =
            "Your account cannot be used yet: its identifier belonged to another account before.";
        let remedy = "Show this page to the people who manage accounts here: they can assign the identifier to your account.";
        Self::new(StatusCode::FORBIDDEN, "subject_taken", sentence, remedy)
    }

    /// A page that was made for another person, who was signed in then.
    pub fn other_session() -> Self {
        let sentence = "Another person has signed in with this browser since this page was opened.";
        Self::new(StatusCode::FORBIDDEN, FORBIDDEN, sentence, AGAIN)
            .because("the form was shown in another session")
    }

    /// A server asks too often to end sessions.
    pub fn too_many() -> Self {
        let sentence = "The application asks too often to sign people out.";
        let code = "temporarily_unavailable";
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, sentence, LATER)
            .because("more than ten requests a minute of a client's server to end sessions")
    }

    /// Too many passwords are being tried.
    pub fn busy() -> Self {
        let sentence = "Very many people are signing in at this moment.";
        let remedy = "Wait a few seconds, then try again.";
        let code = "temporarily_unavailable";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, sentence, remedy)
    }

    /// Too many passwords are being tried from here, for this account, or at this tenant.
    pub fn busy_here() -> Self {
        let sentence =
            "Too many people are signing in from your network, or to your account, at this moment.";
        let remedy = "Wait a few seconds, then try again.";
        let code = "temporarily_unavailable";
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, sentence, remedy)
            .because("too many sign-ins of one address, one account or one tenant wait")
    }

    /// Something that the server needs is missing.
    pub fn unavailable() -> Self {
        let sentence = "Signing in is not possible at this moment.";
        let code = "temporarily_unavailable";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, sentence, LATER)
    }

    /// The server itself failed.
    pub fn failed() -> Self {
        let sentence = "Something went wrong in this server.";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, "server_error", sentence, LATER)
    }

    /// Records the refusal, and says it on a page.
    pub fn into_page(self, place: Place<'_>, user: Option<&User>) -> Response {
        let client = self.client.as_deref();
        let why = Why {
            client,
            user,
            error: self.code,
            rule: self.rule,
        };
        let request_id = refusals::record(place, why);
        let home = client.and_then(home);
        let view = ErrorView {
            code: self.code,
            sentence: self.sentence,
            remedy: self.remedy,
            rule: self.rule,
            client: client.map(|client| &*client.display_name),
            client_id: client.map(|client| &*client.id),
            home: home.as_deref(),
            request_id: &request_id,
        };
        let mut response = pages::error(&PageChrome::of(place.tenant), self.status, &view);
        if self.is_temporary() || self.status == StatusCode::TOO_MANY_REQUESTS {
            let seconds = HeaderValue::from_static("5");
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

/// The origin of the first redirect URI that lies on the web.
fn home(client: &Client) -> Option<String> {
    let mut registered = client.redirect_uris.iter();
    registered.find_map(|uri| {
        let uri = url::Url::parse(uri).ok()?;
        let origin = uri.origin();
        origin.is_tuple().then(|| origin.ascii_serialization())
    })
}

impl From<StoreError> for ErrorPage {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "failed to answer a request");
        Self::unavailable()
    }
}

/// A body that is too large, too slow or broken off.
impl From<Refusal> for ErrorPage {
    fn from(refusal: Refusal) -> Self {
        let sentence = "The form could not be read.";
        Self::new(refusal.status, refusal.error, sentence, AGAIN).because(refusal.description)
    }
}
