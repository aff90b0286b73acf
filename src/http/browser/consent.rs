//! `/consent`: a person decides what a client may.

use axum::response::Response;

use super::authorization::Progress;
use super::error_page::Stop;
use super::request::Visit;
use super::sessions::Current;
use super::{login_transaction, same_origin, sessions};
use crate::pages::{self, ConsentAsked, scope_sentence};
use clientele_oauth::client::redirect_uri::returns_to;
use clientele_oauth::endpoints::authorize::interaction::{DENIED, Decision};
use clientele_oauth::endpoints::authorize::response::Answer;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_telemetry::audit::AuditEvent;

/// Answers `GET` with the page and `POST` with what follows. Only in the session in which the page was shown, and only
/// for what is sealed: what else a form says counts for nothing.
pub(super) async fn respond(visit: &Visit<'_>) -> Result<Response, Stop> {
    if visit.is_post() {
        same_origin::check(&visit.headers, &visit.tenant.issuer)?;
    }
    let parameters = visit.parameters()?;
    let transaction = login_transaction::open(visit, &parameters)?;
    let asked = login_transaction::asked(visit, &transaction)?.ok_or_else(Stop::form)?;
    let Some(current) = sessions::current(visit).await? else {
        return Ok(login_transaction::start_again(visit, &transaction));
    };
    if !current.saw(&transaction) {
        return Err(Stop::other_session().of(&asked.destination.client));
    }
    match Progress::of(visit, &asked, transaction, Some(&current)).await? {
        Err(answered) => Ok(answered),
        Ok(progress) if visit.is_post() => decided(progress, &current, &parameters).await,
        Ok(progress) => shown(progress, &current).await,
    }
}

async fn decided(
    progress: Progress<'_>,
    current: &Current,
    parameters: &Parameters,
) -> Result<Response, Stop> {
    match parameters.one("decision") {
        Ok(Some("allow")) => progress.go_on(true).await,
        Ok(Some("switch")) => progress.ask_login(),
        Ok(Some("deny")) => {
            progress.record(AuditEvent::ConsentDenied, current);
            Ok(progress.answer(Answer::Error(DENIED)))
        }
        _ => Err(Stop::form().of(&progress.destination.client)),
    }
}

async fn shown(progress: Progress<'_>, current: &Current) -> Result<Response, Stop> {
    let (visit, request) = (progress.visit, progress.request);
    let sentences = match progress.decide(false) {
        Decision::Consent => {
            let scopes = request.to_agree();
            scopes
                .map(|scope| scope_sentence(&visit.tenant, scope))
                .collect()
        }
        Decision::Proceed => Vec::new(),
        // Something has changed since: the person agreed in another window, say.
        _ => return progress.go_on(false).await,
    };
    let resources: Vec<&str> = request.resources.iter().map(String::as_str).collect();
    let transaction = login_transaction::seal(visit, &progress.transaction)?;
    let (client, redirect_uri) = (
        &progress.destination.client,
        &progress.destination.redirect_uri,
    );
    let view = ConsentAsked {
        client: &client.display_name,
        namespace: &client.namespace,
        returns_to: returns_to(redirect_uri),
        person: current.name(),
        can_switch: request.is_for_anybody(),
        resources: if sentences.is_empty() {
            &[]
        } else {
            &resources
        },
        scopes: &sentences,
        transaction: &transaction,
    };
    Ok(pages::consent(&visit.frame(), &view))
}
