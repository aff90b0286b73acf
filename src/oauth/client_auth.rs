//! Client authentication (RFC 6749 §2.3): secrets, signed assertions, and tokens of ServiceAccounts.
//!
//! The token, introspection and revocation endpoints all authenticate by [`authenticate`]. It decides in memory; an
//! assertion that memory cannot decide about comes back as a [`Proof`] that the caller has to have confirmed.

pub mod assertion;
mod attempt;
pub mod basic;
mod secret;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;

use crate::{Client, Keyring, OAuthError, Tenant};
use assertion::Evidence;
use attempt::Credentials;
pub use attempt::{Attempt, AuthParameters};

/// What memory says about an [`Attempt`] that is not refused.
pub enum Authentication<'t> {
    /// The client is authenticated.
    Authenticated(&'t Arc<Client>),
    /// The assertion is right as far as memory goes.
    NeedsProof(Proof<'t>),
}

/// A client that is authenticated as soon as the evidence is confirmed.
pub struct Proof<'t> {
    /// The client that the assertion is about.
    pub client: &'t Arc<Client>,
    /// What the store or the cluster must confirm.
    pub evidence: Evidence,
}

/// Authenticates the client of a request.
pub fn authenticate<'t>(
    tenant: &'t Tenant,
    keyring: &Keyring,
    attempt: &Attempt<'_>,
    now: Timestamp,
) -> Result<Authentication<'t>, OAuthError> {
    match attempt.credentials()? {
        Credentials::Secret(presented) => {
            secret::verify(tenant, keyring, presented, now).map(Authentication::Authenticated)
        }
        Credentials::Assertion(asserted) => {
            let (client, evidence) = assertion::judge(tenant, asserted, now)?;
            Ok(Authentication::NeedsProof(Proof { client, evidence }))
        }
    }
}

/// The registration of a client whose proof is confirmed, as it is now. Confirming takes time, in which the client may
/// be deleted or replaced by another of its name.
pub fn still_registered<'t>(
    tenant: &'t Tenant,
    proven: &Client,
) -> Result<&'t Arc<Client>, OAuthError> {
    let client = tenant.clients.get(&proven.id);
    client
        .filter(|client| client.uid == proven.uid)
        .ok_or(OAuthError::invalid_client().because(REPLACED))
}

const REPLACED: &str = "the client was deleted or recreated while its assertion was verified";
