//! A refresh token for new tokens: the store says what the family is, the core whether it may go on, the store that it did.

use axum::response::Response;

use super::{Call, Pending};
use crate::api::unavailable::unavailable;
use clientele_oauth::endpoints::token::AuditSubject;
use clientele_oauth::endpoints::token::refresh_token::{GRACE, Judgement, Refresh, USED};
use clientele_oauth::{GrantType, OAuthError};
use clientele_store::Rotation;
use clientele_telemetry::audit::AuditEvent;

/// Answers the request.
pub(super) async fn respond(call: Call<'_>, pending: Pending, refresh: Refresh) -> Response {
    let result = rotate(call, &pending, &refresh).await;
    call.finish(&pending, GrantType::RefreshToken, result)
}

/// The JSON body of a success. Tokens are minted only after the store has recorded the use.
async fn rotate(
    call: Call<'_>,
    pending: &Pending,
    refresh: &Refresh,
) -> Result<String, OAuthError> {
    let (context, client) = (pending.context(), &pending.client);
    let store = &call.app.store;
    let (tenant, now) = (&*context.tenant.uid, context.now);
    let (id, sequence) = (&*refresh.place.family, refresh.place.sequence);
    let family = store.family(tenant, id).await;
    let family = family.map_err(|error| unavailable(&error))?;
    let successor = match refresh.judge(context, client, family.as_ref()) {
        Judgement::Refuse(error) => return Err(error),
        Judgement::Revoke(error) => {
            let revoked = store.revoke_family(tenant, id, now).await;
            revoked.map_err(|error| unavailable(&error))?;
            return Err(error);
        }
        Judgement::Rotate(successor) => successor,
    };
    let idle = successor.idle_expires_at;
    let rotation = store.rotate(tenant, id, sequence, GRACE, idle, now).await;
    match rotation.map_err(|error| unavailable(&error))? {
        Rotation::Next(family) | Rotation::Retry(family) => successor.mint(context, &family),
        Rotation::Reused => {
            let subject = AuditSubject::of(client, GrantType::RefreshToken);
            call.record(context.tenant, subject, AuditEvent::RefreshReuse, None);
            Err(OAuthError::invalid_grant().because(USED))
        }
        Rotation::Gone => Err(OAuthError::invalid_grant().because("the refresh token has ended")),
    }
}
