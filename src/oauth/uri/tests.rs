use super::*;
use proptest::prelude::*;

#[test]
fn resources_are_the_same_but_for_case_default_port_and_empty_path() {
    for (one, other, same) in [
        ("https://mcp.example", "https://mcp.example/", true),
        ("https://mcp.example", "HTTPS://MCP.example:443/", true),
        ("http://mcp.example:80", "http://mcp.example", true),
        ("https://mcp.example:", "https://mcp.example", true),
        ("https://mcp.example?a=B", "https://mcp.example/?a=B", true),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]/", true),
        ("api://Orders", "API://orders/", true),
        ("urn:example:orders", "URN:example:orders", true),
        ("https://mcp.example/a", "https://mcp.example/a/", false),
        ("https://mcp.example/a", "https://mcp.example/A", false),
        ("https://mcp.example/a", "https://mcp.example/%61", false),
        ("https://mcp.example/a", "https://mcp.example/b/../a", false),
        ("https://mcp.example:8443", "https://mcp.example", false),
        ("http://mcp.example:443", "http://mcp.example", false),
        ("http://mcp.example", "https://mcp.example", false),
        ("https://mcp.example", "https://mcp.example//", false),
        ("https://mcp.example", "https://mcp.example/?", false),
        ("https://mcp.example", "https://mcp.example.", false),
        ("https://mcp.example", "https://User@mcp.example", false),
        ("https://User@a.example", "https://user@a.example", false),
        ("urn:example:orders", "urn:example:Orders", false),
        ("urn:example:orders", "urn:example:orders/", false),
        ("orders", "Orders", false),
        ("orders", "orders/", false),
    ] {
        assert_eq!(same_resource(one, other), same, "{one} {other}");
        assert_eq!(same_resource(other, one), same, "{other} {one}");
    }
}

#[test]
fn names_are_compared_after_rfc_3986() {
    for (one, other, same) in [
        ("https://a.example", "HTTPS://A.example:443/", true),
        ("https://a.example/b", "https://a.example/%62", true),
        ("https://a.example/%2f", "https://a.example/%2F", true),
        ("https://a.example/b", "https://a.example/./c/../b", true),
        ("https://a.example/b/", "https://a.example/b/c/..", true),
        ("https://a.example/b", "https://a.example/../../b", true),
        ("usr:a", "USR:a", true),
        ("usr:a", "%75sr:%61", true),
        ("team-a.web", "team%2Da.web", true),
        ("https://a.example/b", "https://a.example/B", false),
        ("https://a.example/b", "https://a.example/b/", false),
        ("https://a.example/%2F", "https://a.example//", false),
        ("alice", "Alice", false),
        ("a%zz", "a%ZZ", false),
        ("a%2", "a", false),
    ] {
        assert_eq!(name_key(one) == name_key(other), same, "{one} {other}");
    }
}

fn uri() -> impl Strategy<Value = String> {
    "(https|HTTP|urn|a\\+b)(:|://)([Aa]@)?([Aa]\\.b|\\[::A\\])?(:(443|80|8)?)?(/|/\\.\\./|/%41|/%2f|/a/\\.)?(\\?q|\\?)?"
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_a_key_is_its_own_key(text in "\\PC{0,60}|[%a-zA-Z0-9:/@.?]{0,40}") {
        let key = name_key(&text);
        prop_assert_eq!(name_key(&key), key.clone(), "{}", text);
        let key = resource_key(&text).into_owned();
        prop_assert_eq!(&*resource_key(&key), &*key);
    }

    #[test]
    fn what_is_one_resource_is_one_name(one in uri(), other in uri()) {
        if same_resource(&one, &other) {
            prop_assert_eq!(name_key(&one), name_key(&other));
        }
    }

    #[test]
    fn what_a_browser_takes_for_the_same_url_is_one_resource(
        host in "[a-zA-Z]{1,5}\\.[a-zA-Z]{2,3}", port in "(:443)?", path in "(/[a-z]{0,3}){0,2}",
    ) {
        let uri = format!("https://{host}{port}{path}");
        let parsed = url::Url::parse(&uri).unwrap();
        prop_assert!(same_resource(&uri, parsed.as_str()), "{} {}", uri, parsed);
    }
}
