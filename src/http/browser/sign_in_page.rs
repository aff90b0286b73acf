//! The page to sign in. It stands wherever it is needed, and its form leads to `/login`: so the sealed request travels in the
//! form, and in no address.

use axum::response::Response;

use super::error_page::ErrorPage;
use super::login_transaction;
use super::request::BrowserRequest;
use crate::pages::{self, SignIn, SignInProblem};
use clientele_oauth::client::redirect_uri::returns_to;
use clientele_oauth::endpoints::authorize::redirect_target::Destination;
use clientele_oauth::grant::login_transaction::Transaction;

/// The page, for what waits in the transaction.
pub(super) fn show(
    browser_request: &BrowserRequest<'_>,
    destination: Option<&Destination>,
    transaction: &Transaction,
    username: &str,
    problem: Option<SignInProblem>,
) -> Result<Response, ErrorPage> {
    let transaction = login_transaction::seal(browser_request, transaction)?;
    let view = SignIn {
        client: destination.map(|destination| &*destination.client.display_name),
        returns_to: destination.map(|destination| returns_to(&destination.redirect_uri)),
        transaction: &transaction,
        username,
        can_stay: browser_request.tenant.session.persistent,
        by_email: browser_request.tenant.signs_in_by_email,
        problem,
    };
    Ok(pages::sign_in(&browser_request.chrome(), &view))
}
