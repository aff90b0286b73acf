//! A code for tokens: the store says what the code is, the core what becomes of it, the store that it is so.

use crate::http::client_request::unavailable;
use crate::oauth::token::Context;
use crate::oauth::token::authorization_code::{Exchange, Judgement};
use crate::oauth::{Client, OAuthError};
use crate::store::{Redemption, Store};

/// The JSON body of a success. Tokens are minted only after the store has recorded the use.
pub(super) async fn answer(
    store: &Store,
    context: Context<'_>,
    client: &Client,
    exchange: &Exchange,
) -> Result<String, OAuthError> {
    let tenant = &*context.tenant.registration_id;
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
        record(context, client);
    }
    match (outcome?, redemption) {
        (beginning, Redemption::First) => beginning.mint(context),
        (_, Redemption::Again | Redemption::Gone) => Err(OAuthError::invalid_grant()),
    }
}

/// Somebody may have stolen the code (RFC 9700 §4.5).
fn record(context: Context<'_>, client: &Client) {
    let (tenant, client_id) = (&*context.tenant.name, &*client.id);
    tracing::warn!(
        tenant,
        client_id,
        "an authorization code was used again: what its first use produced is revoked"
    );
}
