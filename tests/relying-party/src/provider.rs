//! The provider as discovery describes it, and the client that the library makes of it.

use std::env;
use std::time::Duration;

use anyhow::{Result, bail};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreErrorResponseType, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::reqwest::{self, Certificate, blocking, redirect};
use openidconnect::{
    AdditionalProviderMetadata, ClientId, ClientSecret, CsrfToken, EndSessionUrl, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpClientError, IntrospectionUrl, IssuerUrl, Nonce,
    PkceCodeChallenge, ProviderMetadata, RedirectUrl, RequestTokenError, RevocationUrl, Scope,
    StandardErrorResponse, url::Url,
};
use serde::{Deserialize, Serialize};

use crate::setting;

/// The endpoints that the library does not look for by itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct MoreEndpoints {
    introspection_endpoint: IntrospectionUrl,
    revocation_endpoint: RevocationUrl,
    end_session_endpoint: EndSessionUrl,
}

impl AdditionalProviderMetadata for MoreEndpoints {}

type Metadata = ProviderMetadata<
    MoreEndpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointSet,
    EndpointSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider, and what we are to it.
pub struct Provider {
    pub client: Client,
    pub http: blocking::Client,
    pub issuer: String,
    pub confidential: bool,
    pub redirect_uri: String,
    pub post_logout_redirect_uri: String,
    pub end_session: EndSessionUrl,
}

impl Provider {
    /// Asks the issuer for its metadata and keys.
    pub fn discover() -> Result<Self> {
        let http = http()?;
        let (issuer, redirect_uri) = (setting("ISSUER")?, setting("REDIRECT_URI")?);
        let metadata = Metadata::discover(&IssuerUrl::new(issuer.clone())?, &http)?;
        let more = metadata.additional_metadata().clone();
        let secret = env::var("CLIENT_SECRET").ok().map(ClientSecret::new);
        let confidential = secret.is_some();
        let id = ClientId::new(setting("CLIENT_ID")?);
        let client = CoreClient::from_provider_metadata(metadata, id, secret)
            .set_redirect_uri(RedirectUrl::new(redirect_uri.clone())?)
            .set_introspection_url(more.introspection_endpoint)
            .set_revocation_url(more.revocation_endpoint);
        Ok(Self {
            client,
            http,
            issuer,
            confidential,
            redirect_uri,
            post_logout_redirect_uri: setting("POST_LOGOUT_REDIRECT_URI")?,
            end_session: more.end_session_endpoint,
        })
    }

    /// Where to send the browser; `openid` is asked for by the library.
    pub fn authorization_url(&self, challenge: PkceCodeChallenge) -> (Url, CsrfToken, Nonce) {
        self.client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("profile".to_owned()))
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge)
            .url()
    }
}

fn http() -> Result<blocking::Client> {
    let mut builder = blocking::Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_mins(1));
    if let Ok(ca) = env::var("CA") {
        builder = builder.add_root_certificate(Certificate::from_pem(&std::fs::read(ca)?)?);
    }
    Ok(builder.build()?)
}

type Refused = RequestTokenError<
    HttpClientError<reqwest::Error>,
    StandardErrorResponse<CoreErrorResponseType>,
>;

/// The error code of a token request that was refused. It is an error if it was not.
pub fn refusal<T>(answer: Result<T, Refused>) -> Result<String> {
    match answer {
        Ok(_) => Ok("works".to_owned()),
        Err(RequestTokenError::ServerResponse(refused)) => Ok(refused.error().to_string()),
        Err(other) => bail!(other),
    }
}
