//! Where the client secret is, and the one function that reads it. No view model holds its value: a page that is answered
//! to GET cannot contain it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_kubectl::shared::{reason, text};
use clientele_oauth::client::secret::{PREFIX, SECRET_LEN};
use serde_json::Value;

use super::spec;

/// Where a client secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The operator derives it and writes it into a Secret.
    Derived {
        /// The name of the Secret.
        secret: String,
        /// The entry, if the spec names one; a template may hold it within a longer text.
        entry: Option<String>,
    },
    /// The client has no secret that the dashboard could show: why.
    None(String),
}

/// Where the secret of a client is.
pub fn source(client: &Value) -> Source {
    let method = text(client, "/spec/tokenEndpointAuthMethod");
    let external = text(client, "/spec/secretRef/name");
    let secret = text(client, "/status/secretName");
    let none = |why: &str| Source::None(why.to_owned());
    if spec::is_public(client) {
        return none(
            "A Public client has no secret: a browser, a phone or a command line tool cannot keep one. It protects each sign-in with PKCE.",
        );
    }
    if !external.is_empty() {
        let key = match text(client, "/spec/secretRef/key") {
            "" => "client-secret",
            key => key,
        };
        return Source::None(format!(
            "The client secret is provided from outside: it is the entry {key} of Secret {external} (spec.secretRef). Clientele does not copy it."
        ));
    }
    match method {
        "private_key_jwt" => none(
            "With private_key_jwt the client signs assertions with its own key, so there is no client secret.",
        ),
        "service_account" => none(
            "The client proves itself with the token of its ServiceAccount, so there is no client secret.",
        ),
        _ if secret.is_empty() => Source::None(format!(
            "The operator has not written the Secret yet ({}).",
            reason(client)
        )),
        _ => Source::Derived {
            secret: secret.to_owned(),
            entry: entries(client).secret,
        },
    }
}

/// The entries of the credentials Secret that hold exactly the client ID or exactly the client secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// The entry with the client ID.
    pub id: Option<String>,
    /// The entry with the client secret.
    pub secret: Option<String>,
}

/// By format the entries with the client ID and the client secret, as `operator/domain/client/secret/formats.rs` writes
/// them; a test compares the two.
pub const FORMATS: [(&str, &str, &str); 7] = [
    ("", "CLIENT_ID", "CLIENT_SECRET"),
    ("ArgoCD", "oidc.clientID", "oidc.clientSecret"),
    ("EnvoyGateway", "client-id", "client-secret"),
    (
        "Grafana",
        "GF_AUTH_GENERIC_OAUTH_CLIENT_ID",
        "GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET",
    ),
    ("OAuth2Proxy", "client-id", "client-secret"),
    ("ServiceBinding", "client-id", "client-secret"),
    (
        "SpringBoot",
        "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OIDC_CLIENTID",
        "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OIDC_CLIENTSECRET",
    ),
];

/// Reads `spec.secret`.
pub fn entries(client: &Value) -> Entries {
    let format = text(client, "/spec/secret/format");
    let preset = FORMATS.iter().find(|(name, ..)| *name == format);
    let named = |field: &str, placeholder: &str, preset: Option<&str>| {
        let chosen = text(client, &format!("/spec/secret/entries/{field}"));
        let template = client.pointer("/spec/secret/template");
        let template = template.and_then(Value::as_object);
        let whole = |value: &Value| {
            let value = value.as_str().unwrap_or_default();
            let inner = value.strip_prefix("{{").and_then(|v| v.strip_suffix("}}"));
            inner.is_some_and(|inner| inner.trim() == placeholder)
        };
        let mut templates = template.into_iter().flatten();
        let of_template = templates.find(|(_, value)| whole(value));
        let default = preset.filter(|name| template.is_none_or(|t| !t.contains_key(*name)));
        let chosen = Some(chosen).filter(|chosen| !chosen.is_empty());
        let known = chosen.or(default).map(str::to_owned);
        known.or_else(|| of_template.map(|(name, _)| name.clone()))
    };
    Entries {
        id: named("clientId", "clientId", preset.map(|(_, id, _)| *id)),
        secret: named(
            "clientSecret",
            "clientSecret",
            preset.map(|(.., secret)| *secret),
        ),
    }
}

/// The client secret in the data of a Secret: the entry that the spec names, else any entry that is one, else the
/// first that contains one.
pub fn find(secret: &Value, entry: Option<&str>) -> Option<String> {
    let data = secret.pointer("/data")?.as_object()?;
    let decoded = |value: &Value| {
        let bytes = STANDARD.decode(value.as_str()?).ok()?;
        String::from_utf8(bytes).ok()
    };
    let is_secret = |value: &str| value.len() == SECRET_LEN && value.starts_with(PREFIX);
    // Not a comment that only names the prefix.
    let is_one = |text: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        text.bytes().all(fits)
    };
    let named = entry.and_then(|entry| decoded(data.get(entry)?));
    if let Some(named) = named.filter(|named| is_secret(named)) {
        return Some(named);
    }
    let values: Vec<String> = data.values().filter_map(decoded).collect();
    let whole = values.iter().find(|value| is_secret(value));
    whole.cloned().or_else(|| {
        let within = values.iter().find_map(|value| {
            let mut places = value.match_indices(PREFIX);
            places.find_map(|(at, _)| value.get(at..at + SECRET_LEN).filter(|text| is_one(text)))
        });
        within.map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn client(spec: &Value) -> Value {
        json!({ "spec": spec, "status": { "secretName": "web-oauth" } })
    }

    #[test]
    fn a_client_without_a_secret_says_why() {
        for (spec, expected) in [
            (json!({ "type": "Public" }), "PKCE"),
            (
                json!({ "secretRef": { "name": "mine" } }),
                "client-secret of Secret mine",
            ),
            (
                json!({ "tokenEndpointAuthMethod": "private_key_jwt" }),
                "own key",
            ),
            (
                json!({ "tokenEndpointAuthMethod": "service_account" }),
                "ServiceAccount",
            ),
        ] {
            match source(&client(&spec)) {
                Source::None(why) => assert!(why.contains(expected), "{why}"),
                Source::Derived { .. } => panic!("{expected}"),
            }
        }
        let pending = source(&json!({ "spec": {} }));
        assert!(matches!(pending, Source::None(why) if why.contains("Pending")));
    }

    #[test]
    fn the_entry_follows_format_names_and_template() {
        for (spec, id, secret) in [
            (json!({}), Some("CLIENT_ID"), Some("CLIENT_SECRET")),
            (
                json!({ "format": "Grafana", "entries": { "clientId": "A" } }),
                Some("A"),
                Some("GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET"),
            ),
            (json!({ "format": "Bare" }), None, None),
            (
                json!({ "format": "Bare", "template": { "s": "{{clientSecret}}", "i": "{{ clientId }}" } }),
                Some("i"),
                Some("s"),
            ),
            (
                json!({ "template": { "CLIENT_SECRET": "x: {{ clientSecret }}" } }),
                Some("CLIENT_ID"),
                None,
            ),
        ] {
            let found = entries(&client(&json!({ "secret": spec })));
            assert_eq!(found.id.as_deref(), id, "{spec}");
            assert_eq!(found.secret.as_deref(), secret, "{spec}");
        }
    }

    #[test]
    fn the_secret_is_found_by_name_by_form_and_within_a_file() {
        let secret = format!("{PREFIX}{}", "a".repeat(SECRET_LEN - PREFIX.len()));
        let data = |entries: &[(&str, &str)]| {
            let data = entries
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!(STANDARD.encode(value))));
            json!({ "data": data.collect::<serde_json::Map<_, _>>() })
        };
        let file = format!("# begins with clt_ as all do\n[auth]\nsecret = \"{secret}\"\n");
        for entries in [
            vec![
                ("CLIENT_ID", "apps.web"),
                ("CLIENT_SECRET", secret.as_str()),
            ],
            vec![("other", secret.as_str())],
            vec![("app.ini", file.as_str())],
        ] {
            assert_eq!(
                find(&data(&entries), Some("CLIENT_SECRET")).as_deref(),
                Some(secret.as_str())
            );
        }
        assert_eq!(
            find(
                &data(&[("CLIENT_SECRET", "clt_short")]),
                Some("CLIENT_SECRET")
            ),
            None
        );
        assert_eq!(find(&json!({}), None), None);
    }
}
