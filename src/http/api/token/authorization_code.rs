//! A code for tokens: the store says what the code is, the core what becomes of it, the store that it is so.

use axum::response::Response;

use super::{Call, Pending};
use crate::api::unavailable::unavailable;
use clientele_oauth::endpoints::token::AuditSubject;
use clientele_oauth::endpoints::token::authorization_code::{Exchange, Judgement, USED};
use clientele_oauth::{GrantType, OAuthError};
use clientele_store::Redemption;
use clientele_telemetry::audit::AuditEvent;

/// Answers the request.
pub(super) async fn respond(call: Call<'_>, pending: Pending, exchange: Exchange) -> Response {
    let result = redeem(call, &pending, &exchange).await;
    call.finish(&pending, GrantType::AuthorizationCode, result)
}

/// The JSON body of a success. Tokens are minted only after the store has recorded the use.
async fn redeem(
    call: Call<'_>,
    pending: &Pending,
    exchange: &Exchange,
) -> Result<String, OAuthError> {
    let (context, client) = (pending.context(), &pending.client);
    let (store, tenant) = (&call.app.store, &*context.tenant.uid);
    let code = store.code(tenant, &exchange.digest).await;
    let code = code.map_err(|error| unavailable(&error))?;
    let (family, outcome) = match exchange.judge(context, client, code.as_ref()) {
        Judgement::Refuse(error) => return Err(error),
        Judgement::UseUp(error) => (None, Err(error)),
        Judgement::Begin(beginning) => (Some(beginning.family.clone()), Ok(beginning)),
    };
    let redemption = store
        .redeem(tenant, &exchange.digest, family.as_ref(), context.now)
        .await
        .map_err(|error| unavailable(&error))?;
    if redemption == Redemption::Again {
        let subject = AuditSubject::of(client, GrantType::AuthorizationCode);
        call.record(context.tenant, subject, AuditEvent::CodeReuse, None);
    }
    match (outcome?, redemption) {
        (beginning, Redemption::First) => beginning.mint(context),
        (_, Redemption::Again | Redemption::Gone) => Err(OAuthError::invalid_grant().because(USED)),
    }
}
