//! A code for tokens: the store says what the code is, the core what becomes of it, the store that it is so.

use axum::response::Response;
use jiff::Timestamp;

use super::{Call, Pending};
use crate::api::unavailable::unavailable;
use clientele_oauth::endpoints::token::AuditSubject;
use clientele_oauth::endpoints::token::authorization_code::{Exchange, Judgement, USED};
use clientele_oauth::grant::{Code, Family};
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
    let alarms = is_first_reuse(call, tenant, code.as_ref()).await;
    let redemption = store
        .redeem(tenant, &exchange.digest, family.as_ref(), context.now)
        .await
        .map_err(|error| unavailable(&error))?;
    if redemption == Redemption::Again && alarms {
        let subject = AuditSubject::of(client, GrantType::AuthorizationCode);
        call.record(context.tenant, subject, AuditEvent::CodeReuse, None);
    }
    match (outcome?, redemption) {
        (beginning, Redemption::First) => {
            trim(call, &beginning.family, context.now).await;
            beginning.mint(context)
        }
        (_, Redemption::Again | Redemption::Gone) => Err(OAuthError::invalid_grant().because(USED)),
    }
}

/// Whether a second use of the code revokes something. An alarm for each further use would hide others.
async fn is_first_reuse(call: Call<'_>, tenant: &str, code: Option<&Code>) -> bool {
    let Some(code) = code.filter(|code| code.redeemed_at.is_some()) else {
        return true;
    };
    match call.app.store.family(tenant, &code.family).await {
        Ok(family) => family.is_some_and(|family| family.revoked_at.is_none()),
        Err(_) => true,
    }
}

/// One beginning in eight looks whether the person has too many families with the client: mostly there is nothing to end.
async fn trim(call: Call<'_>, begun: &Family, now: Timestamp) {
    let is_turn = begun.id.bytes().last().is_some_and(|last| last % 8 == 0);
    if !is_turn {
        return;
    }
    let trimmed = call
        .app
        .store
        .trim_families(&begun.authorization, now)
        .await;
    if let Err(error) = trimmed {
        tracing::warn!(%error, "could not end the oldest refresh families of a person, will retry at one of the next sign-ins");
    }
}
