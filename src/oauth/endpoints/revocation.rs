//! Revocation (RFC 7009): a client gives a token back.

use jiff::Timestamp;

use crate::grant::Family;
use crate::tokens::bearer::{AccessToken, Presented};
use crate::{Client, ClientType, OAuthError};

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement<'a> {
    /// Nothing: the token is not good anyway, and that is what the client wants (§2.2).
    Nothing,
    /// This family ends: all its tokens.
    Family(&'a str),
    /// The access token of this `jti` ends; it would have at that time.
    AccessToken(&'a str, Timestamp),
}

/// What is to be done about a token that a client wants gone. Another client's stays (§2.1): a client that authenticated
/// is told so; a client that only named its ID learns nothing.
pub fn judge<'a>(
    caller: &Client,
    presented: &'a Presented,
    family: Option<&Family>,
) -> Result<Judgement<'a>, OAuthError> {
    let own = match presented {
        Presented::Nothing => return Ok(Judgement::Nothing),
        Presented::RefreshToken(_) => match family {
            Some(family) => family.authorization.belongs_to(caller),
            None => return Ok(Judgement::Nothing),
        },
        Presented::AccessToken(token) => is_own(caller, token, family),
    };
    if own {
        return Ok(what_to_do(presented));
    }
    match caller.client_type {
        ClientType::Public => Ok(Judgement::Nothing),
        ClientType::Confidential => Err(OAuthError::invalid_request(
            "the token was issued to another client",
        )),
    }
}

fn is_own(caller: &Client, token: &AccessToken, family: Option<&Family>) -> bool {
    let of_this_registration = match (token.family(), family) {
        (None, _) => token.is_of_registration(&caller.uid),
        (Some(_), Some(family)) => family.authorization.belongs_to(caller),
        // The family is forgotten, so the token is worth nothing any more.
        (Some(_), None) => true,
    };
    *caller.id == *token.text("client_id") && of_this_registration
}

fn what_to_do(presented: &Presented) -> Judgement<'_> {
    match presented {
        Presented::RefreshToken(place) => Judgement::Family(&place.family),
        Presented::AccessToken(token) => match token.expires_at() {
            Some(end) => Judgement::AccessToken(token.id(), end),
            None => Judgement::Nothing,
        },
        Presented::Nothing => Judgement::Nothing,
    }
}
