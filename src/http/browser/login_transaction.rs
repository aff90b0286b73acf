//! Transactions on their way: begun here, sent along with the person, and opened when they come back.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error_page::Stop;
use super::redirect;
use super::request::Visit;
use clientele_oauth::Client;
use clientele_oauth::endpoints::authorize;
use clientele_oauth::endpoints::authorize::Asked;
use clientele_oauth::endpoints::authorize::response::with_query;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::grant::login_transaction::{Transaction, Unusable, Waiting};

/// Begins a transaction in this browser.
pub(super) fn begin(visit: &Visit<'_>, waiting: Waiting) -> Result<Transaction, Stop> {
    Ok(Transaction {
        id: URL_SAFE_NO_PAD.encode(visit.random::<16>()?),
        browser: visit.browser.clone(),
        started_at: visit.now.as_second(),
        waiting,
        shown_to: None,
    })
}

/// The transaction as it travels.
pub(super) fn seal(visit: &Visit<'_>, transaction: &Transaction) -> Result<String, Stop> {
    transaction
        .seal(&visit.keyring, &visit.tenant)
        .ok_or_else(Stop::failed)
}

/// Sends the person to a page with the transaction.
pub(super) fn send_to(
    visit: &Visit<'_>,
    page: &str,
    transaction: &Transaction,
) -> Result<Response, Stop> {
    let sealed = seal(visit, transaction)?;
    let location = with_query(&visit.url(page), &[("transaction", &sealed)]);
    Ok(redirect::see_other(&location))
}

/// What was decided by has ended meanwhile: the same request once more, which leads to the page that asks again.
pub(super) fn start_again(visit: &Visit<'_>, transaction: &Transaction) -> Response {
    let query = match &transaction.waiting {
        Waiting::Authorization { query, .. } => query,
        _ => "",
    };
    redirect::see_other(&format!("{}?{query}", visit.url("/authorize")))
}

/// Opens the transaction that came back. A form without one is forged; a page without one may just be an old bookmark.
pub(super) fn open(visit: &Visit<'_>, parameters: &Parameters) -> Result<Transaction, Unopened> {
    let status = if visit.is_post() {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::BAD_REQUEST
    };
    let foreign = || Unopened::Stop(Stop::foreign(status));
    let sealed = parameters.one("transaction").ok().flatten();
    let sealed = sealed.ok_or_else(foreign)?;
    let (keyring, tenant) = (&visit.keyring, &visit.tenant);
    match Transaction::open(keyring, tenant, sealed, &visit.browser, visit.now) {
        Ok(transaction) => Ok(transaction),
        Err(Unusable::Foreign) => Err(foreign()),
        Err(Unusable::Expired(transaction)) => {
            let asked = asked(visit, &transaction).ok().flatten();
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
    Stop(Stop),
}

impl From<Unopened> for Stop {
    fn from(unopened: Unopened) -> Self {
        match unopened {
            Unopened::Expired(None) => Self::expired(),
            Unopened::Expired(Some(client)) => Self::expired().of(&client),
            Unopened::Stop(stop) => stop,
        }
    }
}

/// The authorization request that waits, judged by what is registered now; none if something else waits.
pub(super) fn asked(visit: &Visit<'_>, transaction: &Transaction) -> Result<Option<Asked>, Stop> {
    let Waiting::Authorization {
        query,
        registration_id,
    } = &transaction.waiting
    else {
        return Ok(None);
    };
    let asked = authorize::read(&visit.tenant, query).map_err(Stop::request)?;
    if *asked.destination.client.registration_id != **registration_id {
        return Err(Stop::expired());
    }
    Ok(Some(asked))
}
