//! `private_key_jwt`: the client signs the assertion itself (RFC 7523 §3, OIDC Core §9).

use std::time::Duration;

use jiff::Timestamp;

use super::{Evidence, validity};
use crate::digest::digest_of;
use crate::jose::jws::Jws;
use crate::{AuthMethod, Client, Tenant};

/// How far ahead an assertion may expire. For so long its `jti` is remembered.
const LONGEST: Duration = Duration::from_mins(10);
/// The longest `jti`, in characters.
const MAX_JTI: usize = 256;

/// What must still be asked, or the rule that does not hold. The signature, which takes the most time, comes last.
pub(super) fn judge(
    tenant: &Tenant,
    client: &Client,
    jws: &Jws<'_>,
    now: Timestamp,
) -> Result<Evidence, &'static str> {
    let is_about_itself = jws.text("sub") == Some(&*client.id);
    // One audience, as a text: an assertion that others accept as well is not for us alone.
    let is_for_us = jws.text("aud") == Some(&*tenant.issuer);
    let may = client.allows_method(AuthMethod::PrivateKeyJwt);
    let is_assertion = jws.is_of_type(&["JWT", "client-authentication+jwt"]);
    let rules = [
        (may, "the client is not registered for private_key_jwt"),
        (
            is_about_itself,
            "sub of the client assertion is not its iss",
        ),
        (
            is_for_us,
            "aud of the client assertion is not the issuer, as a text and alone",
        ),
        (
            is_assertion,
            "typ of the client assertion is neither JWT nor client-authentication+jwt",
        ),
    ];
    if let Some((_, broken)) = rules.iter().find(|(holds, _)| !holds) {
        return Err(broken);
    }
    let expires_at = validity::expiry(&jws.claims, now, LONGEST).ok_or(NOT_NOW)?;
    let id = jws.text("jti").unwrap_or_default();
    if !(1..=MAX_JTI).contains(&id.len()) {
        return Err("jti of the client assertion is missing, empty or too long");
    }
    if !jws.is_signed_by(&client.assertion_methods.keys) {
        return Err(
            "no key in jwks made the signature of the client assertion: compare kid, alg and key",
        );
    }
    // The UID has no space, so the two cannot run into each other.
    let digest = digest_of(&format!("{} {id}", client.uid));
    Ok(Evidence::FirstUse { digest, expires_at })
}

const NOT_NOW: &str = "the client assertion does not count now: exp must lie ahead, at most 10 minutes, and neither nbf nor iat";
