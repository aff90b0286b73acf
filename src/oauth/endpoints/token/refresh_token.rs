//! RFC 6749 §6, RFC 9700 §4.14: a refresh token for new tokens and its successor.

use std::time::Duration;

use jiff::Timestamp;

use super::user_tokens;
use super::user_tokens::Tokens;
use super::{Context, TokenRequest};
use crate::grant::Family;
use crate::grant::validity;
use crate::grant::validity::InvalidGrant;
use crate::tokens::refresh_token;
use crate::tokens::refresh_token::Place;
use crate::{Client, OAuthError};

/// For how long a refresh token may be used again while its successor is unused: an answer may get lost.
pub const GRACE: Duration = Duration::from_secs(30);

/// Why a refresh token is refused that was used before.
pub const USED: &str =
    "the refresh token was used before: its successor is in use, or half a minute has passed";
const NOT_OURS: &str = "the refresh token is not one of this tenant, or its root key was withdrawn";
const NOT_ITS_OWN: &str = "the refresh token was issued to another client, or has long since ended";
const OVER: &str = "the refresh token has ended: revoked, expired, or unused for too long";

/// A refresh token of ours that is to be used.
pub struct Refresh {
    /// Which one.
    pub place: Place,
    scope: String,
    resources: Vec<String>,
}

/// What is to become of the family.
pub enum Judgement<'a> {
    /// Nothing.
    Refuse(OAuthError),
    /// It ends.
    Revoke(OAuthError),
    /// It moves on.
    Rotate(Successor<'a>),
}

/// The next tokens of a family, as soon as the store has recorded that it moved on.
pub struct Successor<'a> {
    /// Until when the family may now lie unused.
    pub idle_expires_at: Timestamp,
    tokens: Tokens<'a>,
}

impl Refresh {
    /// Reads what this grant needs. A token that is not ours never reaches the store.
    pub(super) fn read(
        context: Context<'_>,
        request: &TokenRequest<'_>,
    ) -> Result<Self, OAuthError> {
        let token = request
            .refresh_token()
            .ok_or(OAuthError::invalid_request("refresh_token is missing"))?;
        let tenant = &context.tenant.uid;
        Ok(Self {
            place: refresh_token::verify(context.keyring, tenant, token)
                .ok_or(OAuthError::invalid_grant().because(NOT_OURS))?,
            scope: request.scope().to_owned(),
            resources: request.resources.iter().map(ToString::to_string).collect(),
        })
    }

    /// What is to become of the family that the store has. Whether the token was used before is for the store to
    /// say, at the moment in which it records this use.
    pub fn judge<'a>(
        &'a self,
        context: Context<'a>,
        client: &Client,
        family: Option<&'a Family>,
    ) -> Judgement<'a> {
        let refused = OAuthError::invalid_grant();
        let family = family.filter(|family| family.authorization.belongs_to(client));
        let Some(family) = family else {
            return Judgement::Refuse(refused.because(NOT_ITS_OWN));
        };
        if !lives(family, client, context.now) {
            return Judgement::Refuse(refused.because(OVER));
        }
        let granted = &family.authorization;
        let valid_grant = match validity::check(context.tenant, granted) {
            Ok(valid_grant) => valid_grant,
            Err(invalid) => {
                let refused = refused.because(invalid.as_str());
                return match invalid {
                    InvalidGrant::User => Judgement::Revoke(refused),
                    InvalidGrant::Client | InvalidGrant::Groups => Judgement::Refuse(refused),
                };
            }
        };
        let (tenant, now) = (context.tenant, context.now);
        match Tokens::decide(
            tenant,
            valid_grant,
            granted,
            &self.scope,
            &self.resources,
            now,
        ) {
            Ok(tokens) => Judgement::Rotate(Successor {
                idle_expires_at: user_tokens::lifetime(client, now).1,
                tokens,
            }),
            Err(error) => Judgement::Refuse(error),
        }
    }
}

/// A lifetime that was shortened in the meantime counts as well.
fn lives(family: &Family, client: &Client, now: Timestamp) -> bool {
    let (expires_at, _) = user_tokens::lifetime(client, family.issued_at);
    let (_, idle_expires_at) = user_tokens::lifetime(client, family.rotated_at);
    family.lives(now) && now < expires_at && now < idle_expires_at
}

impl Successor<'_> {
    /// The JSON body of a success, for the family as the store has it now.
    pub fn mint(&self, context: Context<'_>, family: &Family) -> Result<String, OAuthError> {
        self.tokens.mint(context, family, None)
    }
}
