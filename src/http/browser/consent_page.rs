//! The pages on which a signed-in person answers an authorization request. Their forms lead to `/consent`.

use axum::response::Response;

use super::error_page::ErrorPage;
use super::request::BrowserRequest;
use super::sessions::Current;
use super::{login_transaction, refusals};
use crate::pages::{self, ConsentAsked, NotAllowed, scope_sentence};
use clientele_oauth::client::redirect_uri::{is_on_device, returns_to};
use clientele_oauth::endpoints::authorize::interaction::{Decision, NOT_FOR_THIS_PERSON};
use clientele_oauth::endpoints::authorize::redirect_target::Destination;
use clientele_oauth::endpoints::authorize::request::AuthorizationRequest;
use clientele_oauth::grant::login_transaction::Transaction;

/// What is asked of whom.
pub(super) struct Question<'a> {
    pub browser_request: &'a BrowserRequest<'a>,
    pub destination: &'a Destination,
    pub request: &'a AuthorizationRequest,
    pub current: &'a Current,
    pub transaction: &'a Transaction,
}

/// The page that follows from a decision: to consent, to go on with a click, or to be told that neither is possible.
pub(super) fn show(question: &Question<'_>, decision: Decision) -> Result<Response, ErrorPage> {
    let transaction = login_transaction::seal(question.browser_request, question.transaction)?;
    match decision {
        Decision::NotAllowed => Ok(not_allowed(question, &transaction)),
        Decision::Consent => {
            let tenant = &question.browser_request.tenant;
            let scopes = question.request.to_agree();
            let sentences: Vec<String> =
                scopes.map(|scope| scope_sentence(tenant, scope)).collect();
            let resources = question.request.resources.iter();
            let resources: Vec<&str> = resources.map(String::as_str).collect();
            Ok(consent(question, &transaction, &sentences, &resources))
        }
        _ => Ok(consent(question, &transaction, &[], &[])),
    }
}

fn consent(
    question: &Question<'_>,
    transaction: &str,
    scopes: &[String],
    resources: &[&str],
) -> Response {
    let client = &question.destination.client;
    let view = ConsentAsked {
        client: &client.display_name,
        namespace: &client.namespace,
        returns_to: returns_to(&question.destination.redirect_uri),
        on_device: is_on_device(&question.destination.redirect_uri),
        user: question.current.name(),
        can_switch: question.request.is_for_anybody(),
        resources,
        scopes,
        transaction,
    };
    pages::consent(&question.browser_request.chrome(), &view)
}

fn not_allowed(question: &Question<'_>, transaction: &str) -> Response {
    let (browser_request, client) = (question.browser_request, &question.destination.client);
    let why = refusals::Why {
        client: Some(client),
        user: Some(&question.current.user),
        error: NOT_FOR_THIS_PERSON.code.as_str(),
        rule: NOT_FOR_THIS_PERSON.description,
    };
    let request_id = refusals::record(browser_request.place(), why);
    let view = NotAllowed {
        client: &client.display_name,
        user: question.current.name(),
        can_switch: question.request.is_for_anybody(),
        code: why.error,
        request_id: &request_id,
        transaction,
    };
    pages::not_allowed(&browser_request.chrome(), &view)
}
