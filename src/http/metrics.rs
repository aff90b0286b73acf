//! What the public endpoints count. Every handle exists beforehand: a look-up by label takes a lock.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use clientele_oauth::{Endpoint, ErrorCode, GrantType};
use clientele_telemetry::histogram::AtomicHistogram;

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

/// The label of an endpoint.
const fn label(endpoint: Endpoint) -> &'static str {
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
    }
}

/// The client of a code without a challenge.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ClientLabels {
    client: String,
}

/// How many clients have a label of their own. Later ones share [`OTHER_CLIENTS`] until the process restarts.
const MAX_CLIENTS: usize = 100;
const OTHER_CLIENTS: &str = "other";

/// Codes that were issued without a challenge, by registered client. Only a code that a person was granted is counted,
/// so that strangers add no label.
#[derive(Debug, Default)]
struct CodesWithoutChallenge {
    codes: Family<ClientLabels, Counter>,
    labelled: Mutex<HashSet<Arc<str>>>,
}

impl CodesWithoutChallenge {
    fn count(&self, client_id: &Arc<str>) {
        let mut labelled = self.labelled.lock().unwrap_or_else(PoisonError::into_inner);
        if labelled.len() < MAX_CLIENTS {
            labelled.insert(client_id.clone());
        }
        let client = if labelled.contains(client_id) {
            client_id.to_string()
        } else {
            OTHER_CLIENTS.to_owned()
        };
        drop(labelled);
        self.codes.get_or_create(&ClientLabels { client }).inc();
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
    issued: [Counter; GrantType::ALL.len()],
    refused: [[Counter; ErrorCode::ALL.len()]; GrantType::ALL.len()],
    refused_without_grant: [Counter; ErrorCode::ALL.len()],
    by_endpoint: [[Counter; CLASSES.len()]; Endpoint::ALL.len()],
    elsewhere: [Counter; CLASSES.len()],
    codes_without_challenge: CodesWithoutChallenge,
    /// How long token requests took, from their head to the answer.
    pub duration: AtomicHistogram,
    /// Open connections of the public listener.
    pub connections: Gauge,
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
            codes_without_challenge: CodesWithoutChallenge::default(),
            duration: AtomicHistogram::default(),
            connections: Gauge::default(),
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
            "clientele_token_request_duration_seconds",
            "Time from the head of a token request to its answer",
            self.duration.clone(),
        );
        registry.register(
            "clientele_codes_without_challenge",
            "Authorization codes that were issued without a PKCE challenge, by client",
            self.codes_without_challenge.codes.clone(),
        );
        registry.register(
            "clientele_http_connections",
            "Open connections of the public listener",
            self.connections.clone(),
        );
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
    pub fn code_without_challenge(&self, client_id: &Arc<str>) {
        self.codes_without_challenge.count(client_id);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_clients_adds_labels_without_bound() {
        let metrics = TokenMetrics::default();
        let ids: Vec<Arc<str>> = (0..MAX_CLIENTS + 50)
            .map(|n| format!("team-{n}.web").into())
            .collect();
        for id in ids.iter().chain(&ids) {
            metrics.code_without_challenge(id);
        }
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut exposed = String::new();
        prometheus_client::encoding::text::encode(&mut exposed, &registry).unwrap();
        let lines = exposed.lines();
        let counts: Vec<&str> = lines
            .filter(|line| line.starts_with("clientele_codes_without_challenge_total"))
            .collect();
        assert_eq!(counts.len(), MAX_CLIENTS + 1);
        let other = r#"clientele_codes_without_challenge_total{client="other"} 100"#;
        assert!(counts.contains(&other), "{counts:?}");
    }
}
