//! RFC 6749 §4.4: a client on its own behalf. Memory is all that this grant needs.

use std::fmt::Write;

use super::{Context, SIGNING_FAILED, TokenRequest};
use crate::endpoints::resource_indicators;
use crate::tokens::access_token;
use crate::tokens::access_token::AccessToken;
use crate::{Client, OAuthError};

/// The JSON body of a success.
pub(super) fn issue(
    context: Context<'_>,
    client: &Client,
    request: &TokenRequest<'_>,
) -> Result<String, OAuthError> {
    let Context {
        tenant,
        now,
        random,
        ..
    } = context;
    let key = tenant.signing_key(tenant.access_token_algorithm, now)?;
    let scope = request.scope();
    if scope.is_empty() && request.resources.is_empty() {
        let token = access_token::mint_default(client, tenant, key, now, random);
        return Ok(render(&token.ok_or(SIGNING_FAILED)?, &client.default_scope));
    }
    let resource_grant =
        resource_indicators::for_client_credentials(client, scope, &request.resources)?;
    let token = access_token::mint_for(client, tenant, &resource_grant, key, now, random);
    let scope = resource_grant.scopes.join(" ");
    Ok(render(&token.ok_or(SIGNING_FAILED)?, &scope))
}

/// Scope tokens contain neither quotes nor backslashes, so the JSON needs no escaping.
fn render(token: &AccessToken, scope: &str) -> String {
    let mut body = String::with_capacity(token.token.len() + scope.len() + 90);
    body.push_str(r#"{"access_token":""#);
    body.push_str(&token.token);
    let seconds = token.lifetime.as_secs();
    let _ = write!(body, r#"","token_type":"Bearer","expires_in":{seconds}"#);
    if !scope.is_empty() {
        let _ = write!(body, r#","scope":"{scope}""#);
    }
    body.push('}');
    body
}
