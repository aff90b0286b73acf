//! The cookies of a tenant: one names the session, the others the browser.
//!
//! `__Host-` ties a cookie to this host and to TLS (RFC 6265bis §4.1.3.2), so that no neighbour can plant one. Only a
//! plain-http issuer, which is on loopback, goes without.

use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use clientele_oauth::digest::digest_of;
use clientele_oauth::user::known_browser;
use clientele_oauth::{Tenant, User};

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The session of the signed-in person.
    Session,
    /// The browser in which a transaction was begun. Each of several tabs that are opened together gets one: see
    /// [`browsers`].
    Browser,
    /// A browser in which a person has signed in: one for each person.
    Known,
}

/// No value of ours is longer; what is, is not looked at.
const MAX_LEN: usize = 64;
/// More tabs than this are not opened at once before the first answer arrives.
const MAX_BROWSERS: usize = 8;

/// No tenant's name has an underscore, so no tenant's session has the name of another's browser.
fn name(tenant: &Tenant, purpose: Purpose) -> String {
    let prefix = if is_secure(tenant) { "__Host-" } else { "" };
    let suffix = match purpose {
        Purpose::Session => "",
        Purpose::Browser => "_browser",
        Purpose::Known => "_known",
    };
    format!("{prefix}clientele-{}{suffix}", tenant.name)
}

fn is_secure(tenant: &Tenant) -> bool {
    !tenant.issuer.starts_with("http://")
}

/// Every cookie that was sent, in its order.
fn sent(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|&b| b == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
}

/// The value of the session's cookie.
pub(super) fn session(headers: &HeaderMap, tenant: &Tenant) -> Option<String> {
    read(headers, &name(tenant, Purpose::Session))
}

/// The values that name the browser. There may be several: of tabs that were opened together, each came without a
/// cookie and got one under a name of its own.
pub(super) fn browsers(headers: &HeaderMap, tenant: &Tenant) -> Vec<String> {
    let name = name(tenant, Purpose::Browser);
    let is_ours = |known: &str| {
        let more = known.strip_prefix(&*name);
        more.is_some_and(|more| more.is_empty() || more.starts_with('_'))
    };
    let mut names: Vec<&str> = Vec::new();
    for (known, _) in sent(headers).filter(|(known, _)| is_ours(known)) {
        if !names.contains(&known) {
            names.push(known);
        }
    }
    let values = names.into_iter().filter_map(|name| read(headers, name));
    values.take(MAX_BROWSERS).collect()
}

/// The value of a cookie. Two different ones are none: one of them is not ours, and which is unknown.
fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = sent(headers)
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    let first = values.next()?;
    let usable = !first.is_empty() && first.len() <= MAX_LEN && values.all(|value| value == first);
    usable.then(|| first.to_owned())
}

/// Sets the session's cookie until the browser is closed, or for as long as is said; the store knows when the session ends.
pub(super) fn set_session(tenant: &Tenant, value: &str, stays: Option<Duration>) -> HeaderValue {
    let more = stays.map(|stays| format!("; Max-Age={}", stays.as_secs()));
    let name = name(tenant, Purpose::Session);
    header(tenant, &name, value, more.as_deref().unwrap_or_default())
}

/// Names the browser until it is closed.
pub(super) fn set_browser(tenant: &Tenant, value: &str) -> HeaderValue {
    let digest = digest_of(value);
    let name = format!("{}_{}", name(tenant, Purpose::Browser), &digest[..8]);
    header(tenant, &name, value, "")
}

/// Knows the browser for half a year, also after the person has signed out.
pub(super) fn set_known_browser(tenant: &Tenant, user: &User, value: &str) -> HeaderValue {
    let more = format!("; Max-Age={}", known_browser::LIFETIME.as_secs());
    header(tenant, &known_name(tenant, user), value, &more)
}

/// The value by which the browser is known to a person.
pub(super) fn known_browser(headers: &HeaderMap, tenant: &Tenant, user: &User) -> Option<String> {
    read(headers, &known_name(tenant, user))
}

/// Other people of the same browser have cookies of their own.
fn known_name(tenant: &Tenant, user: &User) -> String {
    let digest = digest_of(&user.uid);
    format!("{}_{}", name(tenant, Purpose::Known), &digest[..8])
}

/// Removes the session's cookie.
pub(super) fn clear_session(tenant: &Tenant) -> HeaderValue {
    let name = name(tenant, Purpose::Session);
    header(tenant, &name, "", "; Max-Age=0")
}

fn header(tenant: &Tenant, name: &str, value: &str, more: &str) -> HeaderValue {
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
        super::session(&headers, &tenant("https://id.example"))
    }

    #[test]
    fn the_cookies_of_tabs_that_were_opened_together_all_count() {
        let mut headers = HeaderMap::new();
        let cookies = "__Host-clientele-a_browser=1; __Host-clientele-a_browser_x=2; \
            __Host-clientele-a_browser_y=3; __Host-clientele-a_browser_y=4; __Host-clientele-a=5; \
            __Host-clientele-b_browser_x=6; __Host-clientele-a_browserx=7";
        headers.append(COOKIE, cookies.parse().unwrap());
        let known = browsers(&headers, &tenant("https://id.example"));
        assert_eq!(known, ["1", "2"]);
        let many: Vec<String> = (0..20)
            .map(|n| format!("__Host-clientele-a_browser_{n}={n}"))
            .collect();
        headers.insert(COOKIE, many.join("; ").parse().unwrap());
        let known = browsers(&headers, &tenant("https://id.example"));
        assert_eq!(known.len(), MAX_BROWSERS);
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
        let cookie = set_session(&tenant("https://id.example"), "v", None);
        assert_eq!(
            cookie,
            "__Host-clientele-a=v; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let cookie = set_browser(&tenant("http://127.0.0.1:8080/t/a"), "v");
        assert_eq!(
            cookie,
            "clientele-a_browser_TJRIXgwh=v; Path=/; HttpOnly; SameSite=Lax"
        );
        let cookie = clear_session(&tenant("https://id.example"));
        assert_eq!(
            cookie,
            "__Host-clientele-a=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
        );
    }
}
