//! What the public endpoints count. Every handle exists beforehand: a look-up by label takes a lock.

mod histogram;

use std::time::Instant;

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub use histogram::AtomicHistogram;

use crate::oauth::{Endpoint, ErrorCode, GrantType};

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

/// Which part of the public listener answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Metadata,
    Jwks,
    Token,
    None,
}

impl Area {
    const ALL: [Self; 4] = [Self::Metadata, Self::Jwks, Self::Token, Self::None];

    pub const fn of(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Metadata => Self::Metadata,
            Endpoint::Jwks => Self::Jwks,
            Endpoint::Token => Self::Token,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Jwks => "jwks",
            Self::Token => "token",
            Self::None => "none",
        }
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
    issued: Counter,
    refused: [[Counter; ErrorCode::ALL.len()]; 2],
    by_area: [[Counter; CLASSES.len()]; Area::ALL.len()],
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
        let grant = GrantType::ClientCredentials.as_str();
        let refused =
            [grant, NO_GRANT].map(|grant| ErrorCode::ALL.map(|code| token(grant, code.as_str())));
        let by_area = Area::ALL.map(|area| {
            CLASSES.map(|status| {
                let endpoint = area.label();
                responses.get_or_create_owned(&ResponseLabels { endpoint, status })
            })
        });
        Self {
            issued: token(grant, "issued"),
            refused,
            by_area,
            tokens,
            responses,
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
            "clientele_http_connections",
            "Open connections of the public listener",
            self.connections.clone(),
        );
    }

    /// A token was issued.
    pub(super) fn issued(&self, started: Instant) {
        self.issued.inc();
        self.duration.observe(started.elapsed());
    }

    /// A token request was refused.
    pub(super) fn refused(&self, grant: Option<GrantType>, code: ErrorCode, started: Instant) {
        let grant = usize::from(grant != Some(GrantType::ClientCredentials));
        if let Some(column) = ErrorCode::ALL.iter().position(|known| *known == code) {
            self.refused[grant][column].inc();
        }
        self.duration.observe(started.elapsed());
    }

    /// An answer left.
    pub(super) fn count_response(&self, area: Area, status: StatusCode) {
        let class = match status.as_u16() {
            ..400 => 0,
            400..500 => 1,
            500.. => 2,
        };
        self.by_area[area as usize][class].inc();
    }
}
