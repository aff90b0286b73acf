//! Attributes, lifetimes, and what a client of Keycloak has beside that.

use serde_json::Value;

use super::fields::{Realm, addresses, attribute};
use crate::import::draft::Draft;
use crate::objects::text;

/// Fields that say how the console shows a client, or that only say again what others say.
const SILENT: [&str; 13] = [
    "id",
    "clientId",
    "description",
    "adminUrl",
    "baseUrl",
    "rootUrl",
    "alwaysDisplayInConsole",
    "surrogateAuthRequired",
    "notBefore",
    "nodeReRegistrationTimeout",
    "access",
    "origin",
    "type",
];

/// Fields that a step judges, here or in the module above.
const JUDGED: [&str; 24] = [
    "publicClient",
    "bearerOnly",
    "protocol",
    "standardFlowEnabled",
    "implicitFlowEnabled",
    "directAccessGrantsEnabled",
    "serviceAccountsEnabled",
    "name",
    "redirectUris",
    "webOrigins",
    "clientAuthenticatorType",
    "secret",
    "enabled",
    "consentRequired",
    "defaultClientScopes",
    "optionalClientScopes",
    "attributes",
    "protocolMappers",
    "authorizationSettings",
    "authenticationFlowBindingOverrides",
    "defaultRoles",
    "fullScopeAllowed",
    "frontchannelLogout",
    "authorizationServicesEnabled",
];

/// Attributes that another step judges, or that say how Keycloak shows and makes things.
const OF_REALM: [&str; 24] = [
    "access.token.header.type.rfc9068",
    "access.token.lifespan",
    "backchannel.logout.revoke.offline.tokens",
    "backchannel.logout.session.required",
    "client.secret.creation.time",
    "client.secret.expiration.time",
    "client.secret.rotated",
    "client.secret.rotated.creation.time",
    "client.secret.rotated.expiration.time",
    "client.session.idle.timeout",
    "client.session.max.lifespan",
    "client_credentials.use_refresh_token",
    "consent.screen.text",
    "display.on.consent.screen",
    "exclude.session.state.from.auth.response",
    "frontchannel.logout.session.required",
    "login_theme",
    "oauth2.device.authorization.grant.enabled",
    "oidc.ciba.grant.enabled",
    "origin",
    "pkce.code.challenge.method",
    "realm_client",
    "standard.token.exchange.enabled",
    "use.refresh.tokens",
];

/// Attributes: each is a text.
pub fn attributes(draft: &mut Draft, object: &Value) {
    let map = object.get("attributes").and_then(Value::as_object);
    draft.pkce(
        "attributes.pkce.code.challenge.method",
        !attribute(object, "pkce.code.challenge.method").is_empty(),
    );
    for (name, value) in map.into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let field = format!("attributes.{name}");
        match name.as_str() {
            "post.logout.redirect.uris" => after_logout(draft, object, &field, value),
            "id.token.signed.response.alg" if ["RS256", "ES256", "EdDSA"].contains(&value) => {
                draft.set("idTokenSignedResponseAlg", value);
                draft.exact(&field, "spec.idTokenSignedResponseAlg");
            }
            "id.token.signed.response.alg" if !value.is_empty() => {
                draft.lost(&field, &format!("{value} is not spoken here"), "RS256 is used");
            }
            "access.token.signed.response.alg" if !value.is_empty() => draft.lost(
                &field,
                "the tenant signs access tokens",
                "set spec.signing.algorithm of the tenant",
            ),
            "backchannel.logout.url" | "frontchannel.logout.url" if !value.is_empty() => draft.lost(
                &field,
                "applications are not told when a person signs out",
                "keep sessions of the application short, and renew them by refresh tokens, which end at once",
            ),
            "user.info.response.signature.alg" | "id.token.encrypted.response.alg"
            | "request.object.required" | "require.pushed.authorization.requests"
            | "tls.client.certificate.bound.access.tokens" | "dpop.bound.access.tokens"
                if !is_unset(value) =>
            {
                draft.lost(&field, "Clientele does not have it", "see docs/how-to/import.md");
            }
            name if OF_REALM.contains(&name) || is_unset(value) => {}
            _ => draft.lost(
                &field,
                "is not known to this importer",
                "see whether OAuthClient has such a field",
            ),
        }
    }
}

/// The default of an attribute.
fn is_unset(value: &str) -> bool {
    matches!(value, "" | "false" | "{}" | "[]" | "0" | "not required")
}

/// `##` stands between URIs; `+` is the redirect URIs.
fn after_logout(draft: &mut Draft, object: &Value, field: &str, value: &str) {
    let mut uris: Vec<String> = Vec::new();
    for uri in value.split("##").filter(|uri| !matches!(*uri, "" | "-")) {
        if uri == "+" {
            uris.extend(addresses(object, "redirectUris"));
            let why = "+ is written out: the redirect URIs";
            draft.changed(field, "spec.postLogoutRedirectUris", why, "");
        } else {
            uris.push(uri.to_owned());
        }
    }
    draft.uris(
        field,
        "postLogoutRedirectUris",
        uris.iter().map(String::as_str),
    );
}

/// Lifetimes, those of the realm where the client has none.
pub fn lifetimes(draft: &mut Draft, object: &Value, realm: &Realm) {
    let own = |name: &str| {
        attribute(object, name)
            .parse::<u64>()
            .ok()
            .filter(|s| *s > 0)
    };
    let access = own("access.token.lifespan");
    let field = if access.is_some() {
        "attributes.access.token.lifespan"
    } else {
        "realm: accessTokenLifespan"
    };
    if let Some(seconds) = access.or(realm.access_token) {
        draft.lifetime(field, "accessToken", seconds);
        if draft.has_grant("authorization_code") {
            draft.lifetime(field, "idToken", seconds);
        }
    }
    if draft.has_grant("refresh_token") {
        let idle = own("client.session.idle.timeout").or(realm.session_idle);
        let most = own("client.session.max.lifespan").or(realm.session_max);
        if let (Some(idle), Some(most)) = (idle, most) {
            draft.lifetime("realm: ssoSessionMaxLifespan", "refreshToken", most);
            draft.lifetime(
                "realm: ssoSessionIdleTimeout",
                "refreshTokenIdle",
                idle.min(most),
            );
        }
    }
}

/// What a client has beside that.
pub fn rest(draft: &mut Draft, object: &Value) {
    mappers(draft, object);
    absent(draft, object);
    let fields = object.as_object().into_iter().flatten();
    for (field, _) in fields {
        if !SILENT.contains(&field.as_str()) && !JUDGED.contains(&field.as_str()) {
            draft.lost(
                field,
                "is not known to this importer",
                "see whether OAuthClient has such a field",
            );
        }
    }
}

fn mappers(draft: &mut Draft, object: &Value) {
    for mapper in object
        .get("protocolMappers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let kind = text(mapper, "/protocolMapper");
        let field = format!("protocolMappers: {}", text(mapper, "/name"));
        let todo = if kind == "oidc-audience-mapper" {
            "list the API in spec.audiences of the client and of the tenant"
        } else {
            "write the claim into spec.claims of the OAuthUsers, and a scope that promises it into the tenant"
        };
        if kind == "oidc-usersessionmodel-note-mapper" {
            draft.meaningless(&field, "repeats what Keycloak knows of the request");
        } else {
            draft.lost(&field, &format!("{kind}: clients have no mappers"), todo);
        }
    }
}

/// What a client here does not have.
fn absent(draft: &mut Draft, object: &Value) {
    for (field, why, todo) in [
        (
            "authorizationSettings",
            "permissions are the application's",
            "decide in the application, by groups or scopes",
        ),
        (
            "authenticationFlowBindingOverrides",
            "there is one way to sign in",
            "see docs/how-to/import.md",
        ),
        ("defaultRoles", "clients have no roles", "use groups"),
    ] {
        let value = object.get(field);
        let filled = value.is_some_and(|value| match value {
            Value::Object(map) => !map.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => false,
        });
        if filled {
            draft.lost(field, why, todo);
        }
    }
}
