//! What the endpoints have in common that clients call themselves: token, introspection, revocation.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, PRAGMA, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use super::assertion_check;
use crate::browser::refusals;
use crate::error_response::Refusal;
use crate::server::client_address;
use crate::{App, form, response};
use clientele_oauth::client_auth;
use clientele_oauth::client_auth::{Attempt, Authentication};
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::{Client, ErrorCode, Keyring, OAuthError, Registry, Tenant};
use clientele_telemetry::audit::{AuditEvent, AuditRecord};

/// Reads the form of a request.
pub(crate) async fn read<B>(app: &App, parts: &Parts, body: B) -> Result<Bytes, Refusal>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    well_formed(parts)?;
    form::read(body, app.body_timeout).await
}

/// What can be judged before the body is read.
fn well_formed(parts: &Parts) -> Result<(), OAuthError> {
    if parts.uri.query().is_some() {
        return Err(OAuthError::invalid_request(
            "parameters must be sent in the request body, not in the query string",
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

/// The value of the `Authorization` header.
pub(crate) fn authorization(parts: &Parts) -> Option<&[u8]> {
    parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes)
}

/// The root keys, without which no client can be authenticated.
pub(crate) fn keyring(registry: &Registry) -> Result<&Arc<Keyring>, OAuthError> {
    registry.keyring.as_ref().ok_or(OAuthError::new(
        ErrorCode::TemporarilyUnavailable,
        "the server cannot verify client secrets yet: its root key is not loaded",
    ))
}

/// The authenticated client, by the same rules as at the token endpoint (RFC 7662 §2.1, RFC 7009 §2.1).
pub(crate) async fn caller<'t>(
    app: &App,
    tenant: &'t Tenant,
    keyring: &Keyring,
    attempt: &Attempt<'_>,
) -> Result<&'t Arc<Client>, OAuthError> {
    match client_auth::authenticate(tenant, keyring, attempt, (app.clock)())? {
        Authentication::Authenticated(client) => Ok(client),
        Authentication::NeedsProof(proof) => {
            assertion_check::confirm(app, tenant, proof.evidence).await?;
            proof.client.uses.note_without_secret((app.clock)());
            Ok(proof.client)
        }
    }
}

/// The token that a request is about. `token_type_hint` is only a hint (RFC 7009 §2.1, RFC 7662 §2.1), but a parameter.
pub(crate) fn token(form: &Parameters) -> Result<&str, OAuthError> {
    form.one("token_type_hint")?;
    form.one("token")?
        .ok_or(OAuthError::invalid_request("token is missing"))
}

/// For the audit log. It names the client only if it is registered and proved who it is.
pub(crate) fn record(
    app: &App,
    tenant: &Tenant,
    parts: &Parts,
    client: Option<&Client>,
    act: AuditEvent,
    error: Option<OAuthError>,
) {
    let from = client_address::of(app, parts);
    if client.is_none() && error.is_some() && !refusals::is_recorded(app, act, from) {
        return;
    }
    let line = AuditRecord {
        tenant: Some(&tenant.name),
        client_id: client.map(|client| &*client.id),
        from: Some(from),
        error: error.map(|error| error.code.as_str()),
        reason: error.map(|error| error.reason()),
        ..AuditRecord::default()
    };
    app.audit.record(act, &line);
}

/// A success.
pub(crate) fn json(body: String) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    with_pragma(response::json(StatusCode::OK, body.into(), no_store))
}

/// An answer that says no more than its status.
pub(crate) fn done() -> Response {
    let mut response = Response::default();
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    with_pragma(response)
}

/// RFC 6749 §5.2: a 401 always names the scheme that works (RFC 9110 §15.5.2 demands it).
pub(crate) fn refuse(tenant: &Tenant, error: OAuthError) -> Response {
    let mut response = malformed(Refusal::from(error));
    if error.code == ErrorCode::InvalidClient {
        let challenge = format!(r#"Basic realm="{}""#, tenant.issuer);
        let challenge = HeaderValue::from_str(&challenge)
            .unwrap_or(HeaderValue::from_static(r#"Basic realm="token""#));
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// The same of a request that could not even be read. It names no client.
pub(crate) fn unread(app: &App, parts: &Parts, act: AuditEvent, refusal: Refusal) -> Response {
    if let Some((tenant, _)) = app.registry.load().route(parts.uri.path()) {
        let error = OAuthError::invalid_request(refusal.description);
        record(app, tenant, parts, None, act, Some(error));
    }
    malformed(refusal)
}

/// The refusal of a request that is about nothing known.
pub(crate) fn malformed(refusal: Refusal) -> Response {
    with_pragma(refusal.into_response())
}

fn with_pragma(mut response: Response) -> Response {
    let no_cache = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(PRAGMA, no_cache);
    response
}
