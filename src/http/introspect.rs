//! `POST /introspect` (RFC 7662): extract → ask the core and the store → respond.

use axum::body::HttpBody;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::authenticated::Authenticated;
use super::refusal::Refusal;
use super::{App, response, token};
use crate::oauth::OAuthError;
use crate::oauth::introspection::{self, Token};
use crate::oauth::throttle::{Key, key};

/// Answers a request.
pub(super) async fn respond<B>(app: &App, request: Request<B>) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let asked = match Authenticated::read(app, request).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    if let Err(error) = introspection::may_ask(&asked.client) {
        return Refusal::from(error).into_response();
    }
    // Whoever asks for what is active may ask as often as they like; guessing is slow (scanning, RFC 7662 §4).
    let guesses = key(&[&asked.tenant.registration_id, &asked.client.registration_id]);
    if let Err(wait) = app.introspections.charge(guesses, asked.now) {
        let mut response = Refusal::TOO_MANY.into_response();
        let seconds = HeaderValue::from(wait.as_secs() + 1);
        response.headers_mut().insert(RETRY_AFTER, seconds);
        return response;
    }
    match look_up(app, &asked).await {
        Ok(members) => answer(app, guesses, members),
        Err(error) => token::refuse(&asked.tenant, error),
    }
}

async fn look_up(
    app: &App,
    asked: &Authenticated,
) -> Result<Option<Map<String, Value>>, OAuthError> {
    let Authenticated { tenant, client, .. } = asked;
    let token = Token::read(tenant, &asked.keyring, &asked.token, asked.now);
    let Some(token) = token else {
        return Ok(None);
    };
    let uid = &*tenant.registration_id;
    if let Token::Access(bearer) = &token
        && app.store.is_token_revoked(uid, &bearer.jti).await?
    {
        return Ok(None);
    }
    let family = match token.family() {
        Some(family) => app.store.family(uid, family).await?,
        None => None,
    };
    Ok(introspection::answer(
        tenant,
        client,
        &token,
        family.as_ref(),
        asked.now,
    ))
}

fn answer(app: &App, guesses: Key, members: Option<Map<String, Value>>) -> Response {
    let body = match members {
        Some(members) => {
            app.introspections.refund(guesses);
            Bytes::from(Value::Object(members).to_string())
        }
        None => Bytes::from_static(br#"{"active":false}"#),
    };
    response::json(StatusCode::OK, body, HeaderValue::from_static("no-store"))
}
