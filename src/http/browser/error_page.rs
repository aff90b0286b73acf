//! Where a flow ends with a page that says why, and what to do about it. All its sentences are here.

use std::sync::Arc;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::error_response::Refusal;
use crate::pages::{self, ErrorView, PageChrome};
use clientele_oauth::{Client, OAuthError, Tenant};
use clientele_store::StoreError;

/// The reason why a flow ends here, for the person. The client learns nothing, and nobody is sent anywhere.
#[derive(Debug)]
pub(super) struct ErrorPage {
    status: StatusCode,
    code: &'static str,
    sentence: String,
    remedy: &'static str,
    client: Option<Arc<Client>>,
}

const INVALID: &str = "invalid_request";
const AGAIN: &str = "Go back to the application and start again from there.";
const TELL: &str = "Go back to the application and try again. If this page comes back, show it to whoever runs the application.";
const LATER: &str = "Wait a moment, then reload this page.";

impl ErrorPage {
    fn new(
        status: StatusCode,
        code: &'static str,
        sentence: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self {
            status,
            code,
            sentence: sentence.into(),
            remedy,
            client: None,
        }
    }

    /// The client is known, so the page can name it and lead back to it.
    pub fn of(self, client: &Arc<Client>) -> Self {
        Self {
            client: Some(client.clone()),
            ..self
        }
    }

    /// Whether the same may succeed in a moment.
    pub fn is_temporary(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    /// A request that may not be answered, not even by sending the person back.
    pub fn request(error: OAuthError) -> Self {
        let sentence = format!(
            "The application sent a request that cannot be answered: {}.",
            error.description
        );
        let code = error.code.as_str();
        Self::new(StatusCode::BAD_REQUEST, code, sentence, TELL)
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

    /// An address that nobody needs.
    pub fn uri_too_long() -> Self {
        let sentence = "The application sent a request that is longer than 16 KiB.";
        Self::new(StatusCode::URI_TOO_LONG, INVALID, sentence, TELL)
    }

    /// A transaction that was begun in another browser, or by nobody; or the browser keeps no cookies.
    pub fn foreign(status: StatusCode) -> Self {
        let code = if status == StatusCode::FORBIDDEN {
            "forbidden"
        } else {
            INVALID
        };
        let sentence =
            "This page was not opened by this browser, or the browser does not keep cookies.";
        let remedy = "Allow cookies for this site, then go back to the application and start again from there.";
        Self::new(status, code, sentence, remedy)
    }

    /// A form that another site sent.
    pub fn cross_site() -> Self {
        let sentence = "This form was sent by another site.";
        Self::new(StatusCode::FORBIDDEN, "forbidden", sentence, AGAIN)
    }

    /// The person took too long.
    pub fn expired() -> Self {
        let sentence = "This page is no longer valid: it was open for more than 30 minutes.";
        Self::new(StatusCode::BAD_REQUEST, INVALID, sentence, AGAIN)
    }

    /// The subject of the person was another registration's.
    pub fn subject_taken() -> Self {
        let sentence =
            "Your account cannot be used yet: its identifier belonged to another account before.";
        let remedy = "Show this page to the people who manage accounts here: they can assign the identifier to your account.";
        Self::new(StatusCode::FORBIDDEN, "subject_taken", sentence, remedy)
    }

    /// A page that was made for somebody else, who was signed in then.
    pub fn other_session() -> Self {
        let sentence = "Somebody else has signed in with this browser since this page was opened.";
        Self::new(StatusCode::BAD_REQUEST, INVALID, sentence, AGAIN)
    }

    /// A request is answered once.
    pub fn answered() -> Self {
        let sentence = "This request was answered already, and each is answered only once.";
        let remedy =
            "Go back to the application. If you are not signed in there, start again from there.";
        Self::new(StatusCode::BAD_REQUEST, INVALID, sentence, remedy)
    }

    /// Too many passwords are being tried.
    pub fn busy() -> Self {
        let sentence = "Very many people are signing in at this moment.";
        let remedy = "Wait a few seconds, then try again.";
        let code = "temporarily_unavailable";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, sentence, remedy)
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

    /// The page.
    pub fn into_page(self, tenant: &Tenant) -> Response {
        let home = self.client.as_deref().and_then(home);
        let view = ErrorView {
            code: self.code,
            sentence: &self.sentence,
            remedy: self.remedy,
            client: self.client.as_ref().map(|client| &*client.display_name),
            home: home.as_deref(),
        };
        let mut response = pages::error(&PageChrome::of(tenant), self.status, &view);
        if self.is_temporary() {
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
        tracing::error!(%error, "a request could not be answered");
        Self::unavailable()
    }
}

/// A body that is too large, too slow or broken off.
impl From<Refusal> for ErrorPage {
    fn from(refusal: Refusal) -> Self {
        let sentence = format!("The form could not be read: {}.", refusal.description);
        Self::new(refusal.status, refusal.error, sentence, AGAIN)
    }
}
