//! `/userinfo` (OIDC Core §5.3): a protected resource of ours (RFC 6750).

use axum::body::HttpBody;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use super::refusal::Refusal;
use super::{App, form, response};
use crate::oauth::parameters::Parameters;
use crate::oauth::userinfo::{self, INVALID_TOKEN};
use crate::oauth::{OAuthError, Tenant};

/// Answers `GET` and `POST`.
pub(super) async fn respond<B>(app: &App, request: Request<B>) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    if ![Method::GET, Method::HEAD, Method::POST].contains(request.method()) {
        return Refusal::wrong_method("GET, HEAD, POST");
    }
    let (parts, body) = request.into_parts();
    let form = if parts.method == Method::POST && form::is_form(&parts.headers) {
        match form::read(body, app.body_timeout).await {
            Ok(form) => form,
            Err(refusal) => return refusal.into_response(),
        }
    } else {
        Bytes::new()
    };
    let registry = app.registry.load_full();
    let Some((tenant, _)) = registry.route(parts.uri.path()) else {
        return Refusal::NOT_FOUND.into_response();
    };
    match presented(&parts, &form) {
        Ok(None) => challenge(tenant, Refusal::NO_TOKEN.into_response(), None),
        Ok(Some(token)) => match tell(app, tenant, &token).await {
            Ok(claims) => {
                let no_store = HeaderValue::from_static("no-store");
                response::json(StatusCode::OK, claims.into(), no_store)
            }
            Err(error) => refuse(tenant, error),
        },
        Err(error) => refuse(tenant, error),
    }
}

/// The access token, sent in one of two ways (RFC 6750 §2); a token in an address is refused, because addresses are logged.
fn presented(parts: &Parts, form: &[u8]) -> Result<Option<String>, OAuthError> {
    let query = Parameters::read(parts.uri.query().unwrap_or_default().as_bytes())?;
    if query.has("access_token") {
        return Err(OAuthError::invalid_request(
            "an access token must not be sent in the query of the URL",
        ));
    }
    let form = Parameters::read(form)?;
    let from_form = form.one("access_token")?;
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let (header, another) = (headers.next(), headers.next());
    if another.is_some() || header.is_some() && from_form.is_some() {
        return Err(OAuthError::invalid_request(
            "the access token is sent more than once",
        ));
    }
    let Some(header) = header else {
        return Ok(from_form.map(str::to_owned));
    };
    let token = header
        .to_str()
        .ok()
        .and_then(|header| header.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Ok(token.map(|(_, token)| token.trim().to_owned()))
}

async fn tell(app: &App, tenant: &Tenant, token: &str) -> Result<String, OAuthError> {
    let now = (app.clock)();
    let bearer = userinfo::bearer(tenant, token, now)?;
    let uid = &*tenant.registration_id;
    if app.store.is_token_revoked(uid, &bearer.jti).await? {
        return Err(INVALID_TOKEN);
    }
    let family = bearer.family().ok_or(INVALID_TOKEN)?;
    let family = app.store.family(uid, family).await?;
    let family = family.ok_or(INVALID_TOKEN)?;
    let claims = userinfo::answer(tenant, &bearer, &family, now)?;
    Ok(Value::Object(claims).to_string())
}

fn refuse(tenant: &Tenant, error: OAuthError) -> Response {
    challenge(tenant, Refusal::from(error).into_response(), Some(error))
}

/// RFC 6750 §3: a refusal names the scheme, and the error unless no token was sent.
fn challenge(tenant: &Tenant, mut response: Response, error: Option<OAuthError>) -> Response {
    if response.status().is_server_error() {
        return response;
    }
    let mut value = format!(r#"Bearer realm="{}""#, tenant.issuer);
    if let Some(OAuthError { code, description }) = error {
        let code = code.as_str();
        value += &format!(r#", error="{code}", error_description="{description}""#);
    }
    let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("Bearer"));
    response.headers_mut().insert(WWW_AUTHENTICATE, value);
    response
}
