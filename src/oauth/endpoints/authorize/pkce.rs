//! Proof Key for Code Exchange (RFC 7636): S256, and nothing else.

use crate::client::PkceRule;
use crate::endpoints::parameters::Parameters;
use crate::{Client, ClientType, OAuthError};

/// SHA-256 in base64url (RFC 7636 §4.2).
const CHALLENGE_LEN: usize = 43;
/// The fewest characters of a `nonce` that can stand in for a challenge.
const MIN_NONCE: usize = 16;

const REQUIRED_OF_PUBLIC: &str = "code challenge required: send code_challenge with code_challenge_method=S256; a Public client has nothing else that protects its codes";
const REQUIRED_BY_TENANT: &str = "code challenge required: send code_challenge with code_challenge_method=S256; the OAuthTenant of this client requires it (spec.pkce)";
const REQUIRED_BY_CLIENT: &str = "code challenge required: send code_challenge with code_challenge_method=S256, or set requirePkce: false in the OAuthClient of an application that cannot";
const REQUIRED_WITHOUT_NONCE: &str = "code challenge required: send code_challenge with code_challenge_method=S256; an application that cannot sends scope openid and a nonce of at least 16 characters instead, or gets requirePkce: false in its OAuthClient";

/// The challenge of a request for these scopes with this nonce. A method that is left out means `plain` (RFC 7636 §4.3),
/// and is refused as that is.
pub(super) fn challenge(
    client: &Client,
    parameters: &Parameters,
    scopes: &[String],
    nonce: Option<&str>,
) -> Result<Option<String>, OAuthError> {
    let method = parameters.one("code_challenge_method")?;
    let Some(challenge) = parameters.one("code_challenge")? else {
        if method.is_some() {
            return Err(OAuthError::invalid_request(
                "code_challenge_method without code_challenge",
            ));
        }
        return may_be_absent(client, scopes.iter().map(String::as_str), nonce).map(|()| None);
    };
    if method != Some("S256") {
        return Err(OAuthError::invalid_request(
            "code_challenge_method must be S256",
        ));
    }
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if challenge.len() != CHALLENGE_LEN || !challenge.bytes().all(base64url) {
        return Err(OAuthError::invalid_request(
            "code_challenge must be a SHA-256 in base64url: 43 characters, without padding",
        ));
    }
    Ok(Some(challenge.to_owned()))
}

/// Whether a code for these scopes may exist without a challenge; the error names the remedies.
///
/// Both ends of a code call this: the request that begins it, and the one that redeems it, which is judged by the
/// rules of that moment.
pub(crate) fn may_be_absent<'s>(
    client: &Client,
    mut scopes: impl Iterator<Item = &'s str>,
    nonce: Option<&str>,
) -> Result<(), OAuthError> {
    let refused = |remedy| Err(OAuthError::invalid_request(remedy));
    match (client.pkce, client.client_type) {
        (_, ClientType::Public) => refused(REQUIRED_OF_PUBLIC),
        (PkceRule::RequiredByTenant, _) => refused(REQUIRED_BY_TENANT),
        (PkceRule::Required, _) => refused(REQUIRED_BY_CLIENT),
        (PkceRule::Optional, _) => Ok(()),
        (PkceRule::UnlessNonce, _) => {
            let long = nonce.is_some_and(|nonce| nonce.chars().count() >= MIN_NONCE);
            if long && scopes.any(|scope| scope == "openid") {
                Ok(())
            } else {
                refused(REQUIRED_WITHOUT_NONCE)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing::client;

    const LONG: Option<&str> = Some("0123456789abcdef");
    const SHORT: Option<&str> = Some("0123456789abcde");

    fn judged(
        pkce: PkceRule,
        client_type: ClientType,
        scopes: &str,
        nonce: Option<&str>,
    ) -> Result<(), &'static str> {
        let client = Client {
            client_type,
            pkce,
            ..client()
        };
        may_be_absent(&client, scopes.split(' '), nonce).map_err(|error| error.description)
    }

    #[test]
    fn b09_the_table_of_when_a_challenge_may_be_absent() {
        use ClientType::{Confidential, Public};
        use PkceRule::{Optional, Required, RequiredByTenant, UnlessNonce};
        let sixteen = "ä".repeat(16);
        for (rule, kind, scopes, nonce, expected) in [
            (
                RequiredByTenant,
                Confidential,
                "openid",
                LONG,
                Err(REQUIRED_BY_TENANT),
            ),
            (
                RequiredByTenant,
                Public,
                "openid",
                LONG,
                Err(REQUIRED_OF_PUBLIC),
            ),
            (
                Required,
                Confidential,
                "openid",
                LONG,
                Err(REQUIRED_BY_CLIENT),
            ),
            (Required, Public, "openid", LONG, Err(REQUIRED_OF_PUBLIC)),
            (UnlessNonce, Public, "openid", LONG, Err(REQUIRED_OF_PUBLIC)),
            (UnlessNonce, Confidential, "email openid", LONG, Ok(())),
            (
                UnlessNonce,
                Confidential,
                "openid",
                Some(sixteen.as_str()),
                Ok(()),
            ),
            (
                UnlessNonce,
                Confidential,
                "openid",
                SHORT,
                Err(REQUIRED_WITHOUT_NONCE),
            ),
            (
                UnlessNonce,
                Confidential,
                "openid",
                None,
                Err(REQUIRED_WITHOUT_NONCE),
            ),
            (
                UnlessNonce,
                Confidential,
                "email",
                LONG,
                Err(REQUIRED_WITHOUT_NONCE),
            ),
            (
                UnlessNonce,
                Confidential,
                "",
                LONG,
                Err(REQUIRED_WITHOUT_NONCE),
            ),
            (Optional, Public, "openid", LONG, Err(REQUIRED_OF_PUBLIC)),
            (Optional, Confidential, "email", None, Ok(())),
        ] {
            assert_eq!(
                judged(rule, kind, scopes, nonce),
                expected,
                "{rule:?} {kind:?} {scopes} {nonce:?}"
            );
        }
    }

    #[test]
    fn a_refusal_names_the_remedies_that_help() {
        for refusal in [
            REQUIRED_OF_PUBLIC,
            REQUIRED_BY_TENANT,
            REQUIRED_BY_CLIENT,
            REQUIRED_WITHOUT_NONCE,
        ] {
            assert!(refusal.contains("S256"), "{refusal}");
        }
        assert!(
            REQUIRED_WITHOUT_NONCE.contains("nonce")
                && REQUIRED_WITHOUT_NONCE.contains("requirePkce: false")
        );
        assert!(
            !REQUIRED_OF_PUBLIC.contains("requirePkce")
                && !REQUIRED_BY_TENANT.contains("requirePkce")
        );
    }
}
