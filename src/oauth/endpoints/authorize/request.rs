//! What is asked (OIDC Core §3.1.2.1, RFC 6749 §4.1.1). Every error is told to the client, at its redirect URI.

use std::time::Duration;

use super::prompt::Prompt;
use super::refused::Refused;
use super::response_mode::ResponseMode;
use super::{pkce, redirect_target, scopes};
use crate::endpoints::authorize::claims_parameter::ClaimsRequest;
use crate::endpoints::parameters::Parameters;
use crate::jose;
use crate::tokens::issued_jwt;
use crate::user::claims;
use crate::{Client, ErrorCode, GrantType, OAuthError, Tenant};

/// The longest request, as it is encoded: the longest ID token as a hint, with everything else that a request has.
pub const MAX_LEN: usize = 9 * 1024;
/// The longest `nonce`, in bytes.
const MAX_NONCE: usize = 512;
/// The longest of the values that are read and not acted on.
const MAX_HINT: usize = 512;

/// Parameters that are accepted and change nothing: there is one kind of display and one language. They are bounded all the
/// same, and stand once.
const WITHOUT_EFFECT: [&str; 3] = ["display", "ui_locales", "claims_locales"];

/// An authorization request that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The scopes that will be granted if the person agrees, in the order asked.
    pub scopes: Vec<String>,
    /// The APIs that the tokens will be for (RFC 8707).
    pub resources: Vec<String>,
    /// The claims asked for by name that the client may have.
    pub claims: ClaimsRequest,
    /// The scopes that promise those claims and are not asked for: not granted, but agreed to.
    pub implied: Vec<String>,
    /// The S256 challenge (RFC 7636).
    pub code_challenge: Option<String>,
    /// `nonce`, for the ID token.
    pub nonce: Option<String>,
    /// What is to be shown.
    pub prompt: Prompt,
    /// How long ago the person may have proved who they are.
    pub max_age: Option<Duration>,
    /// The subject of the `id_token_hint`: who is to be signed in.
    pub hinted: Option<String>,
    /// What the client thinks that the person types to sign in.
    pub login_hint: Option<String>,
}

impl AuthorizationRequest {
    /// Judges everything but `client_id` and `redirect_uri`.
    pub(super) fn read(
        tenant: &Tenant,
        client: &Client,
        parameters: &Parameters,
    ) -> Result<Self, Refused> {
        form(client, parameters)?;
        let audiences = scopes::resources(client, parameters)?;
        let scopes = scopes::scopes(tenant, client, &audiences, parameters)?;
        let claims = claims(tenant, client, parameters)?;
        let implied = implied(tenant, client, &scopes, &claims);
        let owned = |value: Option<&str>| value.map(str::to_owned);
        let nonce = parameters.at_most("nonce", MAX_NONCE)?;
        Ok(Self {
            resources: audiences.iter().map(|a| a.uri.to_string()).collect(),
            code_challenge: pkce::challenge(client, parameters, &scopes, nonce)?,
            nonce: owned(nonce),
            prompt: Prompt::read(parameters)?,
            max_age: max_age(parameters)?,
            hinted: hinted(tenant, client, parameters)?,
            login_hint: owned(parameters.at_most("login_hint", MAX_HINT)?),
            scopes,
            claims,
            implied,
        })
    }

    /// Who must be signed in, if the request says so: by `id_token_hint`, or by the value of the claim `sub`.
    pub fn is_for(&self, subject: &str) -> bool {
        let wanted = [&self.hinted, &self.claims.subject];
        wanted.into_iter().flatten().all(|wanted| wanted == subject)
    }

    /// Whether it says nothing of who must be signed in.
    pub fn is_for_anybody(&self) -> bool {
        self.hinted.is_none() && self.claims.subject.is_none()
    }

    /// What the person agrees to: the scopes, and those whose claims are asked for one by one.
    pub fn to_agree(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().chain(&self.implied).map(String::as_str)
    }
}

/// What must be right whatever is asked: the kind of request, and parameters that stand once.
fn form(client: &Client, parameters: &Parameters) -> Result<(), OAuthError> {
    use ErrorCode::{RegistrationNotSupported, RequestNotSupported, RequestUriNotSupported};
    // First, because what is inside might say otherwise about everything that follows.
    for (name, code, description) in [
        (
            "request",
            RequestNotSupported,
            "request objects are not supported",
        ),
        (
            "request_uri",
            RequestUriNotSupported,
            "request_uri is not supported",
        ),
        (
            "registration",
            RegistrationNotSupported,
            "registration is not supported",
        ),
    ] {
        if parameters.one(name)?.is_some() {
            return Err(OAuthError::new(code, description));
        }
    }
    redirect_target::state(parameters)?;
    ResponseMode::read(parameters)?;
    for name in WITHOUT_EFFECT {
        parameters.at_most(name, MAX_HINT)?;
    }
    if !client.allows_grant(GrantType::AuthorizationCode) {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "this client is not registered for the grant type authorization_code",
        ));
    }
    match parameters.one("response_type")? {
        Some("code") => Ok(()),
        None => Err(OAuthError::invalid_request("response_type is missing")),
        Some(_) => Err(OAuthError::new(
            ErrorCode::UnsupportedResponseType,
            "response_type must be code",
        )),
    }
}

/// The claims asked for by name, without those that no scope of the client promises: a client does not get them this way.
fn claims(
    tenant: &Tenant,
    client: &Client,
    parameters: &Parameters,
) -> Result<ClaimsRequest, OAuthError> {
    let text = parameters.one("claims")?;
    let mut asked = text.map_or_else(|| Ok(ClaimsRequest::default()), ClaimsRequest::parse)?;
    // Whatever classes the client names, the ID token says which it was (OIDC Core §3.1.2.1).
    asked.acr |= parameters.at_most("acr_values", MAX_HINT)?.is_some();
    let promises = |scope: &str, name: &str| claims::promised_by(tenant, scope).any(|c| c == name);
    Ok(asked.only(|name| client.scopes.iter().any(|scope| promises(scope, name))))
}

/// For each claim that no scope of the request promises, the client's first scope that does.
fn implied(
    tenant: &Tenant,
    client: &Client,
    scopes: &[String],
    asked: &ClaimsRequest,
) -> Vec<String> {
    let promises = |scope: &str, name: &str| claims::promised_by(tenant, scope).any(|c| c == name);
    let mut implied: Vec<String> = Vec::new();
    for name in asked.names() {
        let mut covered = scopes.iter().chain(&implied);
        if covered.any(|scope| promises(scope, name)) {
            continue;
        }
        let mut of_client = client.scopes.iter();
        implied.extend(
            of_client
                .find(|scope| promises(scope, name))
                .map(ToString::to_string),
        );
    }
    implied
}

/// `max_age` in seconds.
fn max_age(parameters: &Parameters) -> Result<Option<Duration>, OAuthError> {
    let Some(text) = parameters.one("max_age")? else {
        return Ok(None);
    };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let seconds: Option<u32> = text.parse().ok().filter(|_| digits);
    let seconds = seconds.ok_or(OAuthError::invalid_request(
        "max_age must be a number of seconds",
    ))?;
    Ok(Some(Duration::from_secs(seconds.into())))
}

/// The subject of `id_token_hint`: an ID token of ours for this client. An expired one is as good.
fn hinted(
    tenant: &Tenant,
    client: &Client,
    parameters: &Parameters,
) -> Result<Option<String>, OAuthError> {
    let Some(token) = parameters.one("id_token_hint")? else {
        return Ok(None);
    };
    issued_jwt::verify_hint(tenant, token)
        .filter(|claims| jose::claims::audiences(claims).any(|audience| *audience == *client.id))
        .and_then(|claims| jose::claims::text(&claims, "sub").map(str::to_owned))
        .map(Some)
        .ok_or(OAuthError::invalid_request(
            "id_token_hint is not an ID token of this issuer for this client",
        ))
}
