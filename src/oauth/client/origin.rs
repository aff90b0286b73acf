//! Web origins (RFC 6454 §6.2) that a client may name: those whose scripts may read our answers (CORS).
//!
//! They are compared byte for byte with what a browser sends, so there is one spelling only.

use super::redirect_uri;

/// The longest origin: a host of 253 characters.
pub const MAX_LEN: usize = 267;

/// Checks an origin; the error completes the sentence "the origin …".
pub fn check(origin: &str) -> Result<(), &'static str> {
    const FORM: &str = "must be an origin in lower case without a path, such as https://app.example.com; http only on loopback";
    if origin.len() > MAX_LEN || origin.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(FORM);
    }
    let (scheme, authority) = origin.split_once("://").ok_or(FORM)?;
    if !matches!(scheme, "http" | "https") || authority.contains(['/', '?']) {
        return Err(FORM);
    }
    // What may follow an origin there is excluded above, so the same rules of host and port hold.
    redirect_uri::check(origin).map_err(|problem| match problem {
        redirect_uri::PORT => problem,
        _ => FORM,
    })?;
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    if authority.ends_with(default_port) {
        return Err("must not name the default port, because no browser sends it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m13_an_origin_has_one_spelling() {
        for good in [
            "https://app.example",
            "https://app.example:8443",
            "https://[2001:db8::1]",
            "https://[2001:db8::443]",
            "http://localhost:3000",
            "http://a.localhost",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "null",
            "*",
            "https://*.example",
            "https://app.example/",
            "https://app.example?x",
            "https://app.example#x",
            "https://APP.example",
            "HTTPS://app.example",
            "https://app.example:443",
            "http://localhost:80",
            "http://app.example",
            "https://user@app.example",
            "https://app.example:0",
            "https://app.example:99999",
            "com.example.app:/",
            "https://",
            "app.example",
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for port in ["0", "99999", "x"] {
            let origin = format!("https://app.example:{port}");
            assert_eq!(check(&origin), Err(redirect_uri::PORT), "{origin}");
        }
    }
}
