//! Every address of the dashboard.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;
use crate::guard::guard;
use crate::{assets, client, list};

/// The router, with the guard around every route. `POST /session` is answered by the guard itself.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/clients", get(list::page))
        .route("/clients/changes", get(list::live::changes))
        .route("/assets/{name}", get(assets::file))
        .merge(client::routes())
        .fallback(nothing)
        .layer(from_fn_with_state(app, guard))
}

async fn home() -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static("/clients"));
    response
}

async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}
