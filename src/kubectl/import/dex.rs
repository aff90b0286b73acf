//! Dex: its configuration with static clients and passwords, and the resources of its Kubernetes storage.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::documents::Documents;
use super::draft::Draft;
use super::durations::go;
use super::maester::strings;
use super::model::{Field, Import, Verdict};
use super::names::Names;
use super::password;
use super::settings::Settings;
use super::user_draft::UserDraft;
use crate::objects::{name, text};

/// The connector of people that Dex knows by itself.
const LOCAL: &str = "local";

/// What the configuration says for every client.
#[derive(Default)]
struct Defaults {
    skips_approval: bool,
    id_token: Option<u64>,
    refresh: Option<u64>,
    refresh_idle: Option<u64>,
}

impl Defaults {
    fn of(config: &Value) -> Self {
        let duration = |pointer: &str| go(text(config, pointer));
        Self {
            skips_approval: config.pointer("/oauth2/skipApprovalScreen")
                == Some(&Value::Bool(true)),
            id_token: duration("/expiry/idTokens"),
            refresh: duration("/expiry/refreshTokens/absoluteLifetime"),
            refresh_idle: duration("/expiry/refreshTokens/validIfNotUsedFor"),
        }
    }
}

/// Reads clients and people.
pub fn read(input: &Documents, settings: &Settings, import: &mut Import) {
    let (mut names, mut people) = (Names::default(), Names::default());
    let is_config = |document: &&Value| {
        document.get("staticClients").is_some() || document.get("staticPasswords").is_some()
    };
    let configs: Vec<&Value> = input.documents.iter().filter(is_config).collect();
    let defaults = configs
        .first()
        .map(|config| Defaults::of(config))
        .unwrap_or_default();
    for config in &configs {
        let list = |field: &str| {
            config
                .get(field)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        for object in list("staticClients") {
            let origin = format!("static client {}", text(object, "/id"));
            client(object, origin, &defaults, settings, &mut names, import);
        }
        for object in list("staticPasswords") {
            let hash = password::check(text(object, "/hash"));
            person(object, hash, settings, &mut people, import);
        }
        notes(config, import);
    }
    for object in input.of_kind("dex.coreos.com", "OAuth2Client") {
        // The name of the object is a hash of the ID.
        let origin = format!("OAuth2Client {} ({})", name(object), text(object, "/id"));
        client(object, origin, &defaults, settings, &mut names, import);
    }
    for object in input.of_kind("dex.coreos.com", "Password") {
        let decoded = STANDARD.decode(text(object, "/hash")).ok();
        let decoded = decoded
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default();
        person(
            object,
            password::check(&decoded),
            settings,
            &mut people,
            import,
        );
    }
}

fn client(
    object: &Value,
    origin: String,
    defaults: &Defaults,
    settings: &Settings,
    names: &mut Names,
    import: &mut Import,
) {
    let (id, here) = (text(object, "/id"), settings.namespace.as_str());
    let mut draft = Draft::new(origin, here, names.take(here, id), &settings.tenant);
    if id.is_empty() {
        draft.lost(
            "idEnv",
            "the ID is in an environment variable of Dex",
            "write the ID into the file and import again",
        );
    } else {
        draft.client_id("id", id);
    }
    draft.public("public", object.get("public") == Some(&Value::Bool(true)));
    draft.grant("authorization_code");
    draft.grant("refresh_token");
    draft.display_name("name", text(object, "/name"));
    if draft.is_public() && strings(object, "/redirectURIs").next().is_none() {
        draft.lost(
            "redirectURIs",
            "Dex lets a public client without any return to every port of localhost",
            "list http://localhost/callback and http://127.0.0.1/callback, with the path of the application; any port will do",
        );
    }
    draft.uris(
        "redirectURIs",
        "redirectUris",
        strings(object, "/redirectURIs"),
    );
    draft.pkce("(PKCE, which Dex does not ask for)", false);
    secret(&mut draft, object);
    if defaults.skips_approval {
        draft.first_party("oauth2.skipApprovalScreen");
    }
    // Everybody may ask Dex for these.
    let scopes = ["openid", "profile", "email", "groups", "offline_access"];
    draft.scopes("(scopes)", scopes);
    lifetimes(&mut draft, defaults);
    leftovers(&mut draft, object);
    import.clients.push(draft.finish());
}

fn secret(draft: &mut Draft, object: &Value) {
    if text(object, "/secretEnv").is_empty() {
        draft.secret("secret", Some(text(object, "/secret")), None);
    } else {
        let todo = "write the value into the file and import again";
        draft.lost(
            "secretEnv",
            "the secret is in an environment variable of Dex",
            todo,
        );
    }
}

/// Those of the configuration: a client of Dex has none of its own.
fn lifetimes(draft: &mut Draft, defaults: &Defaults) {
    if let Some(seconds) = defaults.id_token {
        draft.lifetime("expiry.idTokens", "idToken", seconds);
        draft.lifetime("expiry.idTokens", "accessToken", seconds);
    }
    if let Some(seconds) = defaults.refresh {
        draft.lifetime(
            "expiry.refreshTokens.absoluteLifetime",
            "refreshToken",
            seconds,
        );
    }
    if let Some(seconds) = defaults.refresh_idle {
        let most = defaults.refresh.unwrap_or(2_592_000);
        draft.lifetime(
            "expiry.refreshTokens.validIfNotUsedFor",
            "refreshTokenIdle",
            seconds.min(most),
        );
    }
}

/// What a client here does not have.
fn leftovers(draft: &mut Draft, object: &Value) {
    if strings(object, "/trustedPeers").next().is_some() {
        let todo = "let the application ask for tokens of an API with resource=, and list it in spec.audiences";
        draft.lost(
            "trustedPeers",
            "a client gets no ID tokens for another client",
            todo,
        );
    }
    if strings(object, "/allowedConnectors").next().is_some() {
        draft.lost(
            "allowedConnectors",
            "there is one way to sign in",
            "limit who may sign in by spec.allowedGroups",
        );
    }
    if !text(object, "/logoURL").is_empty() {
        draft.lost(
            "logoURL",
            "the tenant has a logo, a client has none",
            "set spec.branding.logo of the tenant",
        );
    }
}

fn person(
    object: &Value,
    hash: password::Hash,
    settings: &Settings,
    names: &mut Names,
    import: &mut Import,
) {
    let (email, here) = (text(object, "/email"), settings.namespace.as_str());
    let origin = format!("password of {email}");
    let mut draft = UserDraft::new(origin, here, names.take(here, email), &settings.tenant);
    // People of Dex type their address.
    draft.username("email", email);
    let verified = object.get("emailVerified") != Some(&Value::Bool(false));
    draft.email("email", email, verified);
    draft.full_name("username", text(object, "/username"));
    match text(object, "/userID") {
        "" => draft.lost(
            "userID",
            "it is empty, so the sub is not known",
            "applications must be told the new sub",
        ),
        id => draft.subject("userID", &subject(id, LOCAL)),
    }
    draft.groups("groups", strings(object, "/groups"));
    if text(object, "/hashFromEnv").is_empty() {
        draft.hash("hash", hash);
    } else {
        let why = "the hash is in an environment variable of Dex";
        draft.lost("hashFromEnv", why, "kubectl clientele user passwd NAME");
    }
    import.users.push(draft.finish());
}

/// The `sub` of Dex: a protobuf message of the user ID (1) and the connector ID (2), in base64url.
pub fn subject(user_id: &str, connector: &str) -> String {
    let mut bytes = Vec::new();
    for (tag, text) in [(0x0a, user_id), (0x12, connector)] {
        bytes.push(tag);
        let mut length = text.len();
        loop {
            let low = u8::try_from(length & 0x7f).unwrap_or_default();
            length >>= 7;
            bytes.push(if length == 0 { low } else { low | 0x80 });
            if length == 0 {
                break;
            }
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

fn notes(config: &Value, import: &mut Import) {
    for connector in config
        .get("connectors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        import.notes.push(Field {
            field: format!("connectors: {}", text(connector, "/id")),
            verdict: Verdict::Lost,
            to: None,
            why: format!(
                "people do not sign in through {} yet",
                text(connector, "/type")
            ),
            todo: "create OAuthUsers for them, or keep Dex for them".to_owned(),
        });
    }
    let issuer = text(config, "/issuer");
    if !issuer.is_empty() {
        import.notes.push(Field {
            field: "issuer".to_owned(),
            verdict: Verdict::Changed,
            to: Some("--public-url".to_owned()),
            why: format!("{issuer} can stay: --public-url may have a path"),
            todo: "move the host name to Clientele when everything is imported".to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_is_the_one_of_dex() {
        // From the documentation of Dex: user 08a8684b-db88-4b73-90a9-3cd1661f5466 of the connector local.
        let expected = "CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs";
        assert_eq!(
            subject("08a8684b-db88-4b73-90a9-3cd1661f5466", "local"),
            expected
        );
        assert_eq!(
            URL_SAFE_NO_PAD
                .decode(subject(&"x".repeat(200), ""))
                .unwrap()[1..3],
            [0xc8, 0x01]
        );
    }
}
