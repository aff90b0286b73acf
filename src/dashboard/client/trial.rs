//! The tab *Test*: the client from end to end through the public URL, with a token of its own where it may have one. The token is on no page: its
//! claims are.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::Failure;
use clientele_kubectl::shared::{HeldProof, Seen, Tried, text};
use serde_json::Value;

use super::frame::{ClientHeader, Tab, read};
use super::reveal;
use super::spec;
use crate::form::Form;
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;

/// A step, as the page shows it.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    name: &'static str,
    mark: Mark,
    said: String,
}

/// What came of a step.
#[derive(Debug, PartialEq, Eq)]
enum Mark {
    Works,
    Skipped,
    Fails,
}

#[derive(Template)]
#[template(path = "client_test.html")]
struct TestPage {
    chrome: Chrome,
    frame: ClientHeader,
    /// Whether it may have tokens of its own.
    machine: bool,
    scope: String,
    resource: String,
    /// `None` before the first try.
    steps: Option<Vec<Shown>>,
    /// The claims of the token as JSON.
    claims: Option<String>,
}

/// What would be tried.
pub async fn show(person: Caller, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    let client = read(&person, &of).await?;
    page(&person, &client, ("", ""), None).await
}

/// Tries it.
pub async fn submit(
    person: Caller,
    Path(of): Path<(String, String)>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let client = read(&person, &of).await?;
    let asked = (fields.get("scope").trim(), fields.get("resource").trim());
    let parameters = [("scope", asked.0), ("resource", asked.1)];
    let parameters: Vec<(&str, &str)> = parameters
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let held = held(&person, &client);
    let tried = person.issuer.test(&client, held, &parameters).await;
    page(&person, &client, asked, Some(tried)).await
}

/// What the client proves itself with, as far as the person may read it.
async fn held(person: &Caller, client: &Value) -> Result<HeldProof, Failure> {
    let elsewhere = text(client, "/spec/tokenEndpointAuthMethod");
    if matches!(elsewhere, "private_key_jwt" | "service_account") {
        let flag = format!(
            "{} -n {}",
            text(client, "/metadata/name"),
            text(client, "/metadata/namespace")
        );
        return Ok(HeldProof::Elsewhere(format!(
            "the client proves itself by {elsewhere}, for which the dashboard has no key; `kubectl clientele test {flag}` tries what it can"
        )));
    }
    let value = reveal::value(person, client).await;
    let secret =
        value.map_err(|problem| Failure::new(format!("{} {}", problem.message, problem.remedy)))?;
    Ok(HeldProof::Secret(secret))
}

async fn page(
    person: &Caller,
    client: &Value,
    asked: (&str, &str),
    tried: Option<Tried>,
) -> Result<Response, Problem> {
    let claims = tried.as_ref().and_then(|tried| tried.claims.as_ref());
    let claims = claims.map(|claims| serde_json::to_string_pretty(claims).unwrap_or_default());
    let grants = spec::grants(client);
    let page = TestPage {
        chrome: Chrome::new(person, Section::Clients),
        frame: ClientHeader::new(person, client, Tab::Test).await,
        machine: grants.iter().any(|grant| grant == "client_credentials"),
        scope: asked.0.to_owned(),
        resource: asked.1.to_owned(),
        claims,
        steps: tried.map(|tried| tried.steps.into_iter().map(shown).collect()),
    };
    html(StatusCode::OK, &page)
}

fn shown(step: clientele_kubectl::shared::Step) -> Shown {
    let (mark, said) = match step.result {
        Ok(Seen::Works(seen)) => (Mark::Works, seen),
        Ok(Seen::Skipped(why)) => (Mark::Skipped, why),
        Err(failure) => (Mark::Fails, failure.to_string()),
    };
    Shown {
        name: step.name,
        mark,
        said,
    }
}
