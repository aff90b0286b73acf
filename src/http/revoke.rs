//! `POST /revoke` (RFC 7009): extract → ask the core and the store → respond.

use axum::body::HttpBody;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use super::authenticated::Authenticated;
use super::{App, response, token};
use crate::oauth::OAuthError;
use crate::oauth::introspection::Token;
use crate::oauth::revocation::{self, Revocation};

/// Answers a request. Success is an empty body (RFC 7009 §2.2).
pub(super) async fn respond<B>(app: &App, request: Request<B>) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let asked = match Authenticated::read(app, request).await {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    match revoke(app, &asked).await {
        Ok(()) => {
            let no_store = HeaderValue::from_static("no-store");
            response::json(StatusCode::OK, Bytes::new(), no_store)
        }
        Err(error) => token::refuse(&asked.tenant, error),
    }
}

async fn revoke(app: &App, asked: &Authenticated) -> Result<(), OAuthError> {
    let Authenticated { tenant, client, .. } = asked;
    let uid = &*tenant.registration_id;
    let token = Token::read(tenant, &asked.keyring, &asked.token, asked.now);
    let family = match token.as_ref().and_then(Token::family) {
        Some(family) => app.store.family(uid, family).await?,
        None => None,
    };
    match revocation::decide(tenant, client, token.as_ref(), family.as_ref())? {
        Revocation::Nothing => {}
        Revocation::Family(family) => {
            app.store.revoke_family(uid, &family, asked.now).await?;
        }
        Revocation::AccessToken { jti, expires_at } => {
            app.store.revoke_token(uid, &jti, expires_at).await?;
        }
    }
    Ok(())
}
