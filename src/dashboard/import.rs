//! `/import`: what clients and people of another server become here. Nothing is written, and what was sent is not shown again: it may hold secrets.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use clap::ValueEnum;
use clientele_kubectl::args::Source;
use clientele_kubectl::import::Settings;
use clientele_kubectl::import::preview::{Preview, preview};

use crate::form::Form;
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;

/// The most fields that a page lists.
const MOST: usize = 200;

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    chrome: Chrome,
    /// The sources by the word of the command line, and whether it is chosen.
    sources: Vec<(String, bool)>,
    namespace: String,
    tenant: String,
    wrong: String,
    preview: Option<Preview>,
    /// How many fields are changed or lost; the page lists the first.
    inexact: usize,
}

/// The form.
pub async fn show(person: Caller) -> Result<Response, Problem> {
    let namespace = match person.namespace.as_str() {
        "" => "default",
        own => own,
    };
    let page = ImportPage {
        chrome: Chrome::new(&person, Section::Import),
        sources: sources(""),
        namespace: namespace.to_owned(),
        tenant: clientele_api::DEFAULT_TENANT.to_owned(),
        wrong: String::new(),
        preview: None,
        inexact: 0,
    };
    html(StatusCode::OK, &page)
}

/// What would come of it.
pub async fn submit(person: Caller, Form(fields): Form) -> Result<Response, Problem> {
    let word = fields.get("source");
    let settings = Settings {
        namespace: fields.get("namespace").trim().to_owned(),
        tenant: fields.get("tenant").trim().to_owned(),
        client_id_key: None,
        client_secret_key: None,
    };
    let text = fields.get("text").to_owned();
    let seen = match Source::from_str(word, false) {
        Ok(source) => {
            let settings = settings.clone();
            let read = tokio::task::spawn_blocking(move || preview(source, &text, &settings)).await;
            read.map_err(|error| error.to_string())
                .and_then(|read| read.map_err(|failure| failure.to_string()))
        }
        Err(_) => Err("Choose where the clients come from.".to_owned()),
    };
    let (status, wrong, mut preview) = match seen {
        Ok(preview) => (StatusCode::OK, String::new(), Some(preview)),
        Err(wrong) => (StatusCode::UNPROCESSABLE_ENTITY, wrong, None),
    };
    let inexact = preview.as_ref().map_or(0, |seen| seen.inexact.len());
    if let Some(seen) = &mut preview {
        seen.inexact.truncate(MOST);
    }
    let page = ImportPage {
        chrome: Chrome::new(&person, Section::Import),
        inexact,
        sources: sources(word),
        namespace: settings.namespace,
        tenant: settings.tenant,
        wrong,
        preview,
    };
    html(status, &page)
}

fn sources(chosen: &str) -> Vec<(String, bool)> {
    let words = Source::value_variants().iter();
    let words = words.filter_map(ValueEnum::to_possible_value);
    words
        .map(|word| (word.get_name().to_owned(), word.get_name() == chosen))
        .collect()
}
