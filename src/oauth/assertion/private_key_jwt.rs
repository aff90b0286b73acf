//! `private_key_jwt`: the client signs the assertion itself (RFC 7523 §3, OIDC Core §9).

use std::time::Duration;

use jiff::Timestamp;

use super::{Evidence, times};
use crate::oauth::grant::digest_of;
use crate::oauth::jws::Jws;
use crate::oauth::{AuthMethod, Client, Tenant};

/// How far ahead an assertion may expire. For so long its `jti` is remembered.
const LONGEST: Duration = Duration::from_mins(10);
/// The longest `jti`, in characters.
const MAX_JTI: usize = 256;

/// What must still be asked, if all else is right. The signature, which takes the most time, comes last.
pub(super) fn judge(
    tenant: &Tenant,
    client: &Client,
    jws: &Jws<'_>,
    now: Timestamp,
) -> Option<Evidence> {
    let is_about_itself = jws.text("sub") == Some(&*client.id);
    // One audience, as a text: an assertion that others accept as well is not for us alone.
    let is_for_us = jws.text("aud") == Some(&*tenant.issuer);
    let may = client.allows_method(AuthMethod::PrivateKeyJwt);
    let is_assertion = jws.is_of_type(&["JWT", "client-authentication+jwt"]);
    if !(is_about_itself && is_for_us && may && is_assertion) {
        return None;
    }
    let expires_at = times::expiry(&jws.claims, now, LONGEST)?;
    let id = jws
        .text("jti")
        .filter(|id| (1..=MAX_JTI).contains(&id.len()))?;
    if !jws.is_signed_by(&client.secretless.keys) {
        return None;
    }
    // The UID has no space, so the two cannot run into each other.
    let digest = digest_of(&format!("{} {id}", client.registration_id));
    Some(Evidence::FirstUse { digest, expires_at })
}
