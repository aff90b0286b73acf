//! RFC 6749 §4.1.3, RFC 7636 §4.6: a code for tokens.
//!
//! A code is presented once by its client. Whatever is wrong then, it is used up: a verifier cannot be guessed twice.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::user_tokens;
use super::user_tokens::Tokens;
use super::{Context, TokenRequest};
use crate::client::redirect_uri;
use crate::digest::digest_of;
use crate::endpoints::authorize::pkce;
use crate::grant::validity;
use crate::grant::{Code, Family};
use crate::{Client, ErrorCode, OAuthError};

/// The sequence number of a family's first refresh token.
const FIRST: u32 = 1;

/// Why a code is refused that was used before.
pub const USED: &str = "the code was used before";
const NOT_ITS_OWN: &str = "there is no such code, or it was issued to another client";
const OTHER_URI: &str =
    "redirect_uri is not that of the request for the code, or not registered any more";
const NO_PROOF: &str =
    "code_verifier does not fit the code_challenge, or one is there without the other";

/// A code that is to be exchanged, with what proves that it came to the right one.
pub struct Exchange {
    /// [`digest_of`] the code: how the store knows it.
    pub digest: String,
    redirect_uri: String,
    verifier: Option<String>,
    resources: Vec<String>,
}

/// What is to become of the code.
pub enum Judgement<'a> {
    /// Nothing: it is unknown, another client's, or over, or this server cannot issue tokens now.
    Refuse(OAuthError),
    /// It is used up; if it was used before, what began with it ends.
    UseUp(OAuthError),
    /// It begins a family.
    Begin(Box<Beginning<'a>>),
}

/// A family that begins, as soon as the store has recorded it.
pub struct Beginning<'a> {
    /// To be recorded.
    pub family: Family,
    nonce: Option<&'a str>,
    tokens: Tokens<'a>,
}

impl Exchange {
    /// Reads what this grant needs.
    pub(super) fn read(request: &TokenRequest<'_>) -> Result<Self, OAuthError> {
        let missing = OAuthError::invalid_request;
        let code = request.code().ok_or(missing("code is missing"))?;
        let redirect_uri = request
            .redirect_uri()
            .ok_or(missing("redirect_uri is missing"))?;
        Ok(Self {
            digest: digest_of(code),
            redirect_uri: redirect_uri.to_owned(),
            verifier: request.code_verifier().map(str::to_owned),
            resources: request.resources.iter().map(ToString::to_string).collect(),
        })
    }

    /// What is to become of the code that the store has.
    pub fn judge<'a>(
        &'a self,
        context: Context<'a>,
        client: &Client,
        code: Option<&'a Code>,
    ) -> Judgement<'a> {
        let refused = OAuthError::invalid_grant();
        let Some(code) = code.filter(|code| code.authorization.belongs_to(client)) else {
            return Judgement::Refuse(refused.because(NOT_ITS_OWN));
        };
        if code.redeemed_at.is_some() {
            return Judgement::UseUp(refused.because(USED));
        }
        if context.now >= code.expires_at {
            return Judgement::Refuse(refused.because("the code has expired"));
        }
        match self.begin(context, client, code) {
            Ok(beginning) => Judgement::Begin(Box::new(beginning)),
            Err(error) if error.code == ErrorCode::TemporarilyUnavailable => {
                Judgement::Refuse(error)
            }
            Err(error) => Judgement::UseUp(error),
        }
    }

    fn begin<'a>(
        &'a self,
        context: Context<'a>,
        client: &Client,
        code: &'a Code,
    ) -> Result<Beginning<'a>, OAuthError> {
        let refused = OAuthError::invalid_grant();
        let mut registered = client.redirect_uris.iter();
        let same_uri = self.redirect_uri == code.redirect_uri
            && registered
                .any(|uri| redirect_uri::matches(uri, &self.redirect_uri, client.client_type));
        if !same_uri {
            return Err(refused.because(OTHER_URI));
        }
        if !self.proves(client, code) {
            return Err(refused.because(NO_PROOF));
        }
        let authorization = &code.authorization;
        let valid_grant = validity::check(context.tenant, authorization)
            .map_err(|invalid| refused.because(invalid.as_str()))?;
        let (now, resources) = (context.now, &self.resources);
        // `scope` has no place in this request (RFC 6749 §4.1.3) and is ignored.
        let tokens = Tokens::decide(
            context.tenant,
            valid_grant,
            authorization,
            "",
            resources,
            now,
        )?;
        let (expires_at, idle_expires_at) = user_tokens::lifetime(client, now);
        let family = Family {
            id: code.family.clone(),
            authorization: authorization.clone(),
            sequence: FIRST,
            rotated_at: now,
            issued_at: now,
            expires_at,
            idle_expires_at,
            revoked_at: None,
        };
        Ok(Beginning {
            family,
            nonce: code.nonce.as_deref(),
            tokens,
        })
    }

    /// Whether the verifier is that of the challenge. Either without the other is wrong: a verifier without a challenge
    /// is a request from which an attacker took the challenge (RFC 9700 §4.8).
    fn proves(&self, client: &Client, code: &Code) -> bool {
        match (&code.code_challenge, &self.verifier) {
            (Some(challenge), Some(verifier)) => is_proof(challenge, verifier),
            (None, None) => {
                let scopes = code.authorization.scope.split(' ');
                pkce::may_be_absent(client, scopes, code.nonce.as_deref()).is_ok()
            }
            _ => false,
        }
    }
}

impl Beginning<'_> {
    /// The JSON body of a success. Only for a family that the store has recorded.
    pub fn mint(&self, context: Context<'_>) -> Result<String, OAuthError> {
        self.tokens.mint(context, &self.family, self.nonce)
    }
}

/// RFC 7636 §4.1, §4.6: 43 to 128 unreserved characters whose SHA-256 is the challenge.
fn is_proof(challenge: &str, verifier: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_verifier_of_the_specification_proves_its_challenge() {
        assert!(is_proof(CHALLENGE, VERIFIER));
    }

    #[test]
    fn e13_the_challenge_itself_and_verifiers_of_the_wrong_form_prove_nothing() {
        let challenge =
            |verifier: &str| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        assert!(!is_proof(CHALLENGE, CHALLENGE));
        for bad in [
            "a".repeat(42),
            "a".repeat(129),
            "+".repeat(43),
            "ä".repeat(30),
            String::new(),
        ] {
            assert!(!is_proof(&challenge(&bad), &bad), "{bad}");
        }
        for good in ["a".repeat(43), "~".repeat(128)] {
            assert!(is_proof(&challenge(&good), &good), "{good}");
        }
    }

    proptest! {
        #[test]
        fn e13_no_other_verifier_proves_a_challenge(verifier in "[A-Za-z0-9._~-]{43,128}", other in ".{0,140}") {
            let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
            prop_assert!(is_proof(&challenge, &verifier));
            prop_assert_eq!(is_proof(&challenge, &other), other == verifier);
            prop_assert!(!is_proof(&verifier, &verifier));
        }
    }
}
