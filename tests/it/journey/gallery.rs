//! Every page in every state, shown to a browser.
//!
//! Once in each of two font families: Clientele does not bring a font, so a page has to look right in any.
//! The pictures lie in `target/screenshots` afterwards, in a folder for each family: look at them after a change.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::Request;
use axum::response::Response;
use clientele_http::pages;
use clientele_http::server::Limits;
use clientele_oauth::tenant::logo::Logo;
use serde_json::{Map, Value, json};
use tower::service_fn;

use super::exhibits::{EXHIBITS, WORDMARK};
use super::fonts::{DEJAVU_SANS, Family, NOTO_SANS};
use super::node::Node;
use crate::support::running::Running;

/// Where the pictures go.
pub const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/screenshots");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_accessible_and_fits_in_dejavu_sans() {
    every_page_is_accessible_and_fits_in(&DEJAVU_SANS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_accessible_and_fits_in_noto_sans() {
    every_page_is_accessible_and_fits_in(&NOTO_SANS).await;
}

/// At every size, in both color schemes.
async fn every_page_is_accessible_and_fits_in(family: &Family) {
    let server = Running::start(service_fn(answer), None, Limits::default()).await;
    let pages: Map<String, Value> = EXHIBITS
        .iter()
        .map(|(name, _)| {
            let address = format!("http://{}/{name}", server.address);
            ((*name).to_owned(), address.into())
        })
        .collect();
    let pages = Value::Object(pages).to_string();
    let wrong = Node::new("look.mjs")
        .with("PAGES", pages)
        .with("FOLDER", format!("{PICTURES}/{}", family.name))
        .shown_in(family);
    let wrong = wrong.run_within(Duration::from_mins(5)).await;
    assert_eq!(wrong, json!({}), "in {}: {wrong:#}", family.name);
}

async fn answer<B>(request: Request<B>) -> Result<Response, Infallible> {
    let name = request.uri().path().trim_start_matches('/');
    if name == "style.css" {
        return Ok(pages::stylesheet());
    }
    if name == "logo" {
        let picture = Logo::of_data_url(WORDMARK).expect("the wordmark is a picture");
        return Ok(pages::logo(&picture, request.uri().query()));
    }
    let show = EXHIBITS.iter().find(|(known, _)| *known == name);
    Ok(show.map_or_else(Response::default, |(_, show)| show()))
}
