//! What the two grants of people have in common: which tokens there are, and how they are minted.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Context, SIGNING_FAILED};
use crate::endpoints::resource_indicators;
use crate::endpoints::resource_indicators::ResourceGrant;
use crate::grant::validity::GrantValidity;
use crate::grant::{Authorization, Family};
use crate::keys::signing_keys::ScheduledKey;
use crate::tokens::access_token;
use crate::tokens::id_token;
use crate::tokens::id_token::Contents;
use crate::tokens::refresh_token;
use crate::tokens::refresh_token::Place;
use crate::{Client, GrantType, OAuthError, Tenant};

const NOTHING_LEFT: &str = "the client may have none of the granted scopes any more";

/// Everything decided: tokens can be minted as soon as the store has recorded that they are.
pub(super) struct Tokens<'a> {
    valid_grant: GrantValidity<'a>,
    resource_grant: ResourceGrant<'a>,
    access_token_key: &'a ScheduledKey,
    id_token_key: Option<&'a ScheduledKey>,
}

impl<'a> Tokens<'a> {
    /// Decides scopes, audiences and keys.
    pub fn decide(
        tenant: &'a Tenant,
        valid_grant: GrantValidity<'a>,
        granted: &'a Authorization,
        scope: &'a str,
        resources: &[String],
        now: Timestamp,
    ) -> Result<Self, OAuthError> {
        let resource_grant = resource_indicators::for_user(
            valid_grant.client,
            granted,
            valid_grant.user,
            scope,
            resources,
        )?;
        if resource_grant.scopes.is_empty() {
            // The client may have nothing any more of what was granted.
            return Err(OAuthError::invalid_grant().because(NOTHING_LEFT));
        }
        let id_token_key = if resource_grant.scopes.contains(&"openid") {
            Some(tenant.signing_key(valid_grant.client.id_token_algorithm, now)?)
        } else {
            None
        };
        Ok(Self {
            valid_grant,
            resource_grant,
            access_token_key: tenant.signing_key(tenant.access_token_algorithm, now)?,
            id_token_key,
        })
    }

    /// The JSON body of a success (RFC 6749 §5.1, OIDC Core §3.1.3.3) for a family as the store has it now.
    pub fn mint(
        &self,
        context: Context<'_>,
        family: &Family,
        nonce: Option<&str>,
    ) -> Result<String, OAuthError> {
        let client = self.valid_grant.client;
        let access_token = access_token::mint_for_user(
            client,
            context.tenant,
            family,
            &self.resource_grant,
            self.access_token_key,
            context.now,
            context.random,
        );
        let access_token = access_token.ok_or(SIGNING_FAILED)?;
        let scope = self.resource_grant.scopes.join(" ");
        let mut body = json!({
            "access_token": access_token.token,
            "token_type": "Bearer",
            "expires_in": access_token.lifetime.as_secs(),
            "scope": scope,
        });
        if let Some(key) = self.id_token_key {
            let contents = Contents {
                tenant: context.tenant,
                valid_grant: self.valid_grant,
                authorization: &family.authorization,
                scope: &scope,
                nonce,
                access_token: &access_token.token,
            };
            let id_token = id_token::mint(contents, key, context.now);
            body["id_token"] = Value::from(id_token.ok_or(SIGNING_FAILED)?);
        }
        if client.allows_grant(GrantType::RefreshToken) {
            body["refresh_token"] = Value::from(refresh_token(context, family)?);
        }
        Ok(body.to_string())
    }
}

fn refresh_token(context: Context<'_>, family: &Family) -> Result<String, OAuthError> {
    let place = Place {
        family: family.id.clone(),
        sequence: family.sequence,
    };
    let tenant = &context.tenant.uid;
    refresh_token::mint(context.keyring, tenant, &place).ok_or(SIGNING_FAILED)
}

/// Until when a family lives, used or not: `(expires_at, idle_expires_at)`. Without refresh tokens it lives for its one
/// access token.
pub(super) fn lifetime(client: &Client, now: Timestamp) -> (Timestamp, Timestamp) {
    let after = |lifetime| now.saturating_add(lifetime).unwrap_or(now);
    let lifetimes = &client.lifetimes;
    if client.allows_grant(GrantType::RefreshToken) {
        (
            after(lifetimes.refresh_token),
            after(lifetimes.refresh_token_idle),
        )
    } else {
        (after(lifetimes.access_token), after(lifetimes.access_token))
    }
}
