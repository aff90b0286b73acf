//! `/logout` (OIDC RP-Initiated Logout §2).

use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::cookies;
use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use super::sessions::Current;
use super::{
    audit_events, leaving, login_transaction, redirect, same_origin, server_sign_out, sessions,
};
use crate::pages::{self, Leave, SignOutAsked, SignedOut, Way};
use clientele_oauth::OAuthError;
use clientele_oauth::client::redirect_uri::returns_to;
use clientele_oauth::endpoints::authorize::refused::Stopped;
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
        LogoutRequest::read(&browser_request.tenant, encoded).map_err(ErrorPage::stopped)?;
    let current = sessions::current(browser_request).await?;
    if current.is_none()
        && server_sign_out::is_of_a_server(&browser_request.headers)
        && let Some(ended) = server_sign_out::end(browser_request, &request).await?
    {
        return Ok(ended);
    }
    if browser_request.is_from_elsewhere()? {
        // As at /authorize: the cookies come with what our own site sends.
        return redirect::once_more(browser_request, "/logout", encoded);
    }
    let session = current.as_ref().map(|current| &current.session);
    match (request.decide(session), &current) {
        (Decision::SignOut, Some(current)) => sign_out(browser_request, &request, current).await,
        (Decision::Ask, Some(current)) => ask(browser_request, &request, current),
        (Decision::Refuse(error), _) => Err(refused(&request, error)),
        _ if browser_request.parameters()?.one("done") == Ok(Some("signed-out")) => {
            Ok(page(browser_request, SignedOut::Done))
        }
        _ => Ok(nobody_there(browser_request, &request)),
    }
}

fn refused(request: &LogoutRequest, error: OAuthError) -> ErrorPage {
    ErrorPage::stopped(Stopped {
        error,
        client: request.client.clone(),
    })
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
        LogoutRequest::read(&browser_request.tenant, query).map_err(ErrorPage::stopped)?;
    if let Some(error) = request.wrong_address {
        return Err(refused(&request, error));
    }
    match (
        parameters.one("decision"),
        sessions::current(browser_request).await?,
    ) {
        (Ok(Some("stay")), _) => Ok(page(browser_request, SignedOut::Stayed)),
        // Sent twice: the first has ended the session.
        (Ok(Some("sign-out")), None) => Ok(signed_out(browser_request, &request)),
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
    Ok(signed_out(browser_request, request))
}

/// The session of this browser is over.
fn signed_out(browser_request: &BrowserRequest<'_>, request: &LogoutRequest) -> Response {
    let response = match request.location() {
        Some(location) => redirect::see_other(&location),
        None => page(browser_request, SignedOut::Done),
    };
    without_cookie(browser_request, response)
}

/// There is no session in this browser. The person goes where the client says, if it proves who it is; by a click, if
/// no administrator has vouched for the address.
fn nobody_there(browser_request: &BrowserRequest<'_>, request: &LogoutRequest) -> Response {
    let response = match (request.location(), &request.client) {
        (Some(location), Some(client)) if leaving::needs_click(client, &location) => {
            let view = Leave {
                client: &client.display_name,
                host: returns_to(&location),
                after_sign_out: true,
                way: Way::Link(&location),
            };
            pages::leave(&browser_request.chrome(), &view)
        }
        (Some(location), _) => redirect::see_other(&location),
        (None, _) => page(browser_request, SignedOut::NobodyThere),
    };
    without_cookie(browser_request, response)
}

fn page(browser_request: &BrowserRequest<'_>, ended: SignedOut) -> Response {
    pages::signed_out(&browser_request.chrome(), ended)
}

fn without_cookie(browser_request: &BrowserRequest<'_>, mut response: Response) -> Response {
    let cookie = cookies::clear_session(&browser_request.tenant);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}
