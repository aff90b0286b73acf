//! `/authorize` (RFC 6749 §3.1, OIDC Core §3.1.2).

use axum::response::Response;

use super::authorization::PendingAuthorization;
use super::error_page::ErrorPage;
use super::redirect::ToClient;
use super::request::BrowserRequest;
use super::{login_transaction, redirect, sessions};
use clientele_oauth::endpoints::authorize;
use clientele_oauth::endpoints::authorize::Asked;
use clientele_oauth::endpoints::authorize::response::Answer;
use clientele_oauth::grant::login_transaction::Waiting;
use clientele_oauth::{ErrorCode, OAuthError};

/// Answers `GET` and `POST`.
pub(super) async fn respond(browser_request: &BrowserRequest<'_>) -> Result<Response, ErrorPage> {
    let encoded = browser_request.encoded()?;
    let asked = authorize::read(&browser_request.tenant, encoded).map_err(ErrorPage::stopped)?;
    if browser_request.is_from_elsewhere()? {
        return from_our_own_site(browser_request, encoded, &asked);
    }
    let answered = go_on(browser_request, encoded, &asked).await;
    answered.or_else(|error_page| tell_silently(browser_request, &asked, error_page))
}

async fn go_on(
    browser_request: &BrowserRequest<'_>,
    encoded: &str,
    asked: &Asked,
) -> Result<Response, ErrorPage> {
    let current = sessions::current(browser_request).await?;
    let waiting = Waiting::Authorization {
        query: encoded.to_owned(),
        client_uid: asked.destination.client.uid.to_string(),
    };
    let transaction = login_transaction::begin(browser_request, waiting)?;
    match PendingAuthorization::of(browser_request, asked, transaction, current.as_ref()).await? {
        Ok(pending) => pending.go_on(false).await,
        Err(answered) => Ok(answered),
    }
}

/// A POST that comes from another site carries no cookies that are `SameSite=Lax`; what our own site sends after it does.
/// What is wrong is answered here.
fn from_our_own_site(
    browser_request: &BrowserRequest<'_>,
    encoded: &str,
    asked: &Asked,
) -> Result<Response, ErrorPage> {
    match &asked.request {
        Ok(_) => redirect::once_more(browser_request, "/authorize", encoded),
        Err(refused) => {
            let to_client = ToClient {
                browser_request,
                destination: &asked.destination,
                current: None,
            };
            Ok(to_client.send(Answer::Refused(refused)))
        }
    }
}

/// With `prompt=none` no person looks: the client waits for an answer, and gets one also if the store fails.
fn tell_silently(
    browser_request: &BrowserRequest<'_>,
    asked: &Asked,
    error_page: ErrorPage,
) -> Result<Response, ErrorPage> {
    let silent = |request: &authorize::request::AuthorizationRequest| request.prompt.is_nothing();
    if !error_page.is_temporary() || !asked.request.as_ref().is_ok_and(silent) {
        return Err(error_page.of(&asked.destination.client));
    }
    let error = OAuthError::new(
        ErrorCode::TemporarilyUnavailable,
        "the server cannot answer now: try again later",
    );
    let to_client = ToClient {
        browser_request,
        destination: &asked.destination,
        current: None,
    };
    Ok(to_client.send(Answer::Error(error)))
}
