//! The token endpoint (RFC 6749 §3.2) as a numbered pipeline: what was sent → who → may it → what → mint.
//!
//! The steps in front of a grant run once, here, so that no grant can forget one.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;
use url::form_urlencoded;

use super::access_token::{self, AccessToken, JtiRandom};
use super::credentials::{self, Presented, sent};
use super::{Client, ErrorCode, GrantType, Keyring, OAuthError, Tenant, target};

/// The parameters of a token request, borrowed from the form where nothing was escaped.
#[derive(Default)]
pub struct TokenRequest<'a> {
    grant_type: Option<Cow<'a, str>>,
    scope: Option<Cow<'a, str>>,
    client_id: Option<Cow<'a, str>>,
    client_secret: Option<Cow<'a, str>>,
    client_assertion: Option<Cow<'a, str>>,
    client_assertion_type: Option<Cow<'a, str>>,
    resources: Vec<Cow<'a, str>>,
}

impl<'a> TokenRequest<'a> {
    /// Reads a form. A parameter that stands twice is an error (RFC 6749 §3.2), except `resource`
    /// (RFC 8707 §2); an unknown one is ignored.
    pub fn parse(form: &'a [u8]) -> Result<Self, OAuthError> {
        let mut request = Self::default();
        for (name, value) in form_urlencoded::parse(form) {
            if name == "resource" {
                request.add_resource(value)?;
                continue;
            }
            let Some(slot) = request.slot(&name) else {
                continue;
            };
            if slot.replace(value).is_some() {
                return Err(OAuthError::invalid_request("a parameter is repeated"));
            }
        }
        Ok(request)
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<Cow<'a, str>>> {
        Some(match name {
            "grant_type" => &mut self.grant_type,
            "scope" => &mut self.scope,
            "client_id" => &mut self.client_id,
            "client_secret" => &mut self.client_secret,
            "client_assertion" => &mut self.client_assertion,
            "client_assertion_type" => &mut self.client_assertion_type,
            _ => return None,
        })
    }

    fn add_resource(&mut self, value: Cow<'a, str>) -> Result<(), OAuthError> {
        if value.is_empty() {
            return Ok(());
        }
        if self.resources.len() == target::MAX_RESOURCES {
            return Err(OAuthError::invalid_target("more than 16 resources"));
        }
        self.resources.push(value);
        Ok(())
    }

    /// The grant type, before anybody is authenticated.
    fn grant(&self) -> Result<GrantType, OAuthError> {
        match sent(self.grant_type.as_ref()) {
            None => Err(OAuthError::invalid_request("grant_type is missing")),
            Some("client_credentials") => Ok(GrantType::ClientCredentials),
            Some(_) => Err(OAuthError::new(
                ErrorCode::UnsupportedGrantType,
                "grant_type must be client_credentials",
            )),
        }
    }

    fn presented<'s>(&'s self, authorization: Option<&'s [u8]>) -> Presented<'s> {
        Presented {
            authorization,
            client_id: sent(self.client_id.as_ref()),
            // An empty secret was sent, and is wrong: it must not pass for the method `none`.
            client_secret: self.client_secret.as_deref(),
            assertion: self.client_assertion.is_some() || self.client_assertion_type.is_some(),
        }
    }
}

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

/// Answers a token request with the JSON body of a success (RFC 6749 §5.1) or a refusal.
pub fn answer(
    context: Context<'_>,
    authorization: Option<&[u8]>,
    form: &[u8],
) -> Result<String, OAuthError> {
    // 1. What was sent
    let request = TokenRequest::parse(form)?;
    let grant = request.grant()?;
    // 2. Who
    let credentials = request.presented(authorization).credentials()?;
    let client = credentials::authenticate(context.tenant, context.keyring, &credentials)?;
    // 3. May it
    if !client.allows_grant(grant) {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "this client is not registered for this grant type",
        ));
    }
    // 4. What, 5. mint
    let (token, scope) = client_credentials(context, client, &request)?;
    Ok(render(&token, &scope))
}

/// What a refused request named: for the log and the metrics, never for a decision.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named<'t> {
    /// The client, only if it is registered: what strangers send is never repeated.
    pub client: Option<&'t Arc<Client>>,
    /// The grant type, only if the server knows it.
    pub grant: Option<GrantType>,
}

/// Reads a refused request again, off the path of those that succeed.
pub fn named<'t>(tenant: &'t Tenant, authorization: Option<&[u8]>, form: &[u8]) -> Named<'t> {
    let Ok(request) = TokenRequest::parse(form) else {
        return Named::default();
    };
    let basic = authorization.and_then(credentials::decode_basic);
    let id = basic.as_ref().map(|(id, _)| id.as_str());
    let id = id.or(sent(request.client_id.as_ref()));
    Named {
        client: id.and_then(|id| tenant.clients.get(id)),
        grant: request.grant().ok(),
    }
}

/// RFC 6749 §4.4.
fn client_credentials<'a>(
    context: Context<'_>,
    client: &'a Client,
    request: &TokenRequest<'_>,
) -> Result<(AccessToken, Cow<'a, str>), OAuthError> {
    let key = context
        .tenant
        .signing_key(context.tenant.access_token_algorithm, context.now)?;
    let scope = sent(request.scope.as_ref()).unwrap_or_default();
    if scope.is_empty() && request.resources.is_empty() {
        let token = access_token::mint_default(client, key, context.now, context.random);
        return Ok((
            token.ok_or(SIGNING_FAILED)?,
            Cow::Borrowed(&client.default_scope),
        ));
    }
    let target = target::for_client_credentials(client, scope, &request.resources)?;
    let issuer = &context.tenant.issuer;
    let token = access_token::mint_for(client, issuer, &target, key, context.now, context.random);
    Ok((token.ok_or(SIGNING_FAILED)?, target.scopes.join(" ").into()))
}

const SIGNING_FAILED: OAuthError =
    OAuthError::new(ErrorCode::ServerError, "the token could not be signed");

/// Scope tokens contain neither quotes nor backslashes, so the JSON needs no escaping.
fn render(token: &AccessToken, scope: &str) -> String {
    let mut body = String::with_capacity(token.token.len() + scope.len() + 90);
    body.push_str(r#"{"access_token":""#);
    body.push_str(&token.token);
    let seconds = token.lifetime.as_secs();
    let _ = write!(body, r#"","token_type":"Bearer","expires_in":{seconds}"#);
    if !scope.is_empty() {
        let _ = write!(body, r#","scope":"{scope}""#);
    }
    body.push('}');
    body
}
