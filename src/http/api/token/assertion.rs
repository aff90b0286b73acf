//! A request with an assertion: what memory cannot say about it is confirmed first, then it goes on as any other.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::response::Response;

use super::{Basis, Call, Reply};
use crate::api::{assertion_check, client_request};
use crate::error_response::Refusal;
use clientele_oauth::client_auth;
use clientele_oauth::client_auth::assertion::Evidence;
use clientele_oauth::endpoints::token::TokenRequest;
use clientele_oauth::{Client, Tenant};

/// A request whose assertion is right as far as memory goes.
pub(super) struct Unproven<'a> {
    pub tenant: Arc<Tenant>,
    pub client: Arc<Client>,
    pub evidence: Evidence,
    pub request: TokenRequest<'a>,
}

impl<'a> Unproven<'a> {
    /// Has the assertion confirmed, and answers the request.
    pub async fn prove(self, call: Call<'a>) -> Response {
        let confirmed = assertion_check::confirm(call.app, &self.tenant, self.evidence).await;
        if let Err(error) = confirmed {
            let refused = self.request.refused_of(&self.client, error);
            return call.refuse(&self.tenant, refused);
        }
        match proceed(call, &self.client, &self.request) {
            ControlFlow::Break(response) => response,
            ControlFlow::Continue(rest) => rest.await,
        }
    }
}

/// The request is judged by the registry as it is now: confirming may have taken a while.
fn proceed<'a>(call: Call<'a>, proven: &Client, request: &TokenRequest<'_>) -> Reply<'a> {
    let registry = call.app.registry.load();
    let Some((tenant, _)) = registry.route(call.parts.uri.path()) else {
        return ControlFlow::Break(client_request::malformed(Refusal::NOT_FOUND));
    };
    let judged = Basis::new(call.app, &registry, tenant)
        .and_then(|basis| Ok((basis, client_auth::still_registered(tenant, proven)?)));
    match judged {
        Ok((basis, client)) => {
            client.uses.note_without_secret(basis.now);
            call.grant(basis, client, request)
        }
        Err(error) => ControlFlow::Break(call.refuse(tenant, request.refused(tenant, error))),
    }
}
