//! When two URIs name the same thing (RFC 3986 §6.2). What a manifest declares is kept as it is: only comparisons use this.

use std::borrow::Cow;

/// A URI of the generic syntax, taken apart at its delimiters (RFC 3986 §3).
struct Parts<'a> {
    scheme: &'a str,
    /// With a host.
    authority: Option<Authority<'a>>,
    /// The path, and the query with its `?`.
    path: &'a str,
    query: &'a str,
}

struct Authority<'a> {
    /// With its `@`; empty when there is none.
    user_info: &'a str,
    host: &'a str,
    /// Without its `:`; empty when there is none.
    port: &'a str,
}

impl<'a> Parts<'a> {
    /// `None` if there is no scheme.
    fn of(uri: &'a str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let inside = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.bytes().all(inside) {
            return None;
        }
        let (before_query, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let (authority, path) = match before_query.strip_prefix("//") {
            None => (None, before_query),
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(Authority::of(authority)), path)
            }
        };
        Some(Self {
            scheme,
            authority,
            path,
            query,
        })
    }
}

impl<'a> Authority<'a> {
    fn of(authority: &'a str) -> Self {
        let (user_info, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        let after_brackets = host.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match host[after_brackets..].find(':') {
            Some(colon) => host.split_at(after_brackets + colon),
            None => (host, ""),
        };
        Self {
            user_info,
            host,
            port: port.strip_prefix(':').unwrap_or(port),
        }
    }
}

/// Whether two resource indicators name the same API (RFC 8707 §2): scheme and host without regard to case, the default
/// port as none, the empty path as `/`. A slash at the end of a longer path, and everything else, makes a difference.
pub fn same_resource(one: &str, other: &str) -> bool {
    one == other || resource_key(one) == resource_key(other)
}

/// What is equal for resource indicators that are the same.
pub fn resource_key(uri: &str) -> Cow<'_, str> {
    let Some(parts) = Parts::of(uri) else {
        return Cow::Borrowed(uri);
    };
    Cow::Owned(joined(&parts, parts.path, parts.query))
}

/// What is equal for names that stand for the same in the name space of an installation: the URI after RFC 3986 §6.2.2
/// (case, percent-encoding, dot segments) and §6.2.3 (port, empty path). Of a name that is not a URI, percent-encoded
/// characters that need not be are decoded.
pub fn name_key(name: &str) -> String {
    let mut decoded = decode_unreserved(name);
    // A broken escape may become a whole one by what is decoded beside it.
    loop {
        let again = decode_unreserved(&decoded);
        if again == decoded {
            break;
        }
        decoded = again;
    }
    let Some(parts) = Parts::of(&decoded) else {
        return decoded;
    };
    match without_dots(parts.path) {
        // Two slashes would begin an authority.
        path if parts.authority.is_none() && path.starts_with("//") => {
            joined(&parts, &format!("/.{path}"), parts.query)
        }
        path => joined(&parts, &path, parts.query),
    }
}

fn joined(parts: &Parts<'_>, path: &str, query: &str) -> String {
    let scheme = parts.scheme.to_ascii_lowercase();
    let Some(authority) = &parts.authority else {
        return format!("{scheme}:{path}{query}");
    };
    let default_port = match &*scheme {
        "https" | "wss" => "443",
        "http" | "ws" => "80",
        _ => "",
    };
    let (colon, port) = match authority.port {
        port if port.is_empty() || port == default_port => ("", ""),
        port => (":", port),
    };
    let path = if path.is_empty() { "/" } else { path };
    format!(
        "{scheme}://{}{}{colon}{port}{path}{query}",
        authority.user_info,
        authority.host.to_ascii_lowercase(),
    )
}

/// Decodes what needs no percent-encoding, and writes the rest in upper case (RFC 3986 §6.2.2.1, §6.2.2.2).
fn decode_unreserved(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, escaped) = rest.split_at(at);
        decoded.push_str(before);
        let digits = escaped.get(1..3);
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (Some(digits), Some(byte)) = (digits, byte) else {
            decoded.push('%');
            rest = &escaped[1..];
            continue;
        };
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            decoded.push(char::from(byte));
        } else {
            decoded.push('%');
            decoded.push_str(&digits.to_ascii_uppercase());
        }
        rest = &escaped[3..];
    }
    decoded.push_str(rest);
    decoded
}

/// Without `.` and `..` in a path that begins with a slash (RFC 3986 §5.2.4).
pub(crate) fn without_dots(path: &str) -> String {
    let Some(segments) = path.strip_prefix('/') else {
        return path.to_owned();
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = segments.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                // What a dot segment at the end leaves ends in a slash.
                if is_last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests;
