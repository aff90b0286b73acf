//! `/account`: what a person has granted, to be seen and withdrawn; and signing out, here or everywhere.

use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::cookies::{self, Purpose};
use super::error_page::Stop;
use super::login_transaction::Unopened;
use super::request::Visit;
use super::sessions::Current;
use super::{audit_events, login_transaction, redirect, same_origin, sessions};
use crate::pages::{self, Account, Granted, scope_sentence};
use clientele_oauth::Client;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::grant::Consent;
use clientele_oauth::grant::login_transaction::Waiting;
use clientele_telemetry::audit::AuditEvent;

/// Shown after a withdrawal.
const WITHDRAWN: &str = "The access was withdrawn.";

/// Answers `GET` with the page and `POST` with what follows.
pub(super) async fn respond(visit: &Visit<'_>) -> Result<Response, Stop> {
    if visit.is_post() {
        same_origin::check(&visit.headers, &visit.tenant.issuer)?;
    }
    let parameters = visit.parameters()?;
    let current = sessions::current(visit).await?;
    match (current, visit.is_post()) {
        (Some(current), false) => page(visit, &current, &parameters).await,
        (Some(current), true) => act(visit, &current, &parameters).await,
        (None, false) => {
            let transaction = login_transaction::begin(visit, Waiting::Account)?;
            login_transaction::send_to(visit, "/login", &transaction)
        }
        (None, true) => Ok(reload(visit)),
    }
}

fn reload(visit: &Visit<'_>) -> Response {
    redirect::see_other(&visit.url("/account"))
}

async fn page(
    visit: &Visit<'_>,
    current: &Current,
    parameters: &Parameters,
) -> Result<Response, Stop> {
    let (tenant, subject) = (&visit.tenant, &current.person.subject);
    let consents = visit.app.store.consents(&tenant.registration_id, subject);
    let consents = consents.await?;
    let grants: Vec<Granted<'_>> = consents
        .iter()
        .filter_map(|consent| granted(visit, consent))
        .collect();
    let mut transaction = login_transaction::begin(visit, Waiting::Account)?;
    transaction.shown_to = Some(current.mark(false));
    let transaction = login_transaction::seal(visit, &transaction)?;
    let withdrawn = parameters.one("done") == Ok(Some("withdrawn"));
    let view = Account {
        person: current.name(),
        username: &current.person.username,
        grants: &grants,
        notice: withdrawn.then_some(WITHDRAWN),
        transaction: &transaction,
    };
    Ok(pages::account(&visit.frame(), &view))
}

/// A consent beside the client that it is for; none if that is gone.
fn granted<'a>(visit: &'a Visit<'_>, consent: &'a Consent) -> Option<Granted<'a>> {
    let client = client_of(visit, consent)?;
    let scopes = consent.scope.split(' ').filter(|scope| !scope.is_empty());
    Some(Granted {
        client: &client.display_name,
        namespace: &client.namespace,
        scopes: scopes
            .map(|scope| scope_sentence(&visit.tenant, scope))
            .collect(),
        since: consent.granted_at.strftime("%Y-%m-%d").to_string(),
        registration_id: &consent.registration_id,
    })
}

fn client_of<'a>(visit: &'a Visit<'_>, consent: &Consent) -> Option<&'a Client> {
    let client = visit.tenant.clients.get(consent.client_id.as_str())?;
    (*client.registration_id == *consent.registration_id).then_some(client)
}

/// Does what the form says, if it comes from the page of this very session. A page that was open for too long is shown
/// again: nothing is lost by that.
async fn act(
    visit: &Visit<'_>,
    current: &Current,
    parameters: &Parameters,
) -> Result<Response, Stop> {
    let transaction = match login_transaction::open(visit, parameters) {
        Ok(transaction) => transaction,
        Err(Unopened::Expired(_)) => return Ok(reload(visit)),
        Err(Unopened::Stop(stop)) => return Err(stop),
    };
    if transaction.waiting != Waiting::Account || !current.saw(&transaction) {
        return Ok(reload(visit));
    }
    let field = |name| parameters.one(name).map_err(|_| Stop::form());
    match (field("action")?, field("grant")?) {
        (Some("withdraw"), Some(registration_id)) => {
            withdraw(visit, current, registration_id).await
        }
        (Some("sign-out"), _) => {
            sessions::end(visit, current).await?;
            audit_events::done(visit, AuditEvent::SignOut, None, &current.person);
            Ok(signed_out(visit))
        }
        (Some("sign-out-everywhere"), _) => sign_out_everywhere(visit, current).await,
        _ => Err(Stop::form()),
    }
}

async fn withdraw(
    visit: &Visit<'_>,
    current: &Current,
    registration_id: &str,
) -> Result<Response, Stop> {
    let (store, tenant) = (&visit.app.store, &visit.tenant);
    let (uid, subject) = (&tenant.registration_id, &current.person.subject);
    if let Some(consent) = store.consent(uid, subject, registration_id).await? {
        store
            .withdraw(uid, subject, registration_id, visit.now)
            .await?;
        let client = Some(consent.client_id.as_str());
        audit_events::done(visit, AuditEvent::ConsentWithdrawn, client, &current.person);
    }
    let location = visit.url("/account?done=withdrawn");
    Ok(redirect::see_other(&location))
}

async fn sign_out_everywhere(visit: &Visit<'_>, current: &Current) -> Result<Response, Stop> {
    let (store, uid) = (&visit.app.store, &visit.tenant.registration_id);
    let subject = &current.person.subject;
    store
        .end_all_sessions(uid, subject, true, visit.now)
        .await?;
    audit_events::done(visit, AuditEvent::SignOutEverywhere, None, &current.person);
    Ok(signed_out(visit))
}

/// To the page that says so.
fn signed_out(visit: &Visit<'_>) -> Response {
    let mut response = redirect::see_other(&visit.url("/logout"));
    let cookie = cookies::clear(&visit.tenant, Purpose::Session);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}
