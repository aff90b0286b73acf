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
        // Whether the tenant lists it is judged beside its selectors.
        "vscode://publisher.extension/cb",
        "cursor:/cb",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
}

#[test]
fn k04_a_scheme_without_a_dot_is_none_that_systems_act_on() {
    let longest = format!("a{}", "b".repeat(30));
    for good in [
        "vscode",
        "vscode-insiders",
        "cursor",
        "web+app",
        "a2b",
        &longest,
    ] {
        assert_eq!(check_bare_scheme(good), Ok(()), "{good}");
        assert_eq!(bare_scheme(&format!("{good}:/cb")), Some(good));
    }
    let too_long = format!("a{}", "b".repeat(31));
    let mut bad = vec![
        "",
        "ab",
        "2ab",
        "-ab",
        "+ab",
        "Vscode",
        "vs_code",
        "vs.code",
        "vs code",
        "vscöde",
        &too_long,
        "http",
        "https",
        "chrome",
        "chrome-extension",
        "chromes",
        "ms-word",
        "ms-settings",
    ];
    bad.extend(ACTED_ON);
    for bad in bad {
        assert!(check_bare_scheme(bad).is_err(), "{bad}");
        assert!(
            bad.contains('.') || check(&format!("{bad}:/cb")).is_err(),
            "{bad}"
        );
    }
    for other in [
        "com.example.app:/cb",
        "https://a.example",
        "http://localhost",
        "x",
    ] {
        assert_eq!(bare_scheme(other), None, "{other}");
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
        "my_app:/cb",
        "vscode:cb",
        "vscode://a@publisher.extension/cb",
        "Vscode:/cb",
        "view-source:/cb",
        "ms-word:/cb",
        "HTTPS://app.example/cb",
        "https://app.example/c b",
        "https://äpp.example/cb",
    ] {
        assert!(check(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_port_that_is_none_is_named() {
    for (uri, is_about_port) in [
        ("https://app.example:0/cb", true),
        ("https://app.example:99999/cb", true),
        ("https://app.example:80:81/cb", true),
        ("https://app.example:/cb", true),
        ("http://localhost:x?y", true),
        ("https://[::1]:65536", true),
        ("https://a:b@app.example/cb", false),
        ("http://app.example:80/cb", false),
        ("https://app..example:80/cb", false),
    ] {
        let problem = check(uri).unwrap_err();
        assert_eq!(problem == PORT, is_about_port, "{uri}: {problem}");
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

/// What a request named, and whether it matches what is registered.
#[track_caller]
fn only(registered: &str, asked: &[&str], accepted: bool) {
    for asked in asked {
        for client_type in [ClientType::Confidential, ClientType::Public] {
            assert_eq!(
                matches(registered, asked, client_type),
                accepted,
                "{registered} {asked} {client_type:?}"
            );
        }
    }
}

#[test]
fn a16_a17_localhost_varies_its_port_for_public_clients_only() {
    use ClientType::{Confidential, Public};
    let registered = "http://localhost/cb";
    for (registered, asked, public, confidential) in [
        (registered, registered, true, true),
        (registered, "http://localhost:51004/cb", true, false),
        (
            "http://localhost:3000/cb",
            "http://localhost:1/cb",
            true,
            false,
        ),
        (
            "http://localhost:3000/cb",
            "http://localhost/cb",
            true,
            false,
        ),
        ("http://localhost", "http://localhost:51004", true, false),
        (registered, "http://localhost:0/cb", false, false),
        (registered, "http://localhost:99999/cb", false, false),
        (registered, "http://localhost:/cb", false, false),
        (registered, "http://localhost:80@evil/cb", false, false),
        (registered, "http://localhost.:51004/cb", false, false),
        (registered, "http://LOCALHOST:51004/cb", false, false),
        (registered, "http://a.localhost:51004/cb", false, false),
        (registered, "http://localhost.evil:51004/cb", false, false),
        (registered, "http://127.0.0.1:51004/cb", false, false),
        (registered, "http://[::1]:51004/cb", false, false),
        (registered, "http://localhost:51004/CB", false, false),
        (registered, "http://localhost:51004/cb/", false, false),
        (registered, "https://localhost:51004/cb", false, false),
        (
            "http://a.localhost/cb",
            "http://a.localhost:9/cb",
            false,
            false,
        ),
        (
            "https://localhost/cb",
            "https://localhost:9/cb",
            false,
            false,
        ),
        (
            "http://127.0.0.1/cb",
            "http://localhost:51004/cb",
            false,
            false,
        ),
    ] {
        let found = (
            matches(registered, asked, Public),
            matches(registered, asked, Confidential),
        );
        assert_eq!(found, (public, confidential), "{registered} {asked}");
    }
}

#[test]
fn a04_to_a14_a_redirect_uri_is_compared_byte_for_byte() {
    let registered = "https://app.example/cb";
    only(registered, &[registered], true);
    let others = [
        "",
        "https://app.example/cb/",
        "https://app.example/cb?x=1",
        "https://app.example/cb/../evil",
        "https://app.example/cb/..;/evil",
        "https://app.example/cb%2f..%2fevil",
        "https://app.example/%63b",
        "https://app.example/%2563b",
        "https://app.example@evil.example/cb",
        "https://a@b@app.example/cb",
        "https://app.example.evil.example/cb",
        "https://appXexample/cb",
        "HTTPS://APP.EXAMPLE/cb",
        "https://app.example:443/cb",
        "https://app.example/cb#frag",
        "http://app.example/cb",
        "https://app.example/cb ",
        "https://app.example\\@evil/cb",
        "https://app。example/cb",
    ];
    only(registered, &others, false);
}

#[test]
fn a16_to_a19_the_port_of_a_loopback_ip_literal_may_vary_and_nothing_else() {
    let good = [
        "http://127.0.0.1:51004/cb",
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://127.0.0.1/cb",
    ];
    only("http://127.0.0.1/cb", &good, true);
    only("http://127.0.0.1:8000/cb", &good, true);
    let bad = [
        "http://localhost:51004/cb",
        "http://127.0.0.2/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://127.0.0.1:80:81/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1:@evil/cb",
        "http://127.0.0.1:80@evil/cb",
        "http://127.0.0.1@evil/cb",
        "http://127.0.0.1:51004/CB",
        "http://127.0.0.1:51004/cb?",
        "http://127.0.0.1:51004/cb#",
        "http://127.0.0.1:51004",
        "https://127.0.0.1:51004/cb",
        "http://127.0.0.1.evil/cb",
        "http://127.0.0.01/cb",
    ];
    only("http://127.0.0.1/cb", &bad, false);
    only("http://[::1]/cb", &["http://[::1]:9/cb"], true);
    let bad = [
        "http://[0:0:0:0:0:0:0:1]:9/cb",
        "http://[::1]9/cb",
        "http://127.0.0.1/cb",
    ];
    only("http://[::1]/cb", &bad, false);
    only("http://a.localhost/cb", &["http://a.localhost:9/cb"], false);
    only("https://127.0.0.1/cb", &["https://127.0.0.1:9/cb"], false);
    only(
        "com.example.app:/cb",
        &["com.example.app:/cb/", "com.example.app:9/cb"],
        false,
    );
}

#[test]
fn where_a_person_goes_is_a_host_or_an_application() {
    for (uri, expected, on_device) in [
        ("https://app.example/cb", "app.example", false),
        ("https://app.example:8443?x=/", "app.example:8443", false),
        ("https://[2001:db8::1]/cb", "[2001:db8::1]", false),
        ("http://127.0.0.1:9/cb", "127.0.0.1:9", true),
        ("http://localhost", "localhost", true),
        ("com.example.app:/callback", "com.example.app", true),
        ("com.example.app://x/callback", "com.example.app", true),
    ] {
        assert_eq!(
            (returns_to(uri), is_on_device(uri)),
            (expected, on_device),
            "{uri}"
        );
    }
}

/// URIs close to each other, so that pairs often almost match.
fn uri() -> impl Strategy<Value = String> {
    "(http|https|HTTP)://(127\\.0\\.0\\.1|127\\.0\\.0\\.2|\\[::1\\]|localhost|app\\.example|127\\.1|a@127\\.0\\.0\\.1)(:[0-9@:+]{0,6})?(/cb|/cb/|/|)(\\?x|#f|\\\\@e)?"
}

proptest! {
    /// P2: what the matcher takes for the same, the parser of browsers sends to the same place.
    #[test]
    fn p2_accepted_means_equal_or_the_same_loopback_but_for_the_port(registered in uri(), asked in uri()) {
        if matches(&registered, &asked, ClientType::Public) && registered != asked {
            let (mut one, mut other) = (url::Url::parse(&registered).unwrap(), url::Url::parse(&asked).unwrap());
            prop_assert_eq!(one.scheme(), "http");
            let loopback = match one.host() {
                Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
                Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
                Some(url::Host::Domain(name)) => name == "localhost",
                None => false,
            };
            prop_assert!(loopback, "{} {}", registered, asked);
            one.set_port(None).unwrap();
            other.set_port(None).unwrap();
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn p2_any_pair_of_texts_matches_only_when_equal_or_loopback(registered in ".{0,60}", asked in ".{0,60}") {
        prop_assert!(!matches(&registered, &asked, ClientType::Public) || registered == asked || registered.starts_with("http://"));
    }

    #[test]
    fn p2_every_port_of_a_loopback_is_accepted(port in 1u16..) {
        let asked = format!("http://127.0.0.1:{port}/cb");
        prop_assert!(matches("http://127.0.0.1/cb", &asked, ClientType::Confidential));
        prop_assert!(matches(&asked, "http://127.0.0.1/cb", ClientType::Confidential));
    }
}
