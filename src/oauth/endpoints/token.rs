//! The token endpoint (RFC 6749 §3.2) as a numbered pipeline: what was sent → who → may it → what → mint.
//!
//! The steps in front of a grant run once, here, so that no grant can forget one. Between [`authenticate`] and [`grant`]
//! the caller has an assertion confirmed. `client_credentials` ends here, in memory. The other grants need what the
//! store keeps: for them the caller gets a value that says what to ask the store for, and that judges the answer.

pub mod authorization_code;
mod client_credentials;
pub mod refresh_token;
mod request;
pub(crate) mod user_tokens;

use std::sync::Arc;

use jiff::Timestamp;

use crate::client_auth;
use crate::client_auth::Authentication;
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

/// What becomes of a request whose client is authenticated.
pub enum Outcome {
    /// By which grant a token was issued, and the JSON body of the success (RFC 6749 §5.1).
    Issued(GrantType, String),
    /// The store must be asked about a code (RFC 6749 §4.1.3).
    Exchange(Exchange),
    /// The store must be asked about a refresh token (RFC 6749 §6).
    Refresh(Refresh),
}

/// The client and the grant type that a line of the audit log names. Both may be what the request claims: never for a
/// decision.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditSubject<'t> {
    /// The client, only if it is registered: what strangers send is never repeated.
    pub client: Option<&'t Arc<Client>>,
    /// The grant type, only if the server knows it.
    pub grant: Option<GrantType>,
}

/// A refused token request.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'t> {
    /// What the client is told.
    pub error: OAuthError,
    /// What the audit log names.
    pub subject: AuditSubject<'t>,
}

impl<'t> AuditSubject<'t> {
    /// A client that is known, and the grant type that it uses.
    pub fn of(client: &'t Arc<Client>, grant: GrantType) -> Self {
        Self {
            client: Some(client),
            grant: Some(grant),
        }
    }
}

impl<'t> Refused<'t> {
    /// The refusal of a request of this client.
    pub fn of(client: &'t Arc<Client>, grant: GrantType, error: OAuthError) -> Self {
        let subject = AuditSubject::of(client, grant);
        Self { error, subject }
    }
}

impl TokenRequest<'_> {
    /// The refusal of this request before its client is authenticated.
    pub fn refused<'t>(&self, tenant: &'t Tenant, error: OAuthError) -> Refused<'t> {
        let subject = AuditSubject {
            client: self.attempt().client(tenant),
            grant: self.grant_type().ok(),
        };
        Refused { error, subject }
    }

    /// The refusal of this request while its assertion about this client is confirmed.
    pub fn refused_of<'t>(&self, client: &'t Arc<Client>, error: OAuthError) -> Refused<'t> {
        let subject = AuditSubject {
            client: Some(client),
            grant: self.grant_type().ok(),
        };
        Refused { error, subject }
    }
}

/// Steps 1 and 2: what was sent, and who sent it.
pub fn authenticate<'t>(
    context: Context<'t>,
    request: &TokenRequest<'_>,
) -> Result<Authentication<'t>, Refused<'t>> {
    let (tenant, keyring) = (context.tenant, context.keyring);
    let attempt = request.attempt();
    request
        .grant_type()
        .and_then(|_| client_auth::authenticate(tenant, keyring, attempt, context.now))
        .map_err(|error| request.refused(tenant, error))
}

/// Steps 3 to 5: whether the client may, what it gets, and the token, if memory is enough for it.
pub fn grant<'t>(
    context: Context<'t>,
    client: &'t Arc<Client>,
    request: &TokenRequest<'_>,
) -> Result<Outcome, Refused<'t>> {
    let grant = request.grant_type();
    let grant = grant.map_err(|error| request.refused(context.tenant, error))?;
    let outcome = if client.allows_grant(grant) {
        match grant {
            GrantType::ClientCredentials => {
                let issued = client_credentials::issue(context, client, request);
                issued.map(|body| Outcome::Issued(grant, body))
            }
            GrantType::AuthorizationCode => Exchange::read(request).map(Outcome::Exchange),
            GrantType::RefreshToken => Refresh::read(context, request).map(Outcome::Refresh),
        }
    } else {
        Err(NOT_ALLOWED)
    };
    outcome.map_err(|error| Refused::of(client, grant, error))
}

const NOT_ALLOWED: OAuthError = OAuthError::new(
    ErrorCode::UnauthorizedClient,
    "this client is not registered for this grant type",
);
const SIGNING_FAILED: OAuthError =
    OAuthError::new(ErrorCode::ServerError, "the token could not be signed");
