//! The pages of one client: what it is, how long its tokens live, its credentials; the forms to create, edit and delete it.

mod actions;
mod create;
mod credentials;
mod delete;
mod edit;
mod events;
mod field;
mod fields;
mod form;
mod form_durations;
pub mod frame;
pub mod lifetimes;
mod overview;
mod owner;
pub mod preset;
mod refusal;
mod reveal;
pub mod secret;
mod secret_block;
mod snippets;
pub mod spec;
pub mod status;
mod tabs;
mod trial;
mod usage;

use axum::Router;
use axum::routing::{get, post};
use serde_json::Value;

/// An object as a manifest to commit.
pub fn yaml_of(object: &Value) -> String {
    preset::yaml(&preset::committed(object))
}

/// Every address below `/clients/`.
pub fn routes() -> Router {
    Router::new()
        .route("/clients/new", get(create::show).post(create::submit))
        .route("/clients/{namespace}/{name}", get(overview::show))
        .route(
            "/clients/{namespace}/{name}/lifetimes",
            get(tabs::lifetimes),
        )
        .route(
            "/clients/{namespace}/{name}/credentials",
            get(credentials::show),
        )
        .route(
            "/clients/{namespace}/{name}/snippets",
            get(tabs::snippets_page),
        )
        .route(
            "/clients/{namespace}/{name}/test",
            get(trial::show).post(trial::submit),
        )
        .route("/clients/{namespace}/{name}/yaml", get(tabs::yaml))
        .route("/clients/{namespace}/{name}/events", get(tabs::events))
        .route(
            "/clients/{namespace}/{name}/edit",
            get(edit::show).post(edit::submit),
        )
        .route(
            "/clients/{namespace}/{name}/delete",
            get(delete::show).post(delete::submit),
        )
        .route(
            "/clients/{namespace}/{name}/secret",
            get(reveal::back).post(reveal::reveal),
        )
        .route(
            "/clients/{namespace}/{name}/secret/copy",
            post(reveal::copy),
        )
        .route("/clients/{namespace}/{name}/rotate", post(actions::rotate))
        .route(
            "/clients/{namespace}/{name}/suspend",
            post(actions::suspend),
        )
        .route("/clients/{namespace}/{name}/resume", post(actions::resume))
}
