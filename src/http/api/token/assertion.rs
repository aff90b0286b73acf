//! A request with an assertion: what memory cannot say about it is asked first, then the request is answered as any other.

use std::sync::Arc;
use std::time::Instant;

use axum::http::request::Parts;
use axum::response::Response;

use super::{Step, decide, refuse};
use crate::App;
use crate::api::{assertion_check, cors};
use clientele_oauth::client_auth::assertion::Evidence;
use clientele_oauth::endpoints::token;
use clientele_oauth::endpoints::token::Named;
use clientele_oauth::{Client, OAuthError, Tenant};

/// A client whose assertion is right as far as memory goes.
pub(super) struct Unproven {
    pub tenant: Arc<Tenant>,
    pub client: Arc<Client>,
    pub evidence: Evidence,
}

impl Unproven {
    /// Asks, and then judges the request by the registry of that time: asking may have taken a while.
    pub async fn finish(self, app: &App, parts: &Parts, form: &[u8], started: Instant) -> Response {
        let error = match assertion_check::confirm(app, &self.tenant, self.evidence).await {
            Ok(()) => match decide(app, parts, form, Some(&self.client), started) {
                Step::Answered(response) => return response,
                Step::Asked(pending) => return pending.finish(app, parts, started).await,
                // Whoever is proven is not asked to prove it.
                Step::Claimed(_) => OAuthError::invalid_client(),
            },
            Err(error) => error,
        };
        let named = Named {
            client: Some(&self.client),
            ..token::named(&self.tenant, None, form)
        };
        let mut response = refuse(app, &self.tenant, parts, named, error, started);
        cors::expose(&mut response, &parts.headers, Some(&self.client));
        response
    }
}
