//! Which hosts a tenant lets its clients return to.

/// Whether a pattern admits a host: the same name, or with `*.` any name below the rest, at any depth and never the rest
/// itself. Names are compared without regard to case (RFC 9110 §4.2.3).
pub fn admits(pattern: &str, host: &str) -> bool {
    let Some(rest) = pattern.strip_prefix("*.") else {
        return pattern.eq_ignore_ascii_case(host);
    };
    let Some(labels) = host.len().checked_sub(rest.len() + 1) else {
        return false;
    };
    let (below, name) = host.as_bytes().split_at(labels);
    let name = name.strip_prefix(b".").unwrap_or_default();
    !below.is_empty() && !rest.is_empty() && name.eq_ignore_ascii_case(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::redirect_uri::network_host;
    use proptest::prelude::*;

    #[test]
    fn f56_a_pattern_admits_what_it_says_and_nothing_that_looks_like_it() {
        for (pattern, host, expected) in [
            ("app.example.com", "app.example.com", true),
            ("app.example.com", "APP.example.com", true),
            ("app.example.com", "app.example.com.evil.example", false),
            ("app.example.com", "xapp.example.com", false),
            ("app.example.com", "a.app.example.com", false),
            ("*.example.com", "app.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "a.EXAMPLE.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "evilexample.com", false),
            ("*.example.com", "example.com.evil.example", false),
            ("*.example.com", "*.example.com", true),
            ("[2001:db8::1]", "[2001:db8::1]", true),
            ("[2001:db8::1]", "[2001:db8::2]", false),
            ("*.", "a.", false),
            ("*", "a", false),
            ("", "a", false),
        ] {
            assert_eq!(admits(pattern, host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn f56_the_host_is_the_one_that_a_browser_goes_to() {
        for (uri, host) in [
            ("https://app.example.com", Some("app.example.com")),
            ("https://app.example.com/cb", Some("app.example.com")),
            ("https://app.example.com:8443/cb", Some("app.example.com")),
            ("https://app.example.com?x=//other", Some("app.example.com")),
            (
                "https://app.example.com/https://other/",
                Some("app.example.com"),
            ),
            ("https://[2001:db8::1]:8443/cb", Some("[2001:db8::1]")),
            ("https://LOCALHOST/cb", None),
            (
                "https://localhost.evil.example/",
                Some("localhost.evil.example"),
            ),
            (
                "https://127.0.0.1.evil.example/",
                Some("127.0.0.1.evil.example"),
            ),
            ("https://127.0.0.1/cb", None),
            ("http://localhost:3000/cb", None),
            ("http://a.localhost/cb", None),
            ("com.example.app:/cb", None),
        ] {
            assert_eq!(network_host(uri), host, "{uri}");
        }
    }

    proptest! {
        #[test]
        fn f56_whatever_may_be_registered_goes_where_the_pattern_says(uri in "https://[a-z0-9]{1,4}([.-][a-z0-9]{1,4}){0,4}(:[1-9][0-9]{0,3})?([/?][a-z0-9.:@/?-]{0,12})?") {
            prop_assume!(crate::client::redirect_uri::check(&uri).is_ok());
            let browser = url::Url::parse(&uri);
            if let (Some(host), Ok(browser)) = (network_host(&uri), browser) {
                let goes_to = browser.host_str().unwrap_or_default();
                // What a browser normalizes to something else is admitted by no name that it could be taken for.
                if goes_to != host {
                    prop_assert!(!admits(goes_to, host));
                }
            }
        }

        #[test]
        fn no_pattern_and_no_host_make_it_panic(pattern in ".{0,20}", host in ".{0,20}") {
            let _ = admits(&pattern, &host);
        }
    }
}
