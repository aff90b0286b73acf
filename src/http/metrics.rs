//! What the public endpoints count. Every handle exists beforehand: a look-up by label takes a lock.

mod client_labels;

use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use clientele_oauth::{Endpoint, ErrorCode, GrantType};
use clientele_telemetry::histogram::AtomicHistogram;

use crate::server::overload::Overload;
use client_labels::{ClientLabels, LabelledClients};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TokenLabels {
    grant: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResponseLabels {
    endpoint: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusalLabels {
    endpoint: &'static str,
    error: &'static str,
    client_id: String,
}

/// The label of an endpoint.
pub(crate) const fn label(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Metadata => "metadata",
        Endpoint::Jwks => "jwks",
        Endpoint::Token => "token",
        Endpoint::Authorize => "authorize",
        Endpoint::Login => "login",
        Endpoint::Consent => "consent",
        Endpoint::Userinfo => "userinfo",
        Endpoint::Revoke => "revoke",
        Endpoint::Introspect => "introspect",
        Endpoint::Logout => "logout",
        Endpoint::Account => "account",
        Endpoint::Stylesheet => "stylesheet",
        Endpoint::Logo => "logo",
    }
}

const CLASSES: [&str; 3] = ["2xx", "4xx", "5xx"];
/// The label of a request whose grant type was missing or unknown.
const NO_GRANT: &str = "none";

/// The metrics of the public listener.
#[derive(Debug)]
pub struct TokenMetrics {
    tokens: Family<TokenLabels, Counter>,
    responses: Family<ResponseLabels, Counter>,
    refusals: Family<RefusalLabels, Counter>,
    clients: LabelledClients,
    issued: [Counter; GrantType::ALL.len()],
    refused: [[Counter; ErrorCode::ALL.len()]; GrantType::ALL.len()],
    refused_without_grant: [Counter; ErrorCode::ALL.len()],
    by_endpoint: [[Counter; CLASSES.len()]; Endpoint::ALL.len()],
    elsewhere: [Counter; CLASSES.len()],
    codes_without_challenge: Family<ClientLabels, Counter>,
    /// How long token requests took, from their head to the answer.
    pub duration: AtomicHistogram,
    /// Open connections of the public listener.
    pub connections: Gauge,
    /// Refusals that have no line of their own in the audit log.
    pub refusals_summed_up: Counter,
    /// What was refused for lack of room.
    pub overload: Arc<Overload>,
}

impl Default for TokenMetrics {
    fn default() -> Self {
        let tokens = Family::<TokenLabels, Counter>::default();
        let responses = Family::<ResponseLabels, Counter>::default();
        let token = |grant, outcome| tokens.get_or_create_owned(&TokenLabels { grant, outcome });
        let refused = |grant| ErrorCode::ALL.map(|code| token(grant, code.as_str()));
        let responses_of = |endpoint| {
            CLASSES
                .map(|status| responses.get_or_create_owned(&ResponseLabels { endpoint, status }))
        };
        Self {
            issued: GrantType::ALL.map(|grant| token(grant.as_str(), "issued")),
            refused: GrantType::ALL.map(|grant| refused(grant.as_str())),
            refused_without_grant: refused(NO_GRANT),
            by_endpoint: Endpoint::ALL.map(|endpoint| responses_of(label(endpoint))),
            elsewhere: responses_of("none"),
            tokens,
            responses,
            codes_without_challenge: Family::default(),
            refusals: Family::default(),
            clients: LabelledClients::default(),
            duration: AtomicHistogram::default(),
            connections: Gauge::default(),
            refusals_summed_up: Counter::default(),
            overload: Arc::default(),
        }
    }
}

impl TokenMetrics {
    /// Makes the metrics visible under their names.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "clientele_token_requests",
            "Requests to the token endpoints by grant type and outcome: issued, or the error code",
            self.tokens.clone(),
        );
        registry.register(
            "clientele_http_requests",
            "Requests to the public listener by endpoint and class of status",
            self.responses.clone(),
        );
        registry.register(
            "clientele_authorization_refusals",
            "Refusals to browsers by endpoint, error code and client; without a client where none is known",
            self.refusals.clone(),
        );
        // A family without a series is not exposed at all.
        let first = RefusalLabels {
            endpoint: label(Endpoint::Authorize),
            error: ErrorCode::InvalidRequest.as_str(),
            client_id: String::new(),
        };
        drop(self.refusals.get_or_create(&first));
        registry.register(
            "clientele_token_request_duration_seconds",
            "Time from the head of a token request to its answer",
            self.duration.clone(),
        );
        registry.register(
            "clientele_codes_without_challenge",
            "Authorization codes that were issued without a PKCE challenge, by client",
            self.codes_without_challenge.clone(),
        );
        registry.register(
            "clientele_http_connections",
            "Open connections of the public listener",
            self.connections.clone(),
        );
        registry.register(
            "clientele_refusals_summed_up",
            "Refusals that the audit log sums up by address and minute instead of a line for each",
            self.refusals_summed_up.clone(),
        );
        self.overload.register(registry);
    }

    /// A token was issued.
    pub(super) fn issued(&self, grant: GrantType, started: Instant) {
        self.issued[grant as usize].inc();
        self.duration.record(started.elapsed());
    }

    /// A token request was refused.
    pub(super) fn refused(&self, grant: Option<GrantType>, code: ErrorCode, started: Instant) {
        let row = grant.map_or(&self.refused_without_grant, |grant| {
            &self.refused[grant as usize]
        });
        row[code as usize].inc();
        self.duration.record(started.elapsed());
    }

    /// A code was issued to this client without a challenge.
    pub fn code_without_challenge(&self, client_id: &str) {
        let client_id = self.clients.label(client_id);
        let labels = ClientLabels { client_id };
        self.codes_without_challenge.get_or_create(&labels).inc();
    }

    /// A browser was refused something.
    pub(super) fn authorization_refused(
        &self,
        endpoint: Endpoint,
        error: &'static str,
        client_id: Option<&str>,
    ) {
        let labels = RefusalLabels {
            endpoint: label(endpoint),
            error,
            client_id: self.clients.label(client_id.unwrap_or_default()),
        };
        self.refusals.get_or_create(&labels).inc();
    }

    /// An answer left.
    pub(super) fn count_response(&self, endpoint: Option<Endpoint>, status: StatusCode) {
        let class = match status.as_u16() {
            ..400 => 0,
            400..500 => 1,
            500.. => 2,
        };
        let classes = endpoint.map_or(&self.elsewhere, |endpoint| {
            &self.by_endpoint[endpoint as usize]
        });
        classes[class].inc();
    }
}
