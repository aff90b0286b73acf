//! What the dashboard asks of issuers, without knowing the library for it.

use reqwest::Client;
use serde_json::Value;

use crate::args::TestFlags;
use crate::connect::install_crypto_provider;
use crate::failure::Failure;
use crate::issuer::{Redeemed, discover, http, redeem};
use crate::verbs::test::{Tried, steps};
use crate::verbs::token::HeldProof;

/// The requests that the dashboard sends to an issuer.
#[derive(Clone)]
pub struct IssuerClient(Client);

impl IssuerClient {
    /// One that trusts the authorities of the machine, and that of the flags.
    pub fn new(flags: &TestFlags) -> Result<Self, Failure> {
        install_crypto_provider();
        http(flags).map(Self)
    }

    /// The discovery document of an issuer, checked to be about it.
    pub async fn discover(&self, issuer: &str) -> Result<Value, Failure> {
        discover(&self.0, issuer).await
    }

    /// The tokens for an authorization code.
    pub async fn redeem(&self, endpoint: &str, code: &Redeemed<'_>) -> Result<Value, Failure> {
        redeem(&self.0, endpoint, code).await
    }

    /// Tries a client from end to end; see the module `steps`.
    pub async fn test(
        &self,
        object: &Value,
        held: impl Future<Output = Result<HeldProof, Failure>>,
        parameters: &[(&str, &str)],
    ) -> Tried {
        steps(&self.0, object, held, parameters).await
    }
}
