//! `/consent`: a person decides what a client may.

use axum::response::Response;

use super::authorization::PendingAuthorization;
use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use super::sessions::Current;
use super::{login_transaction, same_origin, sessions};
use clientele_oauth::endpoints::authorize::interaction::{DENIED, Decision, NOT_FOR_THIS_PERSON};
use clientele_oauth::endpoints::authorize::response::Answer;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_telemetry::audit::AuditEvent;

/// Answers `POST` with what follows, and `GET` with the page. Only in the session in which
/// the page was shown, and only for what is sealed: what else a form says counts for nothing. A browser may send a form
/// again; each time it gets a code of its own.
pub(super) async fn respond(browser_request: &BrowserRequest<'_>) -> Result<Response, ErrorPage> {
    if browser_request.is_post() {
        same_origin::check(&browser_request.headers, &browser_request.tenant.issuer)?;
    }
    let parameters = browser_request.parameters()?;
    let transaction = login_transaction::open(browser_request, &parameters)?;
    let asked =
        login_transaction::asked(browser_request, &transaction)?.ok_or_else(ErrorPage::form)?;
    let current = sessions::current(browser_request).await?;
    if current
        .as_ref()
        .is_some_and(|current| !current.saw(&transaction))
    {
        return Err(ErrorPage::other_session().of(&asked.destination.client));
    }
    let current = current.as_ref();
    match PendingAuthorization::of(browser_request, &asked, transaction, current).await? {
        Err(answered) => Ok(answered),
        Ok(pending) => match current {
            // The session has ended since: sign in, and be asked again.
            None => pending.ask_login(),
            Some(current) if browser_request.is_post() => {
                decided(pending, current, &parameters).await
            }
            Some(_) => pending.go_on(false).await,
        },
    }
}

async fn decided(
    pending: PendingAuthorization<'_>,
    current: &Current,
    parameters: &Parameters,
) -> Result<Response, ErrorPage> {
    match parameters.one("decision") {
        Ok(Some("allow")) => pending.go_on(true).await,
        Ok(Some("switch")) => pending.ask_login(),
        Ok(Some("deny")) if pending.decide(false) == Decision::NotAllowed => {
            Ok(pending.answer(Answer::Error(NOT_FOR_THIS_PERSON)))
        }
        Ok(Some("deny")) => {
            pending.record(AuditEvent::ConsentDenied, current);
            Ok(pending.answer(Answer::Error(DENIED)))
        }
        _ => Err(ErrorPage::form().of(&pending.destination.client)),
    }
}
