//! Access tokens: JWTs of RFC 9068.

use std::fmt::Write;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::endpoints::resource_indicators;
use crate::endpoints::resource_indicators::{ResourceGrant, default_scopes};
use crate::grant::Family;
use crate::keys::signing_keys::ScheduledKey;
use crate::tokens::mapped_claims;
use crate::{AccessTokenType, Client, Tenant};

/// Fresh random bytes for one `jti`: 128 bits, so that no two tokens share it.
pub type JtiRandom = [u8; 16];

/// A signed access token.
pub struct AccessToken {
    /// The compact JWS.
    pub token: String,
    /// How long it lives, in whole seconds.
    pub lifetime: Duration,
}

/// Signs an access token for the client's default audience and scopes.
pub fn mint_default(
    client: &Client,
    tenant: &Tenant,
    key: &ScheduledKey,
    now: Timestamp,
    random: JtiRandom,
) -> Option<AccessToken> {
    let typ = client.audiences.first().map(|a| a.access_token_type);
    let typ = typ.unwrap_or(tenant.access_token_type);
    mint(client, (typ, &client.default_claims), key, now, random)
}

/// Signs an access token for a target that was asked for.
pub fn mint_for(
    client: &Client,
    tenant: &Tenant,
    resource_grant: &ResourceGrant<'_>,
    key: &ScheduledKey,
    now: Timestamp,
    random: JtiRandom,
) -> Option<AccessToken> {
    let typ = resource_grant.access_token_type(tenant);
    let constant = constant_claims(client, &tenant.issuer, resource_grant);
    mint(client, (typ, &constant), key, now, random)
}

/// Signs an access token for a person's grant. It ends with its family, and `jti` names that.
pub fn mint_for_user(
    client: &Client,
    tenant: &Tenant,
    family: &Family,
    resource_grant: &ResourceGrant<'_>,
    key: &ScheduledKey,
    now: Timestamp,
    random: JtiRandom,
) -> Option<AccessToken> {
    let authorization = &family.authorization;
    let end = family.expires_at.min(family.idle_expires_at);
    let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
    let longest = client.lifetimes.access_token.min(key.longest_lifetime);
    let lifetime = Duration::from_secs(longest.min(left).as_secs());
    // The issuer answers for itself at the userinfo endpoint.
    let issuer = &*tenant.issuer;
    let own = resource_grant.scopes.contains(&"openid") || resource_grant.audiences.is_empty();
    let own = own.then_some(issuer);
    let audiences = resource_grant.uris().chain(own).collect::<Vec<_>>();
    let issued_at = now.as_second();
    let protocol = json!({
        "iss": issuer,
        "sub": authorization.subject,
        "client_id": authorization.client_id,
        "aud": audience(&audiences, issuer),
        "scope": resource_grant.scopes.join(" "),
        "auth_time": authorization.auth_time.as_second(),
        "iat": issued_at,
        "exp": issued_at.checked_add(i64::try_from(lifetime.as_secs()).ok()?)?,
        "jti": format!("{}.{}", family.id, URL_SAFE_NO_PAD.encode(random)),
    });
    // Mapped claims come first, so that none of them can replace a claim of the protocol.
    let mut claims = resource_grant.claims.clone();
    claims.extend(protocol.as_object().cloned()?);
    Some(AccessToken {
        token: key.key.sign_access_token(
            resource_grant.access_token_type(tenant),
            Value::from(claims).to_string().as_bytes(),
        )?,
        lifetime,
    })
}

fn mint(
    client: &Client,
    (typ, constant): (AccessTokenType, &str),
    key: &ScheduledKey,
    now: Timestamp,
    random: JtiRandom,
) -> Option<AccessToken> {
    let lifetime = client.lifetimes.access_token.min(key.longest_lifetime);
    let issued_at = now.as_second();
    let expires_at = issued_at.checked_add(i64::try_from(lifetime.as_secs()).ok()?)?;
    let mut jti = [0; 22];
    URL_SAFE_NO_PAD.encode_slice(random, &mut jti).ok()?;
    let jti = std::str::from_utf8(&jti).ok()?;
    let mut claims = String::with_capacity(constant.len() + 140);
    // `jti` names the registration, so that a token can be traced to it and dies with it.
    write!(
        claims,
        r#"{constant},"iat":{issued_at},"exp":{expires_at},"jti":"{}.{jti}"}}"#,
        client.uid
    )
    .ok()?;
    Some(AccessToken {
        token: key.key.sign_access_token(typ, claims.as_bytes())?,
        lifetime,
    })
}

/// The claims that do not change from token to token, as an open JSON object (RFC 9068 §2.2).
fn constant_claims(client: &Client, issuer: &str, resource_grant: &ResourceGrant<'_>) -> String {
    let mut claims = resource_grant.claims.clone();
    let text = |value: &str| serde_json::Value::from(value);
    claims.insert("iss".into(), text(issuer));
    // Without a person the subject is the client (RFC 9068 §2.2).
    claims.insert("sub".into(), text(&client.id));
    claims.insert("client_id".into(), text(&client.id));
    let audiences: Vec<&str> = resource_grant.uris().collect();
    claims.insert("aud".into(), audience(&audiences, issuer));
    if !resource_grant.scopes.is_empty() {
        claims.insert("scope".into(), text(&resource_grant.scopes.join(" ")));
    }
    let mut json = serde_json::Value::Object(claims).to_string();
    json.pop();
    json
}

/// `aud` (RFC 7519 §4.1.3): one is a text, several are a list, and none means the issuer.
fn audience(audiences: &[&str], issuer: &str) -> Value {
    match audiences {
        [] => issuer.into(),
        [one] => (*one).into(),
        many => many.iter().copied().map(Value::from).collect(),
    }
}

impl Client {
    /// Renders the claims of a default request once.
    #[must_use]
    pub fn with_default_claims(mut self, issuer: &str) -> Self {
        let audiences: Vec<&resource_indicators::Audience> =
            self.audiences.first().into_iter().collect();
        let resource_grant = ResourceGrant {
            scopes: default_scopes(&self, &audiences),
            // Without a person these are constants, whose number and length are bounded: they always fit.
            claims: mapped_claims::of(&audiences, None).unwrap_or_default(),
            audiences,
        };
        let claims = constant_claims(&self, issuer, &resource_grant);
        let scope = resource_grant.scopes.join(" ");
        self.default_claims = claims.into_boxed_str();
        self.default_scope = scope.into_boxed_str();
        self
    }
}
