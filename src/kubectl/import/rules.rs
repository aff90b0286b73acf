//! What an OAuthClient can have: the rules of its definition, for values that come from elsewhere. What breaks one is lost
//! with the reason; it is never bent until it fits.

use clientele_api::client::IDS_OF_CLUSTERS;
use clientele_api::secret_marks::is_dns_label;
use clientele_oauth::client::redirect_uri::{self, check_bare_scheme, is_percent_encoded};
use clientele_oauth::user::subject::has_reserved_prefix;
use clientele_oauth::{client, scope};

/// The least number of characters of a brought secret: 128 bits in base64url.
pub const MIN_SECRET: usize = 22;
/// The greatest number of characters of a brought secret.
pub const MAX_SECRET: usize = 256;
/// The least number of different characters.
const MIN_DIFFERENT: usize = 8;

/// What becomes of a client ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientId {
    /// It is `<namespace>.<name>`, which is the default.
    Default,
    /// It goes into `clientId`.
    Custom,
    /// The same, with a character that the tenant must allow.
    Uri,
    /// It means something to a cluster; the tenant must name the pair.
    Reserved,
    /// It cannot be had; completes "the ID …".
    Refused(&'static str),
}

/// Judges a client ID for an object.
pub fn client_id(id: &str, namespace: &str, name: &str) -> ClientId {
    if id == format!("{namespace}.{name}") {
        return ClientId::Default;
    }
    if id.is_empty() || id.len() > 128 {
        return ClientId::Refused("is empty or longer than 128 characters");
    }
    let formed = |b: u8| b.is_ascii_alphanumeric() || b"._~-:/@".contains(&b);
    if !id.bytes().all(formed) {
        return ClientId::Refused(
            "has characters other than letters, digits, '.', '_', '~', '-', ':', '/' and '@'",
        );
    }
    if has_reserved_prefix(id) {
        return ClientId::Refused("begins with usr:, system: or fam_, which are reserved");
    }
    if IDS_OF_CLUSTERS.contains(&id.to_ascii_lowercase().as_str()) {
        return ClientId::Reserved;
    }
    if has_default_form(id) {
        return ClientId::Refused(
            "has the form <namespace>.<name>, which is that of another client's default ID",
        );
    }
    if id.bytes().any(|b| b":/@".contains(&b)) {
        return ClientId::Uri;
    }
    ClientId::Custom
}

/// `^[a-z0-9]([-a-z0-9]*[a-z0-9])?[.]`
fn has_default_form(id: &str) -> bool {
    let parts = id.split_once('.');
    parts.is_some_and(|(namespace, _)| is_dns_label(namespace))
}

/// Whether a URI is a pattern in the eyes of its source.
pub fn is_pattern(uri: &str) -> bool {
    uri.contains(['*', '^', '$', '\\', '(', '|']) || uri.contains("[^") || uri.ends_with(".+")
}

/// What stands for "the server shows the code, and the person copies it" elsewhere.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// Judges a redirect URI; the error completes "the URI …".
pub fn redirect_uri(uri: &str) -> Result<(), &'static str> {
    if uri.starts_with(OUT_OF_BAND) {
        return Err("asks the server to show the code to the person, which Clientele does not");
    }
    if uri.contains('*') {
        return Err("has a wildcard, and redirect URIs are compared exactly");
    }
    if uri.len() > 512 {
        return Err("is longer than 512 characters");
    }
    if !uri
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&b))
    {
        return Err("has a fragment or characters that no redirect URI has");
    }
    let (scheme, rest) = uri.split_once(':').ok_or("is no absolute URI")?;
    if !is_percent_encoded(rest) {
        return Err("has a % without two hexadecimal digits");
    }
    let authority = rest
        .strip_prefix("//")
        .map(|rest| &rest[..rest.find(['/', '?']).unwrap_or(rest.len())]);
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err("has user information");
    }
    let checked = redirect_uri::check(uri);
    if scheme == "http" && checked.is_err() {
        return Err("is http:// on a host that is not this device");
    }
    checked.map_err(|_| {
        "is neither https://host/…, nor http:// on loopback, nor a private-use scheme such as com.example.app:/callback"
    })
}

/// What to do about a redirect URI that is refused. `to`: the field of `spec`.
pub fn redirect_uri_todo(uri: &str, to: &str) -> String {
    if uri.starts_with(OUT_OF_BAND) {
        return format!(
            "register http://127.0.0.1 in spec.{to}, and let the application listen there on a port of its choice (RFC 8252 section 7.3)"
        );
    }
    if uri.starts_with("http://") && !is_pattern(uri) {
        return format!("serve the application by https://, and list that URI in spec.{to}");
    }
    format!("list the exact URI in spec.{to}")
}

/// Judges a web origin; the error completes "the origin …".
pub fn origin(origin: &str) -> Result<(), &'static str> {
    if origin.contains('*') {
        return Err("has a wildcard, and origins are compared exactly");
    }
    let (_, authority) = origin
        .split_once("://")
        .ok_or("is no origin such as https://host")?;
    if authority.contains(['/', '?', '#', '@']) || authority.to_ascii_lowercase() != authority {
        return Err("has a path, or capital letters, which a browser does not send");
    }
    client::origin::check(origin)
        .map_err(|_| "is neither https://host[:port] nor http:// on loopback")
}

/// The scheme of a redirect URI if it has no dot, so that the tenant must list it.
pub fn bare_scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    check_bare_scheme(scheme).is_ok().then_some(scheme)
}

/// Judges a client secret; the error completes "the client secret …".
pub fn secret(value: &str) -> Result<(), &'static str> {
    if value.bytes().all(|b| b == b'*') && !value.is_empty() {
        return Err("is masked: the file has asterisks in its place");
    }
    if !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err("has characters other than printable ASCII");
    }
    if value.is_empty() {
        return Err("is empty");
    }
    if value.len() < MIN_SECRET {
        return Err("is shorter than 22 characters and can be guessed");
    }
    if value.len() > MAX_SECRET {
        return Err("is longer than 256 characters");
    }
    let mut seen: Vec<u8> = value.bytes().collect();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() < MIN_DIFFERENT {
        return Err("repeats a few characters and can be guessed");
    }
    if value.starts_with("clt_") && value.len() == 70 {
        return Err("has the form of those that Clientele derives");
    }
    Ok(())
}

/// Judges the name of an API; the error completes "the audience …".
pub fn audience(uri: &str) -> Result<(), &'static str> {
    let inside =
        |b: u8| matches!(b, b'!' | b'$'..=b';' | b'=' | b'?'..=b'Z' | b'_' | b'a'..=b'z' | b'~');
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let formed = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b))
        && uri.len() <= 256
        && uri.len() > scheme.len() + 1
        && uri.bytes().all(inside);
    if !formed {
        return Err("is no absolute URI (RFC 8707 section 2)");
    }
    let host = uri.strip_prefix("https://").unwrap_or_default();
    let host = host.split([':', '/']).next().unwrap_or_default();
    let of_cluster = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    if of_cluster.contains(&host) || host.starts_with("kubernetes.default.svc.") {
        return Err("is an audience of the Kubernetes API server");
    }
    Ok(())
}

/// Whether a text is a scope-token (RFC 6749 section 3.3) of at most 128 characters.
pub fn is_scope(scope: &str) -> bool {
    scope::is_scope_token(scope) && scope.len() <= 128
}

/// Whether a text can be shown to people.
pub fn is_readable(text: &str, max: usize) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
    };
    !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(hidden)
}

#[cfg(test)]
mod tests;
