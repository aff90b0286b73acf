//! `/logout` (OIDC RP-Initiated Logout §2).

use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::cookies::{self, Purpose};
use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use super::sessions::Current;
use super::{audit_events, login_transaction, redirect, same_origin, sessions};
use crate::pages::{self, SignOutAsked};
use clientele_oauth::endpoints::end_session::{Decision, LogoutRequest};
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::grant::login_transaction::Waiting;
use clientele_telemetry::audit::AuditEvent;

/// Answers a client's request, and the person's answer to our question.
pub(super) async fn respond(browser_request: &BrowserRequest<'_>) -> Result<Response, ErrorPage> {
    if browser_request.is_post() {
        let parameters = browser_request.parameters()?;
        if !matches!(parameters.one("transaction"), Ok(None)) {
            return answered(browser_request, &parameters).await;
        }
    }
    let encoded = browser_request.encoded()?;
    let request =
        LogoutRequest::read(&browser_request.tenant, encoded).map_err(ErrorPage::request)?;
    if browser_request.is_post() {
        // As at /authorize: the cookies come with the GET.
        return Ok(redirect::see_other(&format!(
            "{}?{encoded}",
            browser_request.url("/logout")
        )));
    }
    let current = sessions::current(browser_request).await?;
    let session = current.as_ref().map(|current| &current.session);
    match (request.decide(session), &current) {
        (Decision::SignOut, Some(current)) => sign_out(browser_request, &request, current).await,
        (Decision::Ask, Some(current)) => ask(browser_request, &request, current),
        _ => Ok(gone(browser_request, &request)),
    }
}

fn ask(
    browser_request: &BrowserRequest<'_>,
    request: &LogoutRequest,
    current: &Current,
) -> Result<Response, ErrorPage> {
    let query = request.to_query();
    let mut transaction = login_transaction::begin(browser_request, Waiting::SignOut { query })?;
    transaction.shown_to = Some(current.mark(false));
    let transaction = login_transaction::seal(browser_request, &transaction)?;
    let view = SignOutAsked {
        user: current.name(),
        client: request.client.as_ref().map(|client| &*client.display_name),
        transaction: &transaction,
    };
    Ok(pages::sign_out(&browser_request.chrome(), &view))
}

/// The person was asked, and has decided.
async fn answered(
    browser_request: &BrowserRequest<'_>,
    parameters: &Parameters,
) -> Result<Response, ErrorPage> {
    same_origin::check(&browser_request.headers, &browser_request.tenant.issuer)?;
    let transaction = login_transaction::open(browser_request, parameters)?;
    let Waiting::SignOut { query } = &transaction.waiting else {
        return Err(ErrorPage::form());
    };
    let request =
        LogoutRequest::read(&browser_request.tenant, query).map_err(ErrorPage::request)?;
    match (
        parameters.one("decision"),
        sessions::current(browser_request).await?,
    ) {
        (Ok(Some("stay")), _) => Ok(pages::signed_out(&browser_request.chrome(), true)),
        (Ok(Some("sign-out")), None) => Ok(gone(browser_request, &request)),
        (Ok(Some("sign-out")), Some(current)) if current.saw(&transaction) => {
            sign_out(browser_request, &request, &current).await
        }
        (Ok(Some("sign-out")), Some(_)) => Err(ErrorPage::other_session()),
        _ => Err(ErrorPage::form()),
    }
}

async fn sign_out(
    browser_request: &BrowserRequest<'_>,
    request: &LogoutRequest,
    current: &Current,
) -> Result<Response, ErrorPage> {
    sessions::end(browser_request, current).await?;
    let client = request.client.as_ref().map(|client| &*client.id);
    audit_events::done(browser_request, AuditEvent::SignOut, client, &current.user);
    Ok(gone(browser_request, request))
}

/// Nobody is signed in any more.
fn gone(browser_request: &BrowserRequest<'_>, request: &LogoutRequest) -> Response {
    let mut response = match request.location() {
        Some(location) => redirect::see_other(&location),
        None => pages::signed_out(&browser_request.chrome(), false),
    };
    let cookie = cookies::clear(&browser_request.tenant, Purpose::Session);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}
