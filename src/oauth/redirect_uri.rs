//! Which redirect URIs may be registered (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).
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

fn is_loopback(host: &str) -> bool {
    host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn k02_loopback_and_https_and_private_schemes_are_allowed() {
        for good in [
            "https://app.example/cb",
            "https://app.example:8443/cb?x=1",
            "https://[2001:db8::1]/cb",
            "http://localhost:3000/cb",
            "http://127.0.0.1/cb",
            "http://127.8.9.10:80/cb",
            "http://[::1]/cb",
            "http://test.localhost/cb",
            "com.example.app:/callback",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn k01_k03_k04_everything_else_is_refused() {
        for bad in [
            "http://localhost.evil.com/cb",
            "http://localhostevil.com/cb",
            "http://169.254.169.254/cb",
            "http://10.0.0.1/cb",
            "http://0.0.0.0/cb",
            "http://127.1/cb",
            "http://2130706433/cb",
            "https://*.example/cb",
            "https://app.example/cb#x",
            "https://a@app.example/cb",
            "https://app.example\\@evil/cb",
            "https://app.example:0/cb",
            "https://app.example:99999/cb",
            "https://app.example:80:81/cb",
            "https:///cb",
            "https://app..example/cb",
            "/cb",
            "app.example/cb",
            "",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "about:blank",
            "myapp:/cb",
            "HTTPS://app.example/cb",
            "https://app.example/c b",
            "https://äpp.example/cb",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,600}") {
            let _ = check(&text);
        }

        /// What we accept, the parser of browsers (WHATWG) reads with the same host: no confusion.
        #[test]
        fn an_accepted_web_uri_has_the_host_that_a_browser_sees(
            text in "https?://([a-zA-Z0-9.@:\\[\\]-]{1,20}|localhost|127\\.0\\.0\\.1)(:[0-9]{1,6})?[/?]?[!-~]{0,12}"
        ) {
            if check(&text).is_ok() {
                let parsed = url::Url::parse(&text);
                // A browser may refuse what we accept (such as a number too large for an IPv4 part).
                if let Ok(parsed) = parsed {
                    prop_assert!(parsed.username().is_empty() && parsed.password().is_none());
                    prop_assert!(parsed.fragment().is_none());
                    if parsed.scheme() == "http" {
                        let host = parsed.host_str().unwrap_or_default();
                        prop_assert!(is_loopback(host), "{} has host {}", text, host);
                    }
                }
            }
        }
    }
}
