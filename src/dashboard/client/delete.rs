//! Deleting a client: what stops, Suspend first, and a confirmation by its name.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use clientele_kubectl::shared::{namespace, text};
use serde_json::Value;

use super::frame::{ClientHeader, Right, Tab, read};
use super::spec;
use super::usage::Usage;
use crate::cluster::{Kind, Mode};
use crate::form::Form;
use crate::page::{Chrome, Section, html, see_other};
use crate::person::Caller;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "delete_client.html")]
struct DeletePage {
    chrome: Chrome,
    frame: ClientHeader,
    facts: Vec<String>,
    uid: String,
    /// What was typed as confirmation.
    typed: String,
    /// What is wrong with it; empty at first.
    wrong: String,
    /// Whether the person may suspend it instead.
    suspend: Right,
}

/// The warning.
pub async fn show(person: Caller, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    let client = read(&person, &of).await?;
    page(&person, &client, StatusCode::OK, ("", "")).await
}

/// Deletes the client if its name was typed.
pub async fn submit(
    person: Caller,
    Path(of): Path<(String, String)>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    person.must_write()?;
    let (namespace, name) = (of.0.as_str(), of.1.as_str());
    let typed = fields.get("confirm").trim();
    if typed != name {
        let client = read(&person, &of).await?;
        let wrong = format!("Type {name} to confirm; nothing was deleted.");
        return page(
            &person,
            &client,
            StatusCode::UNPROCESSABLE_ENTITY,
            (typed, &wrong),
        )
        .await;
    }
    let uid = fields.get("uid");
    let deleted = person
        .cluster
        .delete(Kind::Client, namespace, name, uid, Mode::Store)
        .await;
    match deleted {
        Ok(()) => {
            person.rows.forget();
            Ok(see_other(&person, "/clients"))
        }
        Err(problem) if problem.status == StatusCode::CONFLICT => {
            let client = read(&person, &of).await?;
            let wrong = "The client was deleted and created again meanwhile; nothing was deleted. Confirm again to delete the new one.";
            page(&person, &client, StatusCode::CONFLICT, ("", wrong)).await
        }
        Err(problem) => Err(problem),
    }
}

async fn page(
    person: &Caller,
    client: &Value,
    status: StatusCode,
    (typed, wrong): (&str, &str),
) -> Result<Response, Problem> {
    let of = (namespace(client), text(client, "/metadata/name"));
    let (frame, usage, suspend) = futures::join!(
        ClientHeader::new(person, client, Tab::None),
        Usage::read(person, client),
        Right::ask(person, "patch", Kind::Client, of),
    );
    let page = DeletePage {
        chrome: Chrome::new(person, Section::Clients),
        facts: facts(client, &usage),
        uid: text(client, "/metadata/uid").to_owned(),
        typed: typed.to_owned(),
        wrong: wrong.to_owned(),
        frame,
        suspend,
    };
    html(status, &page)
}

/// When the client was used last, to the day; nothing where the operator does not record it.
pub fn last_use(client: &Value) -> Option<String> {
    let day = |pointer: &str| {
        text(client, pointer)
            .split('T')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    match (day("/status/lastUsedAt"), day("/status/unusedSince")) {
        (used, _) if !used.is_empty() => Some(format!("It was used last on {used}.")),
        (_, since) if !since.is_empty() => Some(format!("No use is known since {since}.")),
        _ => None,
    }
}

/// What a person should know before, as sentences.
fn facts(client: &Value, usage: &Usage) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(last_use(client));
    facts.push(usage.sentence());
    if spec::grants(client)
        .iter()
        .any(|grant| grant == "refresh_token")
    {
        facts.push(
            "The refresh tokens that it was issued stop at once; its access tokens stay valid until they expire, where APIs verify them offline."
                .to_owned(),
        );
    }
    let secret = text(client, "/status/secretName");
    if text(client, "/spec/deletionPolicy") == "Retain" {
        facts.push(format!(
            "Secret {secret} stays (deletionPolicy: Retain), with credentials that no longer work."
        ));
    } else if !secret.is_empty() {
        facts.push(format!("Secret {secret} is deleted with it."));
    }
    if !spec::is_public(client) {
        facts.push("A new client of the same name gets another client secret.".to_owned());
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sentences(spec: &Value) -> String {
        let client = json!({ "spec": spec, "status": { "secretName": "web-oauth", "lastUsedAt": "2026-11-29T00:00:00Z" } });
        let usage = Usage {
            pods: Vec::new(),
            unknown: "You may not list pods.".to_owned(),
        };
        facts(&client, &usage).join("\n")
    }

    #[test]
    fn the_facts_are_those_of_the_client() {
        let web = sentences(&json!({ "redirectUris": ["https://a.example/"] }));
        for expected in [
            "2026-11-29.",
            "not known: You may not list pods.",
            "refresh tokens",
            "web-oauth is deleted",
            "another client secret",
        ] {
            assert!(web.contains(expected), "{expected}: {web}");
        }
        let kept = sentences(&json!({ "deletionPolicy": "Retain", "type": "Public" }));
        assert!(kept.contains("stays (deletionPolicy: Retain)"), "{kept}");
        assert!(
            !kept.contains("another client secret") && !kept.contains("refresh tokens"),
            "{kept}"
        );
    }
}
