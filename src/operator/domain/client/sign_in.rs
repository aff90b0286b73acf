//! What an OAuthClient says about signing in, under the rules of its tenant.

use clientele_api::{SigningAlgorithm, client};
use clientele_oauth::Algorithm;
use clientele_oauth::client::{IdTokenClaims, PkceRule};

use crate::domain::reason::{Reason, Refusal};
use crate::domain::tenant::policy::{TenantPolicy, algorithm};

/// The PKCE rule of a client. A tenant makes it stricter, never weaker.
pub(super) fn pkce(required: Option<bool>, tenant: &TenantPolicy) -> PkceRule {
    match required {
        _ if tenant.requires_pkce => PkceRule::RequiredByTenant,
        Some(true) => PkceRule::Required,
        None => PkceRule::UnlessNonce,
        Some(false) => PkceRule::Optional,
    }
}

/// The algorithm of the ID tokens of a client: the one that it names, or the first that its tenant publishes.
pub(super) fn id_token_algorithm(
    named: Option<SigningAlgorithm>,
    tenant: &TenantPolicy,
) -> Result<Algorithm, Refusal> {
    let published = &tenant.published_algorithms;
    let Some(named) = named.map(algorithm) else {
        return Ok(published.first().copied().unwrap_or(Algorithm::Rs256));
    };
    if published.contains(&named) {
        return Ok(named);
    }
    let known: Vec<&str> = published.iter().map(|known| known.as_str()).collect();
    Err(Refusal::new(
        Reason::AlgorithmNotPublished,
        format!(
            "OAuthTenant {:?} does not publish keys for {}, so the ID tokens could not be verified; set idTokenSignedResponseAlg to one of {}, remove it, or ask the tenant's administrator to add the algorithm to spec.signing.algorithms",
            &*tenant.name,
            named.as_str(),
            known.join(", "),
        ),
    ))
}

/// What the ID tokens of a client say about the person.
pub(super) fn id_token_claims(named: Option<client::IdTokenClaims>) -> IdTokenClaims {
    match named.unwrap_or_default() {
        client::IdTokenClaims::All => IdTokenClaims::All,
        client::IdTokenClaims::Requested => IdTokenClaims::Requested,
    }
}
