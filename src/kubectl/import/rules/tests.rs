use super::*;

#[test]
fn client_ids_are_judged_as_the_definition_does() {
    for (id, expected) in [
        ("apps.web", ClientId::Default),
        ("web", ClientId::Custom),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", ClientId::Custom),
        ("urn:example:web", ClientId::Uri),
        ("https://web.example.org/", ClientId::Uri),
        ("Kubernetes", ClientId::Reserved),
        ("vault", ClientId::Reserved),
    ] {
        assert_eq!(client_id(id, "apps", "web"), expected, "{id}");
    }
    for refused in [
        "",
        "a b",
        "other.web",
        "web.example.org",
        "usr:a",
        "system:x",
        "fam_a",
        "SYSTEM:x",
        &"x".repeat(129),
    ] {
        let judged = client_id(refused, "apps", "web");
        assert!(
            matches!(judged, ClientId::Refused(_)),
            "{refused}: {judged:?}"
        );
    }
}

#[test]
fn redirect_uris_are_judged_as_the_server_does() {
    for good in [
        "https://a.example/cb",
        "https://a.example:8443?x=1",
        "https://[2001:db8::1]/",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:1/",
        "com.example.app:/cb",
        "vscode://vendor.extension/callback",
        "https://a.example/%2F",
    ] {
        assert_eq!(redirect_uri(good), Ok(()), "{good}");
    }
    for bad in [
        "https://a.example/*",
        "https://*.example/",
        "*",
        "http://a.example/cb",
        "https://a.example/#x",
        "https://u@a.example/",
        "urn:ietf:wg:oauth:2.0:oob",
        "ab:/cb",
        "App:/cb",
        "https://a.example/%2",
        "file:///etc/passwd",
        "chrome-extension://abc/cb",
        "ms-settings:/x",
        "/relative",
        "https://a.example:0/",
        "javascript:alert(1)",
        "https://a.example/ä",
    ] {
        assert!(redirect_uri(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_to_do_about_a_redirect_uri_works_as_it_is_written() {
    for (uri, expected) in [
        (
            "urn:ietf:wg:oauth:2.0:oob",
            "register http://127.0.0.1 in spec.redirectUris",
        ),
        (
            "urn:ietf:wg:oauth:2.0:oob:auto",
            "register http://127.0.0.1 in spec.redirectUris",
        ),
        ("http://a.example/cb", "by https://"),
        (
            "https://a.example/*",
            "list the exact URI in spec.redirectUris",
        ),
    ] {
        assert!(redirect_uri(uri).is_err(), "{uri}");
        let todo = redirect_uri_todo(uri, "redirectUris");
        assert!(todo.contains(expected), "{uri}: {todo}");
    }
}

#[test]
fn origins_have_one_spelling() {
    for good in [
        "https://a.example",
        "https://a.example:8443",
        "http://localhost:5173",
    ] {
        assert_eq!(origin(good), Ok(()), "{good}");
    }
    for bad in [
        "*",
        "+",
        "https://a.example/",
        "https://A.example",
        "http://a.example",
        "https://a.example:443",
    ] {
        assert!(origin(bad).is_err(), "{bad}");
    }
}

#[test]
fn secrets_that_are_masked_or_can_be_guessed_are_refused() {
    assert_eq!(secret("abcdefghijklmnopqrstuv"), Ok(()));
    for (value, problem) in [
        ("**********", "masked"),
        ("", "empty"),
        ("abcdefghijklmnopqrstu", "shorter"),
        (&"ab".repeat(20), "repeats"),
        (&"abcdefgh".repeat(33), "longer"),
        ("abcdefghijklmnopqrstuv\n", "printable"),
    ] {
        let said = secret(value).unwrap_err();
        assert!(said.contains(problem), "{value}: {said}");
    }
}

#[test]
fn audiences_are_uris_and_never_the_clusters() {
    for good in [
        "https://api.example.org",
        "urn:example:orders",
        "https://kubernetes.example.org",
    ] {
        assert_eq!(audience(good), Ok(()), "{good}");
    }
    for bad in [
        "orders",
        "https:",
        "HTTPS://a",
        "https://a b",
        "https://a#b",
        "https://kubernetes.default.svc.cluster.local",
    ] {
        assert!(audience(bad).is_err(), "{bad}");
    }
}
