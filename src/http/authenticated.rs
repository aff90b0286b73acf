//! A form from a client that says who it is: what `/introspect` and `/revoke` have in common.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderValue, Method, Request};
use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;

use super::refusal::Refusal;
use super::{App, form, token};
use crate::oauth::credentials::{self, Presented};
use crate::oauth::parameters::Parameters;
use crate::oauth::{Client, ErrorCode, Keyring, OAuthError, Tenant};

/// A request whose client is known.
pub(super) struct Authenticated {
    /// Whose endpoint was called.
    pub tenant: Arc<Tenant>,
    /// The root keys.
    pub keyring: Arc<Keyring>,
    /// Who asks.
    pub client: Arc<Client>,
    /// `token` of the form.
    pub token: String,
    /// When it was asked.
    pub now: Timestamp,
}

impl Authenticated {
    /// Reads a request, or says what is wrong with it.
    pub async fn read<B>(app: &App, request: Request<B>) -> Result<Self, Response>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        if request.method() != Method::POST {
            return Err(Refusal::wrong_method("POST"));
        }
        let (parts, body) = request.into_parts();
        let refuse = |error: OAuthError| Refusal::from(error).into_response();
        token::well_formed(&parts).map_err(refuse)?;
        let form = form::read(body, app.body_timeout).await;
        let form = form.map_err(Refusal::into_response)?;
        let registry = app.registry.load_full();
        let Some((tenant, _)) = registry.route(parts.uri.path()) else {
            return Err(Refusal::NOT_FOUND.into_response());
        };
        let authorization = parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let keyring = registry.keyring.clone().ok_or(NO_ROOT_KEY);
        let read = keyring.and_then(|keyring| {
            let (client, token) = who_and_what(tenant, &keyring, authorization, &form)?;
            Ok(Self {
                tenant: tenant.clone(),
                keyring,
                client,
                token,
                now: (app.clock)(),
            })
        });
        read.map_err(|error| token::refuse(tenant, error))
    }
}

fn who_and_what(
    tenant: &Tenant,
    keyring: &Keyring,
    authorization: Option<&[u8]>,
    form: &[u8],
) -> Result<(Arc<Client>, String), OAuthError> {
    let form = Parameters::read(form)?;
    let presented = Presented {
        authorization,
        client_id: form.one("client_id")?,
        // An empty secret was sent, and is wrong: it must not pass for the method `none`.
        client_secret: form
            .one("client_secret")?
            .or(form.has("client_secret").then_some("")),
        assertion: form.has("client_assertion") || form.has("client_assertion_type"),
    };
    let credentials = presented.credentials()?;
    let client = credentials::authenticate(tenant, keyring, &credentials)?;
    form.one("token_type_hint")?;
    let token = form.one("token")?;
    let token = token.ok_or(OAuthError::invalid_request("token is missing"))?;
    Ok((client.clone(), token.to_owned()))
}

const NO_ROOT_KEY: OAuthError = OAuthError::new(
    ErrorCode::TemporarilyUnavailable,
    "the server cannot verify client secrets yet: its root key is not loaded",
);
