//! The tabs that only show: *Lifetimes*, *Snippets*, *YAML* and *Events*.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::events::{self, Row as EventRow};
use super::frame::{ClientHeader, Tab, read};
use super::lifetimes::{Row, rows};
use super::snippets::{Snippet, snippets};
use super::{preset, spec};
use crate::cluster::Kind;
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "client_lifetimes.html")]
struct LifetimesPage {
    chrome: Chrome,
    frame: ClientHeader,
    rows: Vec<Row>,
    /// Why the tenant is not known; empty if it is.
    unknown: String,
}

/// How long tokens live.
pub async fn lifetimes(
    person: Caller,
    Path(of): Path<(String, String)>,
) -> Result<Response, Problem> {
    let client = read(&person, &of).await?;
    let (tenant, frame) = futures::join!(
        person.cluster.get(Kind::Tenant, "", spec::tenant(&client)),
        ClientHeader::new(&person, &client, Tab::Lifetimes),
    );
    let page = LifetimesPage {
        chrome: Chrome::new(&person, Section::Clients),
        rows: rows(&client, tenant.as_ref().ok()),
        unknown: tenant
            .err()
            .map(|problem| problem.message)
            .unwrap_or_default(),
        frame,
    };
    html(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "client_snippets.html")]
struct SnippetsPage {
    chrome: Chrome,
    frame: ClientHeader,
    snippets: Vec<Snippet>,
}

/// How applications refer to the Secret.
pub async fn snippets_page(
    person: Caller,
    Path(of): Path<(String, String)>,
) -> Result<Response, Problem> {
    let client = read(&person, &of).await?;
    let page = SnippetsPage {
        chrome: Chrome::new(&person, Section::Clients),
        snippets: snippets(&client),
        frame: ClientHeader::new(&person, &client, Tab::Snippets).await,
    };
    html(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "client_yaml.html")]
struct YamlPage {
    chrome: Chrome,
    frame: ClientHeader,
    manifest: String,
    whole: String,
}

/// The manifest, and the object with its status.
pub async fn yaml(person: Caller, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    let mut client = read(&person, &of).await?;
    let manifest = preset::yaml(&preset::committed(&client));
    let frame = ClientHeader::new(&person, &client, Tab::Yaml).await;
    if let Some(metadata) = client.get_mut("metadata").and_then(|m| m.as_object_mut()) {
        metadata.remove("managedFields");
    }
    let page = YamlPage {
        chrome: Chrome::new(&person, Section::Clients),
        whole: preset::yaml(&client),
        manifest,
        frame,
    };
    html(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "client_events.html")]
struct EventsPage {
    chrome: Chrome,
    frame: ClientHeader,
    rows: Vec<EventRow>,
    /// Whether there are more than are shown.
    more: bool,
    /// Why they are not known; empty if they are.
    unknown: String,
}

/// What happened.
pub async fn events(person: Caller, Path(of): Path<(String, String)>) -> Result<Response, Problem> {
    let client = read(&person, &of).await?;
    let select = events::select(&client);
    let (events, frame) = futures::join!(
        person.cluster.first(Kind::Event, Some(&of.0), &select),
        ClientHeader::new(&person, &client, Tab::Events),
    );
    let (events, more, unknown) = match events {
        Ok((events, more)) => (events, more, String::new()),
        Err(problem) => (Vec::new(), false, problem.message),
    };
    let page = EventsPage {
        chrome: Chrome::new(&person, Section::Clients),
        rows: events::rows(&events, jiff::Timestamp::now()),
        more,
        unknown,
        frame,
    };
    html(StatusCode::OK, &page)
}
