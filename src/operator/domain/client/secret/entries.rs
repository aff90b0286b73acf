//! What a credentials Secret holds, beside the marks of ours: format, then `entries`, then `template`; the later wins.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use clientele_api::secret_marks::{check_annotations, check_labels, check_name, check_type};
use clientele_api::secret_template::{MAX_TEMPLATE, MAX_TEMPLATES, mistake};
use clientele_api::{EntryNames, OAuthClient, SecretFormat, SecretSpec, entry_name};
use clientele_oauth::client::secret::SECRET_LEN;
use clientele_oauth::{Client, Keyring};
use k8s_openapi::ByteString;
use kube::ResourceExt;

use super::formats::preset;
use super::template::{Field, Template, Value};
use crate::domain::client::identity::ClientObject;
use crate::domain::reason::{Reason, Refusal};

/// The most that all entries may hold. Kubernetes takes a megabyte, with room for what others add.
const MOST: usize = 256 * 1024;
/// The purpose of the MAC that is a `cookieSecret`.
const COOKIE_PURPOSE: &str = "clientele cookie secret v1";

/// The shape that a manifest asks for.
pub struct Shape {
    /// The type of the Secret.
    pub type_: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The template of each entry.
    entries: BTreeMap<String, String>,
    /// Entries for a client with the scope `profile`, unless the manifest has its own.
    profile_entries: &'static [(&'static str, &'static str)],
}

impl Shape {
    /// Reads `spec.secret`.
    pub fn new(spec: &SecretSpec) -> Self {
        let preset = preset(spec.format);
        let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pairs = pairs.iter();
            pairs.map(|(k, v)| ((*k).into(), (*v).into())).collect()
        };
        let mut entries = owned(preset.entries);
        for (field, name) in chosen(spec.entries.as_ref()) {
            let template = format!("{{{{ {} }}}}", field.name());
            entries.retain(|_, of_preset| *of_preset != template);
            entries.insert(name.to_owned(), template);
        }
        entries.extend(spec.template.clone());
        let mut labels = owned(preset.labels);
        labels.extend(spec.labels.clone());
        let type_ = spec.type_.clone();
        Self {
            type_: type_.unwrap_or_else(|| preset.type_.to_owned()),
            labels,
            entries,
            profile_entries: preset.profile_entries,
        }
    }

    /// The entries with the values in them; `None` if they are malformed or too large, which [`check`] refuses. What
    /// a client has no secret for is omitted.
    pub fn entries(&self, known: &Known<'_>) -> Option<BTreeMap<String, ByteString>> {
        let mut left = MOST;
        let mut data = BTreeMap::new();
        let mut scopes = known.client.scopes.iter();
        if scopes.any(|scope| &**scope == "profile") {
            for (name, text) in self.profile_entries {
                data.insert((*name).to_owned(), ByteString(text.as_bytes().to_vec()));
            }
        }
        for (name, template) in &self.entries {
            let template = Template::parse(template)?;
            if known.secret.is_none() && template.mentions(Field::ClientSecret) {
                continue;
            }
            let text = template.render(left, |field| known.value(field))?;
            left -= text.len();
            data.insert(name.clone(), ByteString(text.into_bytes()));
        }
        Some(data)
    }
}

/// The entries that a manifest names.
fn chosen(names: Option<&EntryNames>) -> impl Iterator<Item = (Field, &str)> {
    let fields = names.map(|names| {
        [
            (Field::AuthorizationEndpoint, &names.authorization_endpoint),
            (Field::ClientId, &names.client_id),
            (Field::Issuer, &names.issuer),
            (Field::TokenEndpoint, &names.token_endpoint),
            (Field::JwksUri, &names.jwks_uri),
            (Field::ClientSecret, &names.client_secret),
        ]
    });
    fields
        .into_iter()
        .flatten()
        .filter_map(|(field, name)| Some((field, name.as_deref()?)))
}

/// What placeholders can stand for. Has no `Debug`, because it holds secrets.
pub struct Known<'a> {
    /// The manifest.
    pub object: &'a OAuthClient,
    /// What is registered.
    pub client: &'a Client,
    /// The issuer identifier.
    pub issuer: &'a str,
    /// The client secret, if the Secret shall hold one.
    pub secret: Option<&'a str>,
    /// For the application's own cookies.
    pub cookie_secret: &'a str,
}

impl<'a> Known<'a> {
    fn value(&self, field: Field) -> Value<'a> {
        let text = |text: &'a str| Value::Text(Cow::Borrowed(text));
        let owned = |text: String| Value::Text(Cow::Owned(text));
        let at = |path: &str| owned(format!("{}{path}", self.issuer));
        match field {
            Field::ClientId => text(&self.client.id),
            Field::ClientSecret => text(self.secret.unwrap_or_default()),
            Field::CookieSecret => text(self.cookie_secret),
            Field::Issuer => text(self.issuer),
            Field::DiscoveryUrl => at("/.well-known/openid-configuration"),
            Field::AuthorizationEndpoint => at("/authorize"),
            Field::TokenEndpoint => at("/token"),
            Field::UserinfoEndpoint => at("/userinfo"),
            Field::EndSessionEndpoint => at("/logout"),
            Field::RevocationEndpoint => at("/revoke"),
            Field::IntrospectionEndpoint => at("/introspect"),
            Field::JwksUri => at("/jwks"),
            Field::Scopes => Value::List(self.client.scopes.iter().map(|s| &**s).collect()),
            Field::Audiences => {
                Value::List(self.client.audiences.iter().map(|a| &*a.uri).collect())
            }
            Field::DisplayName => text(&self.client.display_name),
            Field::Name => owned(self.object.name_any()),
            Field::Namespace => text(&self.client.namespace),
            Field::Tenant => text(&self.object.spec.tenant),
        }
    }
}

/// A key for the application's own cookies, 32 bytes in base64url: the same in every generation of the client secret,
/// because with another one everybody would be signed out.
pub fn cookie_secret(client: &Client, keyring: &Keyring) -> String {
    let parts = [client.id.as_bytes(), client.uid.as_bytes()];
    let mac = keyring.mac(None, COOKIE_PURPOSE, &parts);
    URL_SAFE.encode(mac.unwrap_or_default())
}

/// Whether the Secret can be written as asked: what the API server judges is judged again, and what only values show.
pub fn check(object: &ClientObject<'_>, client: &Client, issuer: &str) -> Result<(), Refusal> {
    let none = SecretSpec::default();
    let spec = object.spec.secret.as_deref().unwrap_or(&none);
    check_marks(object, spec)?;
    let refuse = |message: String| Err(Refusal::new(Reason::InvalidSpec, message));
    for (_, name) in chosen(spec.entries.as_ref()) {
        if let Err(problem) = entry_name::check(name) {
            return refuse(format!("the entry {name:?} of secret.entries {problem}"));
        }
    }
    if spec.template.len() > MAX_TEMPLATES {
        return refuse(format!(
            "secret.template must not have more than {MAX_TEMPLATES} entries"
        ));
    }
    let has_secret = client.holds_secret();
    for (name, text) in &spec.template {
        if let Err(problem) = entry_name::check(name) {
            return refuse(format!("the entry {name:?} of secret.template {problem}"));
        }
        let template = Template::parse(text).filter(|_| text.chars().count() <= MAX_TEMPLATE);
        let Some(template) = template else {
            return refuse(format!("the template of entry {name:?} {}", mistake()));
        };
        if !has_secret && template.mentions(Field::ClientSecret) {
            return refuse(format!(
                "this client has no secret that the operator could write; remove the placeholder clientSecret from the template of entry {name:?}"
            ));
        }
    }
    let longest = "x".repeat(SECRET_LEN);
    let known = Known {
        object,
        client,
        issuer,
        secret: has_secret.then_some(&longest),
        cookie_secret: &longest,
    };
    match Shape::new(spec).entries(&known) {
        Some(_) => Ok(()),
        None => refuse(format!(
            "the entries of the Secret would hold more than {MOST} bytes; shorten secret.template"
        )),
    }
}

/// What the Secret is called, and what it is marked with.
fn check_marks(object: &ClientObject<'_>, spec: &SecretSpec) -> Result<(), Refusal> {
    let name = &object.secret_name;
    let type_ = spec.type_.as_deref().map_or(Ok(()), check_type);
    let problems = [
        check_name(name).map_err(|problem| {
            format!("the name {name:?} of the Secret {problem}, in secret.name")
        }),
        type_.map_err(|problem| format!("secret.type {problem}")),
        check_labels(&spec.labels).map_err(|problem| format!("secret.labels {problem}")),
        check_annotations(&spec.annotations)
            .map_err(|problem| format!("secret.annotations {problem}")),
    ];
    match problems.into_iter().find_map(Result::err) {
        Some(problem) => Err(Refusal::new(Reason::InvalidSpec, problem)),
        None => Ok(()),
    }
}

/// Whether workloads may bind to the client as a Provisioned Service.
pub fn is_bindable(object: &OAuthClient) -> bool {
    let format = object.spec.secret.as_ref().and_then(|secret| secret.format);
    format == Some(SecretFormat::ServiceBinding)
}

#[cfg(test)]
mod tests;
