//! Which redirect URIs may be registered, and which a request may then name (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).
//!
//! The API server judges the same rules in CEL when a manifest is applied; they are judged again here,
//! because an object may have been stored before the rules existed.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest redirect URI.
pub const MAX_LEN: usize = 512;

const FORBIDDEN: &[u8] = b"#*\\\"<>^`{|}";

/// Checks a redirect URI; the error completes the sentence "the redirect URI …".
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
    let web =
        |check: fn(&str) -> bool| rest.strip_prefix("//").is_some_and(|rest| web(rest, check));
    let allowed = match scheme {
        "https" => web(is_host),
        "http" => web(is_loopback),
        private => is_reverse_dns(private) && rest.starts_with('/') && !has_user_info(rest),
    };
    allowed.then_some(()).ok_or(
        "must be https://host/..., http:// on localhost, *.localhost, 127.0.0.0/8 or [::1], or a private-use scheme in reverse-DNS form such as com.example.app:/callback",
    )
}

/// Whether two hexadecimal digits follow every `%` before the query (RFC 3986 §2.1).
fn is_percent_encoded(rest: &str) -> bool {
    let before_query = rest.split('?').next().unwrap_or_default();
    let mut parts = before_query.split('%').skip(1).map(str::as_bytes);
    parts.all(|part| {
        part.get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether a request may name `asked` where `registered` stands in the list: byte for byte the same, or the same but
/// for the port on a loopback IP literal, where a native application listens wherever it can (RFC 8252 §7.3).
pub fn matches(registered: &str, asked: &str) -> bool {
    registered == asked
        || without_port(registered)
            .is_some_and(|registered| without_port(asked) == Some(registered))
}

/// Host and rest of an `http` URI on a loopback IP literal; `localhost` is a name, and may lead elsewhere.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = split_port(authority);
    (is_loopback_ip(host) && port.is_none_or(is_port)).then_some((host, rest))
}

/// Whether a program on the person's own device answers there, of which nobody knows which it is (RFC 8252 §8.6).
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
