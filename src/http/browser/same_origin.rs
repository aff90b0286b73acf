//! Whether a form was sent by a page of ours.
//!
//! The seal of the transaction is what proves it: no other site can know one that is bound to this browser. What the
//! browser says by itself is the second line: what it says must be right, and an old browser may say nothing.

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

use super::error_page::ErrorPage;
use clientele_oauth::registry::issuer_path;

/// Refuses a form of another site (RFC 6454 §7.3, Fetch Metadata §2.3).
pub(super) fn check(headers: &HeaderMap, issuer: &str) -> Result<(), ErrorPage> {
    let ours = issuer.strip_suffix(issuer_path(issuer)).unwrap_or(issuer);
    let mut origins = headers.get_all(ORIGIN).iter();
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let same = origins.all(|origin| origin.as_bytes() == ours.as_bytes())
        && sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    same.then_some(()).ok_or_else(ErrorPage::cross_site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c04_only_our_own_origin_may_send_a_form() {
        for (issuer, origin, site, accepted) in [
            ("https://id.example", None, None, true),
            ("https://id.example", Some("https://id.example"), None, true),
            (
                "https://id.example/t/a",
                Some("https://id.example"),
                Some("same-origin"),
                true,
            ),
            (
                "http://127.0.0.1:8080",
                Some("http://127.0.0.1:8080"),
                Some("none"),
                true,
            ),
            ("https://id.example", Some("null"), None, false),
            (
                "https://id.example",
                Some("null"),
                Some("same-origin"),
                false,
            ),
            (
                "https://id.example",
                Some("https://evil.example"),
                None,
                false,
            ),
            (
                "https://id.example",
                Some("https://id.example.evil"),
                None,
                false,
            ),
            ("https://id.example", Some("http://id.example"), None, false),
            (
                "https://id.example",
                Some("https://id.example:8443"),
                None,
                false,
            ),
            (
                "https://id.example/t/a",
                Some("https://id.example/t/a"),
                None,
                false,
            ),
            ("https://id.example", None, Some("cross-site"), false),
            (
                "https://id.example",
                Some("https://id.example"),
                Some("same-site"),
                false,
            ),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.append(ORIGIN, origin.parse().unwrap());
            }
            if let Some(site) = site {
                headers.append("sec-fetch-site", site.parse().unwrap());
            }
            assert_eq!(
                check(&headers, issuer).is_ok(),
                accepted,
                "{origin:?} {site:?}"
            );
        }
    }
}
