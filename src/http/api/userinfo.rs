//! `GET` and `POST /userinfo` (OIDC Core §5.3).

use std::sync::Arc;

use axum::body::HttpBody;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use super::client_request;
use super::cors;
use super::unavailable::unavailable;
use crate::error_response::Refusal;
use crate::{App, form};
use clientele_oauth::endpoints::userinfo;
use clientele_oauth::tokens::bearer::AccessToken;
use clientele_oauth::{ErrorCode, OAuthError, Tenant};

/// Answers a request to a userinfo endpoint.
pub(crate) async fn respond<B>(app: &App, parts: &Parts, body: B) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    if parts.method != Method::GET && parts.method != Method::POST {
        return cors::other_method(app, parts, "GET, POST");
    }
    let form = if parts.method == Method::POST && form::is_form(&parts.headers) {
        form::read(body, app.body_timeout).await
    } else {
        Ok(Bytes::new())
    };
    let form = match form {
        Ok(form) => form,
        Err(refusal) => return client_request::malformed(refusal),
    };
    let tenant = app
        .registry
        .load()
        .route(parts.uri.path())
        .map(|(tenant, _)| tenant.clone());
    match tenant {
        Some(tenant) => answer(app, &tenant, parts, &form).await,
        None => Refusal::NOT_FOUND.into_response(),
    }
}

async fn answer(app: &App, tenant: &Arc<Tenant>, parts: &Parts, form: &[u8]) -> Response {
    let token = match bearer(parts, form) {
        Ok(Some(token)) => token,
        Ok(None) => return challenge(tenant),
        Err(error) => return refuse(tenant, error),
    };
    let token = AccessToken::read(tenant, &token);
    let mut response = match tell(app, tenant, token.as_ref()).await {
        Ok(body) => client_request::json(body),
        Err(error) => refuse(tenant, error),
    };
    let client = token.and_then(|token| tenant.clients.get(token.text("client_id")));
    cors::expose(
        &mut response,
        &parts.headers,
        client.map(|client| &**client),
    );
    response
}

fn bearer(parts: &Parts, form: &[u8]) -> Result<Option<String>, OAuthError> {
    if parts.headers.get_all(AUTHORIZATION).iter().count() > 1 {
        return Err(OAuthError::invalid_request(
            "more than one Authorization header",
        ));
    }
    let query = parts.uri.query().unwrap_or_default();
    userinfo::bearer(client_request::authorization(parts), query.as_bytes(), form)
}

async fn tell(
    app: &App,
    tenant: &Tenant,
    token: Option<&AccessToken>,
) -> Result<String, OAuthError> {
    let now = (app.clock)();
    let token = userinfo::admit(tenant, token, now)?;
    let uid = &*tenant.uid;
    let family = app.store.family(uid, token.family().unwrap_or_default());
    let family = family.await.map_err(|error| unavailable(&error))?;
    let is_revoked = app.store.is_token_revoked(uid, token.id()).await;
    let is_revoked = is_revoked.map_err(|error| unavailable(&error))?;
    userinfo::answer(tenant, token, family.as_ref(), is_revoked, now)
}

/// RFC 6750 §3.1: without a token there is nothing to explain.
fn challenge(tenant: &Tenant) -> Response {
    let mut response = client_request::done();
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    demand(
        &mut response,
        format!(r#"Bearer realm="{}""#, tenant.issuer),
    );
    response
}

/// RFC 6750 §3: the error stands in the header; it stands in the body as well, as everywhere else.
fn refuse(tenant: &Tenant, error: OAuthError) -> Response {
    let mut response = client_request::malformed(Refusal::from(error));
    let (issuer, code, description) = (&tenant.issuer, error.code.as_str(), error.description);
    let scope = match error.code {
        ErrorCode::InsufficientScope => r#", scope="openid""#,
        ErrorCode::InvalidRequest | ErrorCode::InvalidToken => "",
        // An error of the server is no reason to authenticate again.
        _ => return response,
    };
    let challenge = format!(
        r#"Bearer realm="{issuer}", error="{code}", error_description="{description}"{scope}"#
    );
    demand(&mut response, challenge);
    response
}

fn demand(response: &mut Response, challenge: String) {
    let challenge = HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Bearer"));
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
}
