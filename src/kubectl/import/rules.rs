//! What an OAuthClient can have: the rules of its definition, for values that come from elsewhere. What breaks one is lost
//! with the reason; it is never bent until it fits.

use std::net::{Ipv4Addr, Ipv6Addr};

/// IDs that mean something to a cluster.
const RESERVED_IDS: [&str; 7] = [
    "kubernetes",
    "k8s",
    "api",
    "default",
    "system",
    "sts.amazonaws.com",
    "vault",
];
/// What no client ID begins with.
const RESERVED_PREFIXES: [&str; 3] = ["usr:", "system:", "fam_"];
/// The least number of characters of a brought secret: 128 bits in base64url.
pub const MIN_SECRET: usize = 22;
/// The greatest number of characters of a brought secret.
pub const MAX_SECRET: usize = 256;
/// The least number of different characters.
const MIN_DIFFERENT: usize = 8;

/// Schemes on which browsers and systems act themselves.
const ACTED_ON: [&str; 18] = [
    "about",
    "blob",
    "content",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "res",
    "search-ms",
    "sms",
    "tel",
    "vbscript",
    "view-source",
    "wss",
];

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
    let lower = id.to_ascii_lowercase();
    if RESERVED_PREFIXES
        .iter()
        .any(|prefix| lower.starts_with(prefix))
    {
        return ClientId::Refused("begins with usr:, system: or fam_, which are reserved");
    }
    if RESERVED_IDS.contains(&lower.as_str()) {
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
    id.split_once('.').is_some_and(|(namespace, _)| {
        let label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !namespace.is_empty()
            && !namespace.starts_with('-')
            && !namespace.ends_with('-')
            && namespace.bytes().all(label)
    })
}

/// Whether a URI is a pattern in the eyes of its source.
pub fn is_pattern(uri: &str) -> bool {
    uri.contains(['*', '^', '$', '\\', '(', '|']) || uri.contains("[^") || uri.ends_with(".+")
}

/// Judges a redirect URI; the error completes "the URI …".
pub fn redirect_uri(uri: &str) -> Result<(), &'static str> {
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
    let allowed = match scheme {
        "https" => authority.is_some_and(|authority| is_host_with_port(authority, false)),
        "http" => {
            if !authority.is_some_and(|authority| is_host_with_port(authority, true)) {
                return Err("is http:// on a host that is not this device");
            }
            true
        }
        private => (is_reverse_dns(private) || is_bare_scheme(private)) && rest.starts_with('/'),
    };
    allowed.then_some(()).ok_or(
        "is neither https://host/…, nor http:// on loopback, nor a private-use scheme such as com.example.app:/callback",
    )
}

/// Judges a web origin; the error completes "the origin …".
pub fn origin(origin: &str) -> Result<(), &'static str> {
    if origin.contains('*') {
        return Err("has a wildcard, and origins are compared exactly");
    }
    let (scheme, authority) = origin
        .split_once("://")
        .ok_or("is no origin such as https://host")?;
    if authority.contains(['/', '?', '#', '@']) || authority.to_ascii_lowercase() != authority {
        return Err("has a path, or capital letters, which a browser does not send");
    }
    let allowed = match scheme {
        "https" => is_host_with_port(authority, false) && !authority.ends_with(":443"),
        "http" => is_host_with_port(authority, true) && !authority.ends_with(":80"),
        _ => false,
    };
    allowed
        .then_some(())
        .ok_or("is neither https://host[:port] nor http:// on loopback")
}

fn is_host_with_port(authority: &str, loopback: bool) -> bool {
    let bracket = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[bracket..].find(':') {
        Some(colon) => (
            &authority[..bracket + colon],
            Some(&authority[bracket + colon + 1..]),
        ),
        None => (authority, None),
    };
    let is_port = |port: &str| {
        let digits = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
        digits && port.parse::<u16>().is_ok()
    };
    let label = |label: &str| {
        let formed = label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        !label.is_empty() && formed && !label.starts_with('-') && !label.ends_with('-')
    };
    let literal = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match literal {
        Some(literal) => literal.parse::<Ipv6Addr>().is_ok(),
        None => host.split('.').all(label),
    };
    let is_local = host == "localhost"
        || host == "[::1]"
        || host.ends_with(".localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    is_host && (!loopback || is_local) && port.is_none_or(is_port)
}

/// Whether two hexadecimal digits follow every `%` before the query.
fn is_percent_encoded(rest: &str) -> bool {
    let path = rest.split('?').next().unwrap_or_default();
    let mut parts = path.split('%').skip(1).map(str::as_bytes);
    parts.all(|part| {
        part.get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// The scheme of a redirect URI if it has no dot, so that the tenant must list it.
pub fn bare_scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    is_bare_scheme(scheme).then_some(scheme)
}

fn is_bare_scheme(scheme: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-".contains(&b);
    let acted_on = ["http", "https"].contains(&scheme)
        || ACTED_ON.contains(&scheme)
        || scheme.starts_with("chrome")
        || scheme.starts_with("ms-");
    (3..=31).contains(&scheme.len())
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(inside)
        && !acted_on
}

fn is_reverse_dns(scheme: &str) -> bool {
    let part = |part: &str| {
        let formed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !part.is_empty() && part.bytes().all(formed) && !part.starts_with('-')
    };
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.contains('.')
        && scheme.split('.').all(part)
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
    let formed = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    !scope.is_empty() && scope.len() <= 128 && scope.bytes().all(formed)
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
