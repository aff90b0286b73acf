//! `/logout` (OIDC RP-Initiated Logout §2).

use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::cookies::{self, Purpose};
use super::error_page::Stop;
use super::request::Visit;
use super::sessions::Current;
use super::{audit_events, login_transaction, redirect, same_origin, sessions};
use crate::pages::{self, SignOutAsked};
use clientele_oauth::endpoints::end_session::{Decision, LogoutRequest};
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::grant::login_transaction::Waiting;
use clientele_telemetry::audit::AuditEvent;

/// Answers a client's request, and the person's answer to our question.
pub(super) async fn respond(visit: &Visit<'_>) -> Result<Response, Stop> {
    if visit.is_post() {
        let parameters = visit.parameters()?;
        if parameters.has("transaction") {
            return answered(visit, &parameters).await;
        }
    }
    let encoded = visit.encoded()?;
    let request = LogoutRequest::read(&visit.tenant, encoded).map_err(Stop::request)?;
    if visit.is_post() {
        // As at /authorize: the cookies come with the GET.
        return Ok(redirect::see_other(&format!(
            "{}?{encoded}",
            visit.url("/logout")
        )));
    }
    let current = sessions::current(visit).await?;
    let session = current.as_ref().map(|current| &current.session);
    match (request.decide(session), &current) {
        (Decision::SignOut, Some(current)) => sign_out(visit, &request, current).await,
        (Decision::Ask, Some(current)) => ask(visit, &request, current),
        _ => Ok(gone(visit, &request)),
    }
}

fn ask(visit: &Visit<'_>, request: &LogoutRequest, current: &Current) -> Result<Response, Stop> {
    let query = request.to_query();
    let mut transaction = login_transaction::begin(visit, Waiting::SignOut { query })?;
    transaction.shown_to = Some(current.mark(false));
    let transaction = login_transaction::seal(visit, &transaction)?;
    let view = SignOutAsked {
        person: current.name(),
        client: request.client.as_ref().map(|client| &*client.display_name),
        transaction: &transaction,
    };
    Ok(pages::sign_out(&visit.frame(), &view))
}

/// The person was asked, and has decided.
async fn answered(visit: &Visit<'_>, parameters: &Parameters) -> Result<Response, Stop> {
    same_origin::check(&visit.headers, &visit.tenant.issuer)?;
    let transaction = login_transaction::open(visit, parameters)?;
    let Waiting::SignOut { query } = &transaction.waiting else {
        return Err(Stop::form());
    };
    let request = LogoutRequest::read(&visit.tenant, query).map_err(Stop::request)?;
    match (parameters.one("decision"), sessions::current(visit).await?) {
        (Ok(Some("stay")), _) => Ok(pages::signed_out(&visit.frame(), true)),
        (Ok(Some("sign-out")), None) => Ok(gone(visit, &request)),
        (Ok(Some("sign-out")), Some(current)) if current.saw(&transaction) => {
            sign_out(visit, &request, &current).await
        }
        (Ok(Some("sign-out")), Some(_)) => Err(Stop::other_session()),
        _ => Err(Stop::form()),
    }
}

async fn sign_out(
    visit: &Visit<'_>,
    request: &LogoutRequest,
    current: &Current,
) -> Result<Response, Stop> {
    sessions::end(visit, current).await?;
    let client = request.client.as_ref().map(|client| &*client.id);
    audit_events::done(visit, AuditEvent::SignOut, client, &current.person);
    Ok(gone(visit, request))
}

/// Nobody is signed in any more.
fn gone(visit: &Visit<'_>, request: &LogoutRequest) -> Response {
    let mut response = match request.location() {
        Some(location) => redirect::see_other(&location),
        None => pages::signed_out(&visit.frame(), false),
    };
    let cookie = cookies::clear(&visit.tenant, Purpose::Session);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}
