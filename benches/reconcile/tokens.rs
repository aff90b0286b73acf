//! Applications that ask for tokens at a constant rate.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_util::sync::CancellationToken;

use crate::open_loop::{self, token_request};

/// The requests of some clients, with the secrets that their Secrets held.
pub struct Tokens {
    port: u16,
    requests: Vec<String>,
}

impl Tokens {
    pub fn new(credentials: &[BTreeMap<String, String>]) -> Self {
        let url = url::Url::parse(&credentials[0]["TOKEN_ENDPOINT"]).unwrap();
        let request = |entries: &BTreeMap<String, String>| {
            let pair = format!("{}:{}", entries["CLIENT_ID"], entries["CLIENT_SECRET"]);
            token_request(&format!("Basic {}", STANDARD.encode(pair)))
        };
        Self {
            port: url.port().unwrap(),
            requests: credentials.iter().map(request).collect(),
        }
    }

    /// Milliseconds of every request.
    pub async fn ask(&self, rate: u32, seconds: u32) -> Vec<f64> {
        open_loop::run(self.port, &self.requests, rate, seconds).await
    }

    /// The same until told to stop, sorted.
    pub async fn ask_until(&self, rate: u32, stop: CancellationToken) -> Vec<f64> {
        let mut all = Vec::new();
        while !stop.is_cancelled() {
            all.extend(self.ask(rate, 1).await);
        }
        all.sort_by(f64::total_cmp);
        all
    }
}
