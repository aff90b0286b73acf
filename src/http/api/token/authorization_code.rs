//! A code for tokens: the store says what the code is, the core what becomes of it, the store that it is so.

use std::sync::Arc;

use axum::http::request::Parts;

use super::record;
use crate::App;
use crate::api::client_request::unavailable;
use clientele_oauth::endpoints::token::authorization_code::{Exchange, Judgement, USED};
use clientele_oauth::endpoints::token::{Context, Named};
use clientele_oauth::{Client, GrantType, OAuthError};
use clientele_store::Redemption;
use clientele_telemetry::audit::AuditEvent;

/// The JSON body of a success. Tokens are minted only after the store has recorded the use.
pub(super) async fn answer(
    app: &App,
    parts: &Parts,
    context: Context<'_>,
    client: &Arc<Client>,
    exchange: &Exchange,
) -> Result<String, OAuthError> {
    let (store, tenant) = (&app.store, &*context.tenant.registration_id);
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
        let named = Named::of(client, GrantType::AuthorizationCode);
        record(
            app,
            context.tenant,
            parts,
            named,
            AuditEvent::CodeReuse,
            None,
        );
    }
    match (outcome?, redemption) {
        (beginning, Redemption::First) => beginning.mint(context),
        (_, Redemption::Again | Redemption::Gone) => Err(OAuthError::invalid_grant().because(USED)),
    }
}
