//! `POST /token` (RFC 6749 §3.2): extract → ask the core → respond.

use std::time::Instant;

use axum::body::HttpBody;
use axum::http::header::{AUTHORIZATION, PRAGMA, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use super::refusal::Refusal;
use super::{App, form, response};
use crate::oauth::access_token::JtiRandom;
use crate::oauth::token::{self, Context, Named};
use crate::oauth::{ErrorCode, GrantType, OAuthError, Registry, Tenant};

/// Answers a request to a token endpoint.
pub(super) async fn respond<B>(app: &App, request: Request<B>) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let started = Instant::now();
    if request.method() != Method::POST {
        return Refusal::wrong_method("POST");
    }
    let (parts, body) = request.into_parts();
    let form = match well_formed(&parts) {
        Ok(()) => form::read(body, app.body_timeout).await,
        Err(error) => Err(error.into()),
    };
    let mut response = match form {
        Ok(form) => decide(app, &parts, &form, started),
        Err(refusal) => {
            app.metrics
                .refused(None, ErrorCode::InvalidRequest, started);
            refusal.into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// What can be judged before the body is read.
fn well_formed(parts: &Parts) -> Result<(), OAuthError> {
    if parts.uri.query().is_some() {
        return Err(OAuthError::invalid_request(
            "parameters belong into the body, not into the query of the URL",
        ));
    }
    if !form::is_form(&parts.headers) {
        return Err(OAuthError::invalid_request(
            "the Content-Type must be application/x-www-form-urlencoded",
        ));
    }
    if parts.headers.get_all(AUTHORIZATION).iter().count() > 1 {
        return Err(OAuthError::invalid_request(
            "more than one Authorization header",
        ));
    }
    Ok(())
}

/// The tenant is looked up after the body has arrived: a slow request is not judged by a registry
/// from which its client has gone in the meantime.
fn decide(app: &App, parts: &Parts, form: &[u8], started: Instant) -> Response {
    let registry = app.registry.load();
    let Some((tenant, _)) = registry.route(parts.uri.path()) else {
        return Refusal::NOT_FOUND.into_response();
    };
    let authorization = parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    match ask(app, &registry, tenant, authorization, form) {
        Ok(body) => {
            app.metrics.issued(GrantType::ClientCredentials, started);
            let no_store = HeaderValue::from_static("no-store");
            response::json(StatusCode::OK, body.into(), no_store)
        }
        Err(error) => {
            let named = token::named(tenant, authorization, form);
            app.metrics.refused(named.grant, error.code, started);
            record(tenant, named, error);
            refuse(tenant, error)
        }
    }
}

fn ask(
    app: &App,
    registry: &Registry,
    tenant: &Tenant,
    authorization: Option<&[u8]>,
    form: &[u8],
) -> Result<String, OAuthError> {
    let keyring = registry.keyring.as_ref().ok_or(OAuthError::new(
        ErrorCode::TemporarilyUnavailable,
        "the server cannot verify client secrets yet: its root key is not loaded",
    ))?;
    let mut random = JtiRandom::default();
    (app.random)(&mut random).ok_or(OAuthError::new(
        ErrorCode::ServerError,
        "the source of randomness failed",
    ))?;
    let now = (app.clock)();
    let context = Context {
        tenant,
        keyring,
        now,
        random,
    };
    token::answer(context, authorization, form)
}

/// A security event. It names the client only if it is registered: what strangers send stays out of
/// the log. Strangers cost a line as well, so that time does not tell which client exists.
fn record(tenant: &Tenant, named: Named<'_>, error: OAuthError) {
    let client_id = named.client.map_or("(unregistered)", |client| &client.id);
    let (tenant, error, reason) = (&*tenant.name, error.code.as_str(), error.description);
    tracing::info!(tenant, client_id, error, reason, "token request refused");
}

/// RFC 6749 §5.2: a 401 always names the scheme that works (RFC 9110 §15.5.2 demands it).
fn refuse(tenant: &Tenant, error: OAuthError) -> Response {
    let mut response = Refusal::from(error).into_response();
    if error.code == ErrorCode::InvalidClient {
        let challenge = format!(r#"Basic realm="{}""#, tenant.issuer);
        let challenge = HeaderValue::from_str(&challenge)
            .unwrap_or(HeaderValue::from_static(r#"Basic realm="token""#));
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
