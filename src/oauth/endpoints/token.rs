//! The token endpoint (RFC 6749 §3.2) as a numbered pipeline: what was sent → who → may it → what → mint.
//!
//! The steps in front of a grant run once, here, so that no grant can forget one. `client_credentials` ends here, in
//! memory. The other grants need what the store keeps: for them the caller gets a value that says what to ask the
//! store for, and that judges the answer.

pub mod authorization_code;
mod client_credentials;
pub mod refresh_token;
mod request;
pub(crate) mod user_tokens;

use std::sync::Arc;

use jiff::Timestamp;

use crate::client_auth::assertion::Evidence;
use crate::client_auth::{assertion, credentials};
use crate::tokens::access_token::JtiRandom;
use crate::{Client, ErrorCode, GrantType, Keyring, OAuthError, Tenant};
use authorization_code::Exchange;
use refresh_token::Refresh;
pub use request::TokenRequest;

/// What the rules of the token endpoint need besides the request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Whose endpoint was called.
    pub tenant: &'a Tenant,
    /// The root keys.
    pub keyring: &'a Keyring,
    /// The time.
    pub now: Timestamp,
    /// Fresh randomness for the token's `jti`.
    pub random: JtiRandom,
}

/// Where the steps in front of the grants lead.
pub enum Answer<'t> {
    /// The JSON body of a success (RFC 6749 §5.1).
    Done(String),
    /// This client wants to exchange a code (RFC 6749 §4.1.3).
    Exchange(&'t Arc<Client>, Exchange),
    /// This client wants to use a refresh token (RFC 6749 §6).
    Refresh(&'t Arc<Client>, Refresh),
    /// This client has sent an assertion, of which more must be known; then the request is answered anew.
    Prove(&'t Arc<Client>, Evidence),
}

/// Takes a token request as far as memory goes. `proven` is the client of which an assertion of this request was proven.
pub fn answer<'t>(
    context: Context<'t>,
    authorization: Option<&[u8]>,
    form: &[u8],
    proven: Option<&Client>,
) -> Result<Answer<'t>, OAuthError> {
    // 1. What was sent
    let request = TokenRequest::parse(form)?;
    let grant = request.grant()?;
    // 2. Who
    let presented = request.presented(authorization);
    let client = match (proven, presented.asserted()) {
        (Some(proven), _) => still_registered(context.tenant, proven)?,
        (None, Some(asserted)) => {
            let (client, evidence) = assertion::judge(context.tenant, asserted, context.now)?;
            return Ok(Answer::Prove(client, evidence));
        }
        (None, None) => {
            let credentials = presented.credentials()?;
            credentials::authenticate(context.tenant, context.keyring, &credentials, context.now)?
        }
    };
    // 3. May it
    if !client.allows_grant(grant) {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "this client is not registered for this grant type",
        ));
    }
    // 4. What, 5. mint
    match grant {
        GrantType::ClientCredentials => {
            client_credentials::answer(context, client, &request).map(Answer::Done)
        }
        GrantType::AuthorizationCode => {
            Exchange::read(&request).map(|exchange| Answer::Exchange(client, exchange))
        }
        GrantType::RefreshToken => {
            Refresh::read(context, &request).map(|refresh| Answer::Refresh(client, refresh))
        }
    }
}

/// The same registration as it is now: while it was proven, it may have been deleted or changed.
fn still_registered<'t>(
    tenant: &'t Tenant,
    proven: &Client,
) -> Result<&'t Arc<Client>, OAuthError> {
    let client = tenant.clients.get(&proven.id);
    client
        .filter(|client| client.registration_id == proven.registration_id)
        .ok_or(OAuthError::invalid_client().because(REPLACED))
}

/// What a refused request named: for the log and the metrics, never for a decision.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named<'t> {
    /// The client, only if it is registered: what strangers send is never repeated.
    pub client: Option<&'t Arc<Client>>,
    /// The grant type, only if the server knows it.
    pub grant: Option<GrantType>,
}

impl<'t> Named<'t> {
    /// A client that is known, and what it asked for.
    pub fn of(client: &'t Arc<Client>, grant: GrantType) -> Self {
        Self {
            client: Some(client),
            grant: Some(grant),
        }
    }
}

/// Reads a request again, off the path of those that succeed.
pub fn named<'t>(tenant: &'t Tenant, authorization: Option<&[u8]>, form: &[u8]) -> Named<'t> {
    let Ok(request) = TokenRequest::parse(form) else {
        return Named::default();
    };
    Named {
        client: credentials::named(tenant, authorization, request.client_id())
            .or_else(|| assertion::named(tenant, request.client_assertion()?)),
        grant: request.grant().ok(),
    }
}

const REPLACED: &str = "the client was deleted or made anew while its assertion was looked at";
const SIGNING_FAILED: OAuthError =
    OAuthError::new(ErrorCode::ServerError, "the token could not be signed");
