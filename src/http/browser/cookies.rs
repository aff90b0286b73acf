//! The two cookies of a tenant: one names the browser, one the session.
//!
//! `__Host-` ties a cookie to this host and to TLS (RFC 6265bis §4.1.3.2), so that no neighbour can plant one. Only a
//! plain-http issuer, which is on loopback, goes without.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use clientele_oauth::Tenant;

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Whoever is signed in.
    Session,
    /// The browser in which a transaction was begun.
    Browser,
}

/// No value of ours is longer; what is, is not looked at.
const MAX_LEN: usize = 64;

/// No tenant's name has an underscore, so no tenant's session has the name of another's browser.
fn name(tenant: &Tenant, purpose: Purpose) -> String {
    let prefix = if is_secure(tenant) { "__Host-" } else { "" };
    let suffix = match purpose {
        Purpose::Session => "",
        Purpose::Browser => "_browser",
    };
    format!("{prefix}clientele-{}{suffix}", tenant.name)
}

fn is_secure(tenant: &Tenant) -> bool {
    !tenant.issuer.starts_with("http://")
}

/// The value of a cookie. Two different ones are none: one of them is not ours, and nobody can tell which.
pub(super) fn read(headers: &HeaderMap, tenant: &Tenant, purpose: Purpose) -> Option<String> {
    let name = name(tenant, purpose);
    let mut values = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|&b| b == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    let first = values.next()?;
    let usable = !first.is_empty() && first.len() <= MAX_LEN && values.all(|value| value == first);
    usable.then(|| first.to_owned())
}

/// Sets a cookie until the browser is closed; the store knows when the session ends.
pub(super) fn set(tenant: &Tenant, purpose: Purpose, value: &str) -> HeaderValue {
    header(tenant, purpose, value, "")
}

/// Removes a cookie.
pub(super) fn clear(tenant: &Tenant, purpose: Purpose) -> HeaderValue {
    header(tenant, purpose, "", "; Max-Age=0")
}

fn header(tenant: &Tenant, purpose: Purpose, value: &str, more: &str) -> HeaderValue {
    let name = name(tenant, purpose);
    let secure = if is_secure(tenant) { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}");
    HeaderValue::try_from(cookie).expect("names of tenants and base64url are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(issuer: &str) -> Tenant {
        Tenant::new("a".into(), "uid".into(), issuer.into())
    }

    fn session(cookies: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_bytes(cookie.as_bytes()).unwrap());
        }
        read(&headers, &tenant("https://id.example"), Purpose::Session)
    }

    #[test]
    fn a_cookie_is_found_among_others_and_two_that_differ_are_none() {
        let long = format!("__Host-clientele-a={}", "x".repeat(65));
        for (cookies, expected) in [
            (&["__Host-clientele-a=v"][..], Some("v")),
            (&["x=1; __Host-clientele-a=v;y"], Some("v")),
            (&["x=1", "__Host-clientele-a=v"], Some("v")),
            (&["__Host-clientele-a=v", "__Host-clientele-a=v"], Some("v")),
            (&["__Host-clientele-a=v; __Host-clientele-a=w"], None),
            (&["__Host-clientele-a="], None),
            (&["__Host-clientele-a"], None),
            (&["clientele-a=v"], None),
            (&["__host-clientele-a=v"], None),
            (&["__Host-clientele-a_browser=v"], None),
            (&["__Host-clientele-b=v"], None),
            (&["\u{e9}=1; __Host-clientele-a=v"], Some("v")),
            (&[long.as_str()], None),
            (&[], None),
        ] {
            assert_eq!(session(cookies).as_deref(), expected, "{cookies:?}");
        }
    }

    #[test]
    fn c07_attributes() {
        let cookie = set(&tenant("https://id.example"), Purpose::Session, "v");
        assert_eq!(
            cookie,
            "__Host-clientele-a=v; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let cookie = set(&tenant("http://127.0.0.1:8080/t/a"), Purpose::Browser, "v");
        assert_eq!(
            cookie,
            "clientele-a_browser=v; Path=/; HttpOnly; SameSite=Lax"
        );
        let cookie = clear(&tenant("https://id.example"), Purpose::Session);
        assert_eq!(
            cookie,
            "__Host-clientele-a=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
        );
    }
}
