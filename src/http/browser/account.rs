//! `/account`: what a person has granted, to be seen and withdrawn; and signing out, here or everywhere.

use axum::http::header::SET_COOKIE;
use axum::response::Response;

use super::cookies::{self, Purpose};
use super::error_page::ErrorPage;
use super::login_transaction::Unopened;
use super::request::BrowserRequest;
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
pub(super) async fn respond(browser_request: &BrowserRequest<'_>) -> Result<Response, ErrorPage> {
    if browser_request.is_post() {
        same_origin::check(&browser_request.headers, &browser_request.tenant.issuer)?;
    }
    let parameters = browser_request.parameters()?;
    let current = sessions::current(browser_request).await?;
    match (current, browser_request.is_post()) {
        (Some(current), false) => page(browser_request, &current, &parameters).await,
        (Some(current), true) => act(browser_request, &current, &parameters).await,
        (None, false) => {
            let transaction = login_transaction::begin(browser_request, Waiting::Account)?;
            login_transaction::send_to(browser_request, "/login", &transaction)
        }
        (None, true) => Ok(reload(browser_request)),
    }
}

fn reload(browser_request: &BrowserRequest<'_>) -> Response {
    redirect::see_other(&browser_request.url("/account"))
}

async fn page(
    browser_request: &BrowserRequest<'_>,
    current: &Current,
    parameters: &Parameters,
) -> Result<Response, ErrorPage> {
    let (tenant, subject) = (&browser_request.tenant, &current.user.subject);
    let consents = browser_request.app.store.consents(&tenant.uid, subject);
    let consents = consents.await?;
    let grants: Vec<Granted<'_>> = consents
        .iter()
        .filter(|consent| consent.is_of(&current.user))
        .filter_map(|consent| granted(browser_request, consent))
        .collect();
    let mut transaction = login_transaction::begin(browser_request, Waiting::Account)?;
    transaction.shown_to = Some(current.mark(false));
    let transaction = login_transaction::seal(browser_request, &transaction)?;
    let withdrawn = parameters.one("done") == Ok(Some("withdrawn"));
    let view = Account {
        user: current.name(),
        username: &current.user.username,
        grants: &grants,
        notice: withdrawn.then_some(WITHDRAWN),
        transaction: &transaction,
    };
    Ok(pages::account(&browser_request.chrome(), &view))
}

/// A consent beside the client that it is for; none if that was deleted.
fn granted<'a>(
    browser_request: &'a BrowserRequest<'_>,
    consent: &'a Consent,
) -> Option<Granted<'a>> {
    let client = client_of(browser_request, consent)?;
    let scopes = consent.scope.split(' ').filter(|scope| !scope.is_empty());
    Some(Granted {
        client: &client.display_name,
        namespace: &client.namespace,
        scopes: scopes
            .map(|scope| scope_sentence(&browser_request.tenant, scope))
            .collect(),
        since: consent.granted_at.strftime("%Y-%m-%d").to_string(),
        client_uid: &consent.client_uid,
    })
}

fn client_of<'a>(browser_request: &'a BrowserRequest<'_>, consent: &Consent) -> Option<&'a Client> {
    let client = browser_request
        .tenant
        .clients
        .get(consent.client_id.as_str())?;
    (*client.uid == *consent.client_uid).then_some(client)
}

/// Does what the form says, if it comes from the page of this very session. A page that was open for too long is shown
/// again: nothing is lost by that.
async fn act(
    browser_request: &BrowserRequest<'_>,
    current: &Current,
    parameters: &Parameters,
) -> Result<Response, ErrorPage> {
    let transaction = match login_transaction::open(browser_request, parameters) {
        Ok(transaction) => transaction,
        Err(Unopened::Expired(_)) => return Ok(reload(browser_request)),
        Err(Unopened::ErrorPage(error_page)) => return Err(error_page),
    };
    if transaction.waiting != Waiting::Account || !current.saw(&transaction) {
        return Ok(reload(browser_request));
    }
    let field = |name| parameters.one(name).map_err(|_| ErrorPage::form());
    match (field("action")?, field("grant")?) {
        (Some("withdraw"), Some(client_uid)) => {
            withdraw(browser_request, current, client_uid).await
        }
        (Some("sign-out"), _) => {
            sessions::end(browser_request, current).await?;
            audit_events::done(browser_request, AuditEvent::SignOut, None, &current.user);
            Ok(signed_out(browser_request))
        }
        (Some("sign-out-everywhere"), _) => sign_out_everywhere(browser_request, current).await,
        _ => Err(ErrorPage::form()),
    }
}

async fn withdraw(
    browser_request: &BrowserRequest<'_>,
    current: &Current,
    client_uid: &str,
) -> Result<Response, ErrorPage> {
    let (store, tenant) = (&browser_request.app.store, &browser_request.tenant);
    let (uid, subject) = (&tenant.uid, &current.user.subject);
    let consent = store.consent(uid, subject, client_uid).await?;
    if let Some(consent) = consent.filter(|consent| consent.is_of(&current.user)) {
        store
            .withdraw(uid, subject, client_uid, browser_request.now)
            .await?;
        let client = Some(consent.client_id.as_str());
        audit_events::done(
            browser_request,
            AuditEvent::ConsentWithdrawn,
            client,
            &current.user,
        );
    }
    let location = browser_request.url("/account?done=withdrawn");
    Ok(redirect::see_other(&location))
}

async fn sign_out_everywhere(
    browser_request: &BrowserRequest<'_>,
    current: &Current,
) -> Result<Response, ErrorPage> {
    let (store, uid) = (&browser_request.app.store, &browser_request.tenant.uid);
    let subject = &current.user.subject;
    store
        .end_all_sessions(uid, subject, true, browser_request.now)
        .await?;
    audit_events::done(
        browser_request,
        AuditEvent::SignOutEverywhere,
        None,
        &current.user,
    );
    Ok(signed_out(browser_request))
}

/// To the page that says so.
fn signed_out(browser_request: &BrowserRequest<'_>) -> Response {
    let mut response = redirect::see_other(&browser_request.url("/logout"));
    let cookie = cookies::clear(&browser_request.tenant, Purpose::Session);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}
