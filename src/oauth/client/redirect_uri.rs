//! Which redirect URIs may be registered, and which a request may then name (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).
//!
//! The API server judges the same rules in CEL when a manifest is applied; they are judged again here,
//! because an object may have been stored before the rules existed.

mod browser_form;

use std::net::{Ipv4Addr, Ipv6Addr};

use super::ClientType;

pub use browser_form::browser_form;

/// The longest redirect URI.
pub const MAX_LEN: usize = 512;

/// The problem of a URI whose port is none.
pub(super) const PORT: &str = "must have a port from 1 to 65535, or none";

const FORBIDDEN: &[u8] = b"#*\\\"<>^`{|}";

/// Schemes on which browsers and systems act themselves: none is ever a private-use scheme, whatever a tenant lists.
const ACTED_ON: [&str; 19] = [
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
    "ws",
    "wss",
];
/// The beginnings of more such schemes.
const ACTED_ON_PREFIXES: [&str; 2] = ["chrome", "ms-"];

/// Checks a redirect URI; the error completes the sentence "the redirect URI …". A private-use scheme without a dot passes
/// if it has the form of one: whether the tenant lists it is another question ([`bare_scheme`]).
pub fn check(uri: &str) -> Result<(), &'static str> {
    if uri.len() > MAX_LEN {
        return Err("is longer than 512 characters");
    }
    if !uri
        .bytes()
        .all(|b| b.is_ascii_graphic() && !FORBIDDEN.contains(&b))
    {
        return Err(
            "must not contain a fragment (#), wildcard (*), whitespace, backslash or non-ASCII character",
        );
    }
    let (scheme, rest) = uri.split_once(':').ok_or("must be an absolute URI")?;
    if !is_percent_encoded(rest) {
        return Err("must be an absolute URI, in which two hexadecimal digits follow every %");
    }
    if matches!(scheme, "https" | "http") && !has_possible_port(rest) {
        return Err(PORT);
    }
    let web =
        |check: fn(&str) -> bool| rest.strip_prefix("//").is_some_and(|rest| web(rest, check));
    let allowed = match scheme {
        "https" => web(is_host),
        "http" => web(is_loopback),
        private => {
            (is_reverse_dns(private) || check_bare_scheme(private).is_ok())
                && rest.starts_with('/')
                && !has_user_info(rest)
        }
    };
    allowed.then_some(()).ok_or(
        "must be https://host/..., http:// on localhost, *.localhost, 127.0.0.0/8 or [::1], or a private-use scheme in reverse-DNS form such as com.example.app:/callback, or one without a dot that the tenant lists in spec.redirectSchemes",
    )
}

/// Whether two hexadecimal digits follow every `%` before the query (RFC 3986 §2.1).
pub fn is_percent_encoded(rest: &str) -> bool {
    let before_query = rest.split('?').next().unwrap_or_default();
    let mut parts = before_query.split('%').skip(1).map(str::as_bytes);
    parts.all(|part| {
        part.get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Checks a private-use scheme without a dot, such as `vscode`; the error completes the sentence "the scheme …".
///
/// RFC 8252 §7.1 asks for a name that the developer controls, and such a name belongs to no application: any application on the
/// device can register it. So a tenant says for whom it is enough.
pub fn check_bare_scheme(scheme: &str) -> Result<(), &'static str> {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-".contains(&b);
    let formed = (3..=31).contains(&scheme.len())
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(inside);
    if !formed {
        return Err(
            "must have 3 to 31 lower case letters, digits, '+' and '-', and begin with a letter",
        );
    }
    let acted_on = ["http", "https"].contains(&scheme)
        || ACTED_ON.contains(&scheme)
        || ACTED_ON_PREFIXES
            .iter()
            .any(|prefix| scheme.starts_with(prefix));
    if acted_on {
        return Err(
            "is one on which browsers and systems act themselves, and never an application's own",
        );
    }
    Ok(())
}

/// The private-use scheme of a redirect URI, if it has no dot.
pub fn bare_scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let web = ["http", "https"].contains(&scheme);
    (!web && !scheme.contains('.')).then_some(scheme)
}

/// Whether a request of a client of this type may name `asked` where `registered` stands in the list: byte for byte the
/// same, or the same but for the port on a loopback IP literal, where a native application listens wherever it can
/// (RFC 8252 §7.3). For a Public client the exact host `localhost` is as good: it is the native application, and its
/// codes are bound by PKCE if the name leads elsewhere.
pub fn matches(registered: &str, asked: &str, client_type: ClientType) -> bool {
    let without_port = |uri| without_port(uri, client_type);
    registered == asked
        || without_port(registered)
            .is_some_and(|registered| without_port(asked) == Some(registered))
}

/// Host and rest of an `http` URI on a host of which the port may vary.
fn without_port(uri: &str, client_type: ClientType) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = split_port(authority);
    let varies = match host {
        "localhost" => client_type == ClientType::Public,
        host => is_loopback_ip(host),
    };
    (varies && port.is_none_or(is_port)).then_some((host, rest))
}

/// Whether a program on the person's own device answers there, whose identity is unknown (RFC 8252 §8.6).
pub fn is_on_device(uri: &str) -> bool {
    !uri.starts_with("https:")
}

/// Where a person goes who is sent there: host and port, or the scheme of an application on the device.
pub fn returns_to(uri: &str) -> &str {
    let (scheme, rest) = uri.split_once(':').unwrap_or((uri, ""));
    match rest.strip_prefix("//") {
        Some(rest) if matches!(scheme, "https" | "http") => {
            &rest[..rest.find(['/', '?']).unwrap_or(rest.len())]
        }
        _ => scheme,
    }
}

/// The host that a registered redirect URI or origin leads to over the network; none if it stays on the device.
pub fn network_host(uri: &str) -> Option<&str> {
    let authority = uri.strip_prefix("https://").map(|_| returns_to(uri))?;
    let (host, _) = split_port(authority);
    (!is_loopback(&host.to_ascii_lowercase())).then_some(host)
}

fn web(rest: &str, host_allowed: fn(&str) -> bool) -> bool {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, port) = split_port(&rest[..end]);
    host_allowed(host) && port.is_none_or(is_port)
}

/// The host and the port of an authority without user information.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_brackets = authority.rfind(']').map_or(0, |i| i + 1);
    match authority[after_brackets..].find(':') {
        Some(colon) => {
            let colon = after_brackets + colon;
            (&authority[..colon], Some(&authority[colon + 1..]))
        }
        None => (authority, None),
    }
}

fn is_port(port: &str) -> bool {
    !port.starts_with('0')
        && port.bytes().all(|b| b.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

/// Whether what stands where a port does is one, if anything does. User information has another problem.
fn has_possible_port(rest: &str) -> bool {
    let rest = rest.strip_prefix("//").unwrap_or_default();
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.contains('@') || split_port(authority).1.is_none_or(is_port)
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(literal) => literal.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.split('.').all(is_label),
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_loopback_ip(host: &str) -> bool {
    host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_loopback(host: &str) -> bool {
    is_loopback_ip(host)
        || host == "localhost"
        || host
            .strip_suffix(".localhost")
            .is_some_and(|sub| sub.split('.').all(is_label))
}

fn is_reverse_dns(scheme: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.contains('.')
        && scheme
            .split('.')
            .all(|part| label(part) && !part.starts_with('-'))
}

fn has_user_info(rest: &str) -> bool {
    rest.strip_prefix("//")
        .and_then(|rest| rest.split(['/', '?']).next())
        .is_some_and(|authority| authority.contains('@'))
}

#[cfg(test)]
mod tests;
