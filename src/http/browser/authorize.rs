//! `/authorize` (RFC 6749 §3.1, OIDC Core §3.1.2).

use axum::response::Response;

use super::authorization::Progress;
use super::error_page::Stop;
use super::request::Visit;
use super::{login_transaction, redirect, sessions};
use clientele_oauth::endpoints::authorize;
use clientele_oauth::endpoints::authorize::Asked;
use clientele_oauth::endpoints::authorize::response::Answer;
use clientele_oauth::grant::login_transaction::Waiting;
use clientele_oauth::{ErrorCode, OAuthError};

/// Answers `GET` and `POST`.
pub(super) async fn respond(visit: &Visit<'_>) -> Result<Response, Stop> {
    let encoded = visit.encoded()?;
    let asked = authorize::read(&visit.tenant, encoded).map_err(Stop::request)?;
    if visit.is_post() {
        return Ok(as_get(visit, encoded, &asked));
    }
    let answered = go_on(visit, encoded, &asked).await;
    answered.or_else(|stop| tell_silently(visit, &asked, stop))
}

async fn go_on(visit: &Visit<'_>, encoded: &str, asked: &Asked) -> Result<Response, Stop> {
    let current = sessions::current(visit).await?;
    let waiting = Waiting::Authorization {
        query: encoded.to_owned(),
        registration_id: asked.destination.client.registration_id.to_string(),
    };
    let transaction = login_transaction::begin(visit, waiting)?;
    match Progress::of(visit, asked, transaction, current.as_ref()).await? {
        Ok(progress) => progress.go_on(false).await,
        Err(answered) => Ok(answered),
    }
}

/// A POST that comes from another site carries no cookies that are `SameSite=Lax`; the GET after it does. What is wrong
/// is answered here, because the form may be longer than an address can be.
fn as_get(visit: &Visit<'_>, encoded: &str, asked: &Asked) -> Response {
    match &asked.request {
        Ok(_) => redirect::see_other(&format!("{}?{encoded}", visit.url("/authorize"))),
        Err(error) => redirect::to_client(visit, &asked.destination, Answer::Error(*error)),
    }
}

/// With `prompt=none` nobody looks: the client waits for an answer, and gets one also if the store fails.
fn tell_silently(visit: &Visit<'_>, asked: &Asked, stop: Stop) -> Result<Response, Stop> {
    let silent = |request: &authorize::request::AuthorizationRequest| request.prompt.is_nothing();
    if !stop.is_temporary() || !asked.request.as_ref().is_ok_and(silent) {
        return Err(stop.of(&asked.destination.client));
    }
    let error = OAuthError::new(
        ErrorCode::TemporarilyUnavailable,
        "the server cannot answer now: try again later",
    );
    Ok(redirect::to_client(
        visit,
        &asked.destination,
        Answer::Error(error),
    ))
}
