//! The documents that verifiers and clients read: metadata and JWK Set.

use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use super::cors;
use crate::error_response::Refusal;
use crate::response;
use clientele_oauth::{ErrorCode, OAuthError, Tenant};

const METADATA_CACHE: &str = "public, max-age=300";

/// Authorization server metadata (RFC 8414 §3.2, OIDC Discovery §4.2).
pub(crate) fn metadata(tenant: &Tenant) -> Response {
    public(
        tenant.metadata.clone(),
        HeaderValue::from_static(METADATA_CACHE),
    )
}

/// The JWK Set (RFC 7517 §5), as `application/json`, because many verifiers ask for nothing else.
///
/// Keys that are lost cannot sign, but what they published still verifies the tokens that live.
pub(crate) fn jwks(tenant: &Tenant) -> Response {
    if tenant.jwks.is_empty() {
        let mut response = Refusal::from(OAuthError::new(
            ErrorCode::TemporarilyUnavailable,
            "the signing keys of this issuer are not available",
        ))
        .into_response();
        cors::expose_to_all(&mut response);
        return response;
    }
    let cache = format!("public, max-age={}", tenant.jwks_max_age.as_secs());
    let cache = HeaderValue::from_str(&cache).unwrap_or(HeaderValue::from_static("no-cache"));
    public(tenant.jwks.clone(), cache)
}

/// A public document: any page may read it, because it says the same to everybody.
fn public(body: Bytes, cache: HeaderValue) -> Response {
    let mut response = response::json(StatusCode::OK, body, cache);
    cors::expose_to_all(&mut response);
    response
}
