//! Every address of the dashboard.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};

use crate::app::{App, Door};
use crate::guard::guard;
use crate::page::{Chrome, Section, html};
use crate::person::Caller;
use crate::problem::Problem;
use crate::{assets, client, home, import, list, resources, tenants, users};

/// The router, with the guard around every route. `POST /session` is answered by the guard itself.
pub fn router(app: Arc<App>) -> Router {
    let probed = match app.door {
        // The kubelet knows neither our host name nor how to sign in.
        Door::People(_) => Router::new().route("/healthz", get(async || "ok")),
        Door::Token(_) => Router::new(),
    };
    probed.merge(guarded(app))
}

fn guarded(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/clients", get(list::page))
        .route("/clients/changes", get(list::live::changes))
        .route("/tenants", get(tenants::list))
        .route("/tenants/{name}", get(tenants::show))
        .route("/tenants/{name}/use", get(tenants::in_use))
        .route("/resources", get(resources::list))
        .route("/users", get(users::list))
        .route("/users/{namespace}/{name}", get(users::show))
        .route(
            "/users/{namespace}/{name}/password",
            post(users::password::submit),
        )
        .route("/import", get(import::show).post(import::submit))
        .route("/assets/{name}", get(assets::file))
        .route("/signed-in", get(signed_in))
        .merge(client::routes())
        .fallback(nothing)
        .layer(from_fn_with_state(app, guard))
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedIn {
    chrome: Chrome,
}

/// Where a form whose sign-in had ended sends people.
async fn signed_in(person: Caller) -> Result<Response, Problem> {
    let chrome = Chrome::new(&person, Section::None);
    html(StatusCode::OK, &SignedIn { chrome })
}

async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}
