//! `/consent`: a person decides what a client may.

use axum::response::Response;

use super::authorization::PendingAuthorization;
use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use super::sessions::Current;
use super::{login_transaction, same_origin, sessions};
use crate::pages::{self, ConsentAsked, scope_sentence};
use clientele_oauth::client::redirect_uri::{is_on_device, returns_to};
use clientele_oauth::endpoints::authorize::interaction::{DENIED, Decision};
use clientele_oauth::endpoints::authorize::response::Answer;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_telemetry::audit::AuditEvent;

/// Answers `GET` with the page and `POST` with what follows. Only in the session in which the page was shown, and only
/// for what is sealed: what else a form says counts for nothing.
pub(super) async fn respond(browser_request: &BrowserRequest<'_>) -> Result<Response, ErrorPage> {
    if browser_request.is_post() {
        same_origin::check(&browser_request.headers, &browser_request.tenant.issuer)?;
    }
    let parameters = browser_request.parameters()?;
    let transaction = login_transaction::open(browser_request, &parameters)?;
    let asked =
        login_transaction::asked(browser_request, &transaction)?.ok_or_else(ErrorPage::form)?;
    let Some(current) = sessions::current(browser_request).await? else {
        return Ok(login_transaction::start_again(
            browser_request,
            &transaction,
        ));
    };
    if !current.saw(&transaction) {
        return Err(ErrorPage::other_session().of(&asked.destination.client));
    }
    match PendingAuthorization::of(browser_request, &asked, transaction, Some(&current)).await? {
        Err(answered) => Ok(answered),
        Ok(pending) if browser_request.is_post() => decided(pending, &current, &parameters).await,
        Ok(pending) => shown(pending, &current).await,
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
        Ok(Some("deny")) => {
            pending.record(AuditEvent::ConsentDenied, current);
            Ok(pending.answer(Answer::Error(DENIED)))
        }
        _ => Err(ErrorPage::form().of(&pending.destination.client)),
    }
}

async fn shown(
    pending: PendingAuthorization<'_>,
    current: &Current,
) -> Result<Response, ErrorPage> {
    let (browser_request, request) = (pending.browser_request, pending.request);
    let sentences = match pending.decide(false) {
        Decision::Consent => {
            let scopes = request.to_agree();
            scopes
                .map(|scope| scope_sentence(&browser_request.tenant, scope))
                .collect()
        }
        Decision::Proceed => Vec::new(),
        // Something has changed since: the person agreed in another window, say.
        _ => return pending.go_on(false).await,
    };
    let resources: Vec<&str> = request.resources.iter().map(String::as_str).collect();
    let transaction = login_transaction::seal(browser_request, &pending.transaction)?;
    let (client, redirect_uri) = (
        &pending.destination.client,
        &pending.destination.redirect_uri,
    );
    let view = ConsentAsked {
        client: &client.display_name,
        namespace: &client.namespace,
        returns_to: returns_to(redirect_uri),
        on_device: is_on_device(redirect_uri),
        user: current.name(),
        can_switch: request.is_for_anybody(),
        resources: if sentences.is_empty() {
            &[]
        } else {
            &resources
        },
        scopes: &sentences,
        transaction: &transaction,
    };
    Ok(pages::consent(&browser_request.chrome(), &view))
}
