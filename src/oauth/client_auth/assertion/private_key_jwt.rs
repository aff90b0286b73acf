//! `private_key_jwt`: the client signs the assertion itself (RFC 7523 §3, draft-ietf-oauth-rfc7523bis, OIDC Core §9).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::audience::AssertionAudience;
use super::validity::{self, Invalid};
use super::{Evidence, refused};
use crate::digest::digest_of;
use crate::jose::claims::is_only_audience;
use crate::jose::jws::Jws;
use crate::{AuthMethod, Client, OAuthError, Tenant};

/// How far ahead an assertion may expire, by a clock that is right. Its `jti` is remembered for this time.
const LONGEST: Duration = Duration::from_hours(1);
/// The longest `jti`, in characters.
const MAX_JTI: usize = 256;

/// What an assertion says that is right as far as it can be told without the registration of a client.
pub(super) struct Claimed<'a> {
    jti: &'a str,
    expires_at: Timestamp,
}

/// Judges everything about the assertion that does not tell whether its client is registered.
pub(super) fn check_token<'a>(
    tenant: &Tenant,
    client: Option<&Arc<Client>>,
    jws: &'a Jws<'_>,
    now: Timestamp,
) -> Result<Claimed<'a>, OAuthError> {
    let (audience, wrong_audience) =
        match client.map_or_else(Default::default, |c| c.assertion_methods.audience) {
            AssertionAudience::Issuer => (tenant.issuer.to_string(), NOT_FOR_ISSUER),
            AssertionAudience::TokenEndpoint => (tenant.token_endpoint(), NOT_FOR_ENDPOINT),
        };
    let jti = jws.text("jti").unwrap_or_default();
    let rules = [
        (jws.text("sub") == jws.text("iss"), NOT_ABOUT_ITSELF),
        // One audience: an assertion that others accept as well is not for this server alone.
        (is_only_audience(&jws.claims, &audience), wrong_audience),
        (
            jws.is_of_type(&["JWT", "client-authentication+jwt"]),
            OTHER_TYPE,
        ),
        (!jti.is_empty(), NO_JTI),
        (jti.len() <= MAX_JTI, LONG_JTI),
    ];
    if let Some((_, broken)) = rules.iter().find(|(holds, _)| !holds) {
        return Err(refused(broken));
    }
    let longest = LONGEST + validity::SLACK;
    let expires_at = validity::expiry(&jws.claims, now, longest);
    let expires_at = expires_at.map_err(|invalid| {
        refused(match invalid {
            Invalid::NoExpiry => "exp of the client assertion is missing, or not a whole number of seconds",
            Invalid::Expired => "exp of the client assertion has passed",
            Invalid::TooFarAhead => "exp of the client assertion is more than one hour ahead",
            Invalid::NotYet => {
                "nbf or iat of the client assertion is not a whole number of seconds, or lies more than 8 seconds ahead"
            }
        })
    })?;
    Ok(Claimed { jti, expires_at })
}

/// What must still be asked, or the rule that does not hold. The signature, which takes the most time, comes last.
pub(super) fn judge(
    client: &Client,
    jws: &Jws<'_>,
    claimed: &Claimed<'_>,
) -> Result<Evidence, &'static str> {
    if !client.allows_method(AuthMethod::PrivateKeyJwt) {
        return Err("the client is not registered for private_key_jwt");
    }
    if !jws.is_signed_by(&client.assertion_methods.keys) {
        return Err(
            "no key in jwks made the signature of the client assertion: compare kid, alg and key",
        );
    }
    // The UID has no space, so the two cannot run into each other.
    let digest = digest_of(&format!("{} {}", client.uid, claimed.jti));
    Ok(Evidence::FirstUse {
        digest,
        expires_at: claimed.expires_at,
        client_uid: client.uid.clone(),
    })
}

const NOT_ABOUT_ITSELF: &str = "sub of the client assertion is not its iss";
const NOT_FOR_ISSUER: &str =
    "aud of the client assertion is not the issuer, as a string or as an array of one";
const NOT_FOR_ENDPOINT: &str = "aud of the client assertion is not the URL of the token endpoint, as a string or as an array of one, which assertionAudience of this client demands";
const OTHER_TYPE: &str = "typ of the client assertion is neither JWT nor client-authentication+jwt";
const NO_JTI: &str = "jti of the client assertion is missing or empty";
const LONG_JTI: &str = "jti of the client assertion is longer than 256 characters";
