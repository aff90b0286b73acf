//! Transactions on their way: begun here, sent along with the person, and opened when they come back.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error_page::ErrorPage;
use super::redirect;
use super::request::BrowserRequest;
use clientele_oauth::Client;
use clientele_oauth::endpoints::authorize;
use clientele_oauth::endpoints::authorize::Asked;
use clientele_oauth::endpoints::authorize::response::with_query;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::grant::login_transaction::{Transaction, Unusable, Waiting};

/// Begins a transaction in this browser.
pub(super) fn begin(
    browser_request: &BrowserRequest<'_>,
    waiting: Waiting,
) -> Result<Transaction, ErrorPage> {
    Ok(Transaction {
        id: URL_SAFE_NO_PAD.encode(browser_request.random::<16>()?),
        browser: browser_request
            .browsers
            .first()
            .cloned()
            .unwrap_or_default(),
        started_at: browser_request.now.as_second(),
        waiting,
        shown_to: None,
    })
}

/// The transaction as it travels.
pub(super) fn seal(
    browser_request: &BrowserRequest<'_>,
    transaction: &Transaction,
) -> Result<String, ErrorPage> {
    transaction
        .seal(&browser_request.keyring, &browser_request.tenant)
        .ok_or_else(ErrorPage::failed)
}

/// After a form, sends the person to a page by an address, so that neither a reload nor Back sends the form again. `None`
/// after a `GET`, and where the address would be too long: then the page is the answer itself.
pub(super) fn send_after_form(
    browser_request: &BrowserRequest<'_>,
    page: &str,
    transaction: &Transaction,
) -> Result<Option<Response>, ErrorPage> {
    if !browser_request.is_post() {
        return Ok(None);
    }
    let sealed = seal(browser_request, transaction)?;
    let location = with_query(&browser_request.url(page), &[("transaction", &sealed)]);
    let fits = location.len() <= redirect::MAX_LOCATION;
    Ok(fits.then(|| redirect::see_other(&location)))
}

/// What was decided by has ended meanwhile: the same request once more, which leads to the page that asks again.
pub(super) fn start_again(
    browser_request: &BrowserRequest<'_>,
    transaction: &Transaction,
) -> Result<Response, ErrorPage> {
    let query = match &transaction.waiting {
        Waiting::Authorization { query, .. } => query,
        _ => "",
    };
    redirect::once_more(browser_request, "/authorize", query)
}

/// Opens the transaction that came back. A form without one is forged; a page without one may just be an old bookmark.
pub(super) fn open(
    browser_request: &BrowserRequest<'_>,
    parameters: &Parameters,
) -> Result<Transaction, Unopened> {
    let status = if browser_request.is_post() {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::BAD_REQUEST
    };
    let foreign = || Unopened::ErrorPage(ErrorPage::foreign(status));
    let sealed = parameters.one("transaction").ok().flatten();
    let sealed = sealed.ok_or_else(foreign)?;
    let (keyring, tenant) = (&browser_request.keyring, &browser_request.tenant);
    match Transaction::open(
        keyring,
        tenant,
        sealed,
        &browser_request.browsers,
        browser_request.now,
    ) {
        Ok(transaction) => Ok(transaction),
        Err(Unusable::Foreign) => Err(foreign()),
        Err(Unusable::Expired(transaction)) => {
            let asked = asked(browser_request, &transaction).ok().flatten();
            Err(Unopened::Expired(
                asked.map(|asked| asked.destination.client),
            ))
        }
    }
}

/// Why there is no transaction to go on with.
pub(super) enum Unopened {
    /// It took too long; the client that asked is known, if one did.
    Expired(Option<Arc<Client>>),
    /// Anything else.
    ErrorPage(ErrorPage),
}

impl From<Unopened> for ErrorPage {
    fn from(unopened: Unopened) -> Self {
        match unopened {
            Unopened::Expired(None) => Self::expired(),
            Unopened::Expired(Some(client)) => Self::expired().of(&client),
            Unopened::ErrorPage(error_page) => error_page,
        }
    }
}

/// The authorization request that waits, judged by what is registered now; none if something else waits.
pub(super) fn asked(
    browser_request: &BrowserRequest<'_>,
    transaction: &Transaction,
) -> Result<Option<Asked>, ErrorPage> {
    let Waiting::Authorization { query, client_uid } = &transaction.waiting else {
        return Ok(None);
    };
    let asked = authorize::read(&browser_request.tenant, query).map_err(ErrorPage::stopped)?;
    if *asked.destination.client.uid != **client_uid {
        return Err(ErrorPage::another_client());
    }
    Ok(Some(asked))
}
