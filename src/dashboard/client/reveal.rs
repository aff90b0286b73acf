//! The only responses that hold a client secret: to a POST with the form token, never stored by a browser.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use clientele_kubectl::shared::namespace;
use serde_json::Value;

use super::frame::read;
use super::secret::{Source, find, source};
use super::secret_block::SecretBlock;
use super::{overview, refusal};
use crate::cluster::Kind;
use crate::page::{html, see_other};
use crate::person::Caller;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "client_secret.html")]
struct SecretFragment {
    secret: SecretBlock,
}

/// Shows the secret: the block for htmx, else the whole page.
pub async fn reveal(person: Caller, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    let client = read(&person, &of).await?;
    let value = value(&person, &client).await?;
    let mut secret = SecretBlock::masked(&person, &client).await;
    secret.value = Some(value);
    let response = if person.fragment {
        html(StatusCode::OK, &SecretFragment { secret })?
    } else {
        overview::page(&person, &client, secret).await?
    };
    Ok(unstored(response))
}

/// The secret as text, for a script that puts it into the clipboard.
pub async fn copy(person: Caller, Path(of): Path<(String, String)>) -> Response {
    let found = match read(&person, &of).await {
        Ok(client) => value(&person, &client).await,
        Err(problem) => Err(problem),
    };
    // The script shows the first line of what is no secret.
    let (status, text) = match found {
        Ok(value) => (StatusCode::OK, value),
        Err(problem) => (
            refusal::status(&problem),
            format!("{} {}", problem.message, problem.remedy),
        ),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    unstored(response)
}

/// A GET of the address that reveals, as by a reload: back to the page with the secret masked.
pub async fn back(person: Caller, Path((namespace, name)): Path<(String, String)>) -> Response {
    see_other(&person, &crate::page::client_path(&namespace, &name, ""))
}

fn unstored(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The client secret, by the right of the person to read the Secret.
pub async fn value(person: &Caller, client: &Value) -> Result<String, Problem> {
    let (secret, entry) = match source(client) {
        Source::Derived { secret, entry } => (secret, entry),
        Source::None(why) => {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                why,
                "Go back to the page of the client.",
            ));
        }
    };
    let object = person
        .cluster
        .get(Kind::Secret, namespace(client), &secret)
        .await?;
    find(&object, entry.as_deref()).ok_or_else(|| {
        Problem::not_found(format!(
            "Secret {secret} has no entry with the client secret: spec.secret of the client names none, or the operator has not written it yet."
        ))
    })
}
