//! The person who sent a request: what a handler may use. An extractor, filled by `guard`.

use std::sync::Arc;

use clientele_kubectl::shared::IssuerClient;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::cluster::Cluster;
use crate::problem::Problem;
use crate::rows::Rows;

/// Everything that a handler knows of the person. Cheap to clone.
#[derive(Clone)]
pub struct Caller {
    /// The API server, with this person's rights.
    pub cluster: Cluster,
    /// The namespace of the kubeconfig or of `--namespace`: what a form proposes. Empty for people who signed in.
    pub namespace: String,
    /// The name of the kubeconfig context, or the address of the API server: shown on every page.
    pub place: String,
    /// Whether every write is refused.
    pub read_only: bool,
    /// The hidden field `form_token` of every form that posts; `guard` has compared it before a handler runs.
    pub form_token: Arc<str>,
    /// Whether htmx asks, so that a fragment is enough.
    pub fragment: bool,
    /// The query of the addresses of assets.
    pub version: Arc<str>,
    /// The rows of the list of clients, shared by the requests of this person only.
    pub rows: Arc<Rows>,
    /// The name of the person who signed in; `None` where the rights are those of a kubeconfig.
    pub who: Option<Arc<str>>,
    /// Asks issuers.
    pub issuer: IssuerClient,
}

impl Caller {
    /// Refuses where the dashboard is read-only. Every handler that writes begins with it.
    pub fn must_write(&self) -> Result<(), Problem> {
        if self.read_only {
            Err(Problem::read_only())
        } else {
            Ok(())
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(no_session)
    }
}

/// A request without a session. `guard` answers with the page to sign in before a handler runs, so people do not see it.
fn no_session() -> Problem {
    Problem::new(
        axum::http::StatusCode::UNAUTHORIZED,
        "This request has no session.",
        "Open the dashboard again from the terminal where it runs.",
    )
}
