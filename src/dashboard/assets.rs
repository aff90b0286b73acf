//! Stylesheet, scripts and icon. They are in the program, so nothing is loaded from elsewhere.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::session::random;

/// That of the sign-in pages, then what the dashboard adds to it.
const STYLE: &str = concat!(
    include_str!("../http/templates/style.css"),
    include_str!("assets/dashboard.css"),
    include_str!("assets/client.css"),
);
/// htmx 2.0.11 as its authors publish it. Zero-Clause BSD; see `assets/htmx.LICENSE`.
const HTMX: &str = include_str!("assets/htmx.min.js");
const SCRIPT: &str = include_str!("assets/dashboard.js");
const ICON: &str = include_str!("assets/icon.svg");

/// Changes with any of the assets: FNV-1a, 8 hexadecimal digits, which a compiler can work out.
const VERSION: [u8; 8] = {
    let parts = [
        STYLE.as_bytes(),
        HTMX.as_bytes(),
        SCRIPT.as_bytes(),
        ICON.as_bytes(),
    ];
    let (mut hash, mut part) = (0x811c_9dc5_u32, 0);
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            hash = (hash ^ parts[part][at] as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        part += 1;
    }
    let digits = *b"0123456789abcdef";
    let (mut text, mut at) = ([0; 8], 0);
    while at < 8 {
        text[at] = digits[(hash >> (28 - 4 * at)) as usize & 15];
        at += 1;
    }
    text
};

/// The query `v` of the addresses of all assets, another one for each run. No other program can know it before: one that had the same port earlier
/// could have left its own script in the cache of the browser.
pub fn version() -> Arc<str> {
    let content = str::from_utf8(&VERSION).unwrap_or_default();
    format!("{content}{}", random().unwrap_or_default()).into()
}

/// `/assets/{name}`
pub async fn file(Path(name): Path<String>) -> Response {
    let (kind, content) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "htmx.min.js" => ("text/javascript; charset=utf-8", HTMX),
        "dashboard.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let mut response = Response::new(Body::from(content));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};

    use super::*;

    #[test]
    fn htmx_is_the_published_file() {
        let hash = digest(&SHA256, HTMX.as_bytes());
        let hex: Vec<String> = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let published = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717";
        assert_eq!(hex.concat(), published);
    }

    #[test]
    fn the_address_of_an_asset_cannot_be_known_before() {
        let content = str::from_utf8(&VERSION).unwrap();
        assert!(version().starts_with(content));
        assert!(version().len() > 40, "{}", version());
        assert_ne!(version(), version(), "of two runs");
    }

    #[test]
    fn our_own_script_stays_small_and_evaluates_nothing() {
        assert!(SCRIPT.lines().count() <= 200);
        for never in [
            "eval(",
            "innerHTML",
            "Function(",
            "localStorage",
            "sessionStorage",
            "document.cookie",
        ] {
            assert!(!SCRIPT.contains(never), "{never}");
        }
    }
}
