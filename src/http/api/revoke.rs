//! `POST /revoke` (RFC 7009).

use axum::body::HttpBody;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;

use super::client_request::{self, authorization};
use super::cors;
use super::unavailable::unavailable;
use crate::App;
use crate::error_response::Refusal;
use clientele_oauth::client_auth::Attempt;
use clientele_oauth::endpoints::parameters::Parameters;
use clientele_oauth::endpoints::revocation;
use clientele_oauth::endpoints::revocation::Judgement;
use clientele_oauth::tokens::bearer::Presented;
use clientele_oauth::{OAuthError, Registry, Tenant};
use clientele_store::StoreError;
use clientele_telemetry::audit::AuditEvent;

/// Answers a request to a revocation endpoint.
pub(crate) async fn respond<B>(app: &App, parts: &Parts, body: B) -> Response
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    if parts.method != Method::POST {
        return cors::other_method(app, parts, "POST");
    }
    let form = match client_request::read(app, parts, body).await {
        Ok(form) => form,
        Err(refusal) => {
            return client_request::unread(app, parts, AuditEvent::RevocationRefused, refusal);
        }
    };
    let registry = app.registry.load_full();
    let Some((tenant, _)) = registry.route(parts.uri.path()) else {
        return Refusal::NOT_FOUND.into_response();
    };
    let form = match Parameters::read(&form) {
        Ok(form) => form,
        Err(error) => {
            return client_request::unread(app, parts, AuditEvent::RevocationRefused, error.into());
        }
    };
    let attempt = Attempt::from_parameters(&form, authorization(parts));
    let mut response = match revoke(app, &registry, tenant, parts, (&form, &attempt)).await {
        Ok(()) => client_request::done(),
        Err(error) => {
            let act = AuditEvent::RevocationRefused;
            client_request::record(app, tenant, parts, None, act, Some(error));
            client_request::refuse(tenant, error)
        }
    };
    let client = attempt.client_by_id(tenant);
    cors::expose(&mut response, &parts.headers, client.map(|c| &**c));
    response
}

/// Success means that the token is revoked, and that the store has recorded it.
async fn revoke(
    app: &App,
    registry: &Registry,
    tenant: &Tenant,
    parts: &Parts,
    (form, attempt): (&Parameters, &Attempt<'_>),
) -> Result<(), OAuthError> {
    let keyring = client_request::keyring(registry)?;
    let caller = client_request::caller(app, tenant, keyring, attempt).await?;
    let presented = Presented::read(tenant, keyring, client_request::token(form)?);
    let uid = &*tenant.uid;
    let family = app.store.family(uid, presented.family()).await;
    let family = family.map_err(|error| unavailable(&error))?;
    let judgement = revocation::judge(caller, &presented, family.as_ref())?;
    let is_ours = !matches!(judgement, Judgement::Nothing);
    let done = carry_out(app, uid, judgement).await;
    done.map_err(|error| unavailable(&error))?;
    if is_ours {
        client_request::record(
            app,
            tenant,
            parts,
            Some(caller),
            AuditEvent::TokenRevoked,
            None,
        );
    }
    Ok(())
}

async fn carry_out(app: &App, tenant: &str, judgement: Judgement<'_>) -> Result<(), StoreError> {
    match judgement {
        Judgement::Nothing => Ok(()),
        Judgement::Family(id) => {
            let now = (app.clock)();
            app.store.revoke_family(tenant, id, now).await.map(drop)
        }
        Judgement::AccessToken(id, end) => app.store.revoke_token(tenant, id, end).await,
    }
}
