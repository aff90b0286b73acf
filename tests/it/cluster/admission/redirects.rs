//! `spec.redirectUris`: the place where other servers were broken most often.

use serde_json::json;

use super::{Row, accepts, refuses};

const CHARACTERS: &str =
    "must not contain a fragment (#), wildcard (*), whitespace, backslash or non-ASCII character";
const SCHEME: &str = "must be https://host/..., http:// on localhost, *.localhost, 127.0.0.0/8 or [::1], or a private-use scheme in reverse-DNS form such as com.example.app:/callback, or one without a dot that the tenant lists in spec.redirectSchemes";
const PORT: &str = "must have a port from 1 to 65535, or none";
const USER_INFO: &str = "must not contain user information";
const ABSOLUTE: &str = "must be an absolute URI";

async fn refuses_redirects(rows: &[(&str, &str, &str)]) {
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|&(name, uri, sentence)| {
            let spec = json!({ "redirectUris": [uri] });
            (name, spec, "spec.redirectUris[0]", sentence)
        })
        .collect();
    refuses(&rows).await;
}

#[tokio::test]
async fn k01_http_redirects_to_other_hosts_are_refused() {
    refuses_redirects(&[
        ("localhost-evil-com", "http://localhost.evil.com/cb", SCHEME),
        ("localhostevil", "http://localhostevil.com/cb", SCHEME),
        ("metadata-ip", "http://169.254.169.254/cb", SCHEME),
        ("private-ip", "http://10.0.0.1/cb", SCHEME),
        ("any-ip", "http://0.0.0.0/cb", SCHEME),
        ("decimal-ip", "http://2130706433/cb", SCHEME),
        ("mapped", "http://[::ffff:127.0.0.1]/cb", SCHEME),
        ("too-big-octet", "http://127.0.0.256/cb", SCHEME),
        ("trailing-dot", "http://localhost./cb", SCHEME),
        ("upper-case-scheme", "HTTP://localhost/cb", SCHEME),
    ])
    .await;
}

#[tokio::test]
async fn k02_loopback_https_and_reverse_dns_redirects_are_accepted() {
    let uris = [
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://127.255.255.254:65535/cb",
        "http://[::1]/cb",
        "http://test.localhost/cb",
        "https://app.example.com",
        "https://app.example.com:8443/cb?x=1",
        "https://[2001:db8::1]/cb",
        "com.example.app:/callback",
        "vscode://publisher.extension/callback",
    ];
    let all = json!({ "redirectUris": uris });
    let most: Vec<String> = (0..64)
        .map(|i| format!("https://app.example.com/{i}"))
        .collect();
    let longest = format!("https://app.example.com/{}", "x".repeat(512 - 24));
    accepts(&[
        ("all", all),
        ("most", json!({ "redirectUris": most })),
        ("longest", json!({ "redirectUris": [longest] })),
    ])
    .await;
}

#[tokio::test]
async fn k03_redirects_that_are_not_exact_absolute_uris_are_refused() {
    refuses_redirects(&[
        ("wildcard-host", "https://*.example.com/cb", CHARACTERS),
        ("wildcard-path", "https://app.example.com/*", CHARACTERS),
        ("fragment", "https://app.example.com/cb#x", CHARACTERS),
        (
            "backslash",
            r"https://app.example.com\@evil.com/",
            CHARACTERS,
        ),
        ("space", "https://app.example.com/a b", CHARACTERS),
        ("newline", "https://app.example.com/\n", CHARACTERS),
        ("unicode", "https://exämple.com/cb", CHARACTERS),
        (
            "user-info",
            "https://user:pass@app.example.com/cb",
            USER_INFO,
        ),
        ("relative", "/cb", SCHEME),
        ("no-scheme", "app.example.com/cb", ABSOLUTE),
        ("no-host", "https:///cb", SCHEME),
        ("port-0", "https://app.example.com:0/cb", PORT),
        ("port-65536", "https://app.example.com:65536/cb", PORT),
        ("port-99999", "http://localhost:99999?x=1", PORT),
        ("port-ipv6", "https://[2001:db8::1]:65536", PORT),
        (
            "empty",
            "",
            "spec.redirectUris[0] in body should be at least 1 chars long",
        ),
    ])
    .await;
}

#[tokio::test]
async fn k03_f81_too_many_or_too_long_redirects_are_refused() {
    let many: Vec<String> = (0..10_000)
        .map(|i| format!("https://app.example.com/{i}"))
        .collect();
    let long = format!("https://app.example.com/{}", "x".repeat(64 * 1024));
    let twice = ["https://app.example.com/cb"; 2];
    let people = json!({ "grantTypes": ["authorization_code"], "redirectUris": [] });
    refuses(&[
        (
            "ten-thousand",
            json!({ "redirectUris": many }),
            "spec.redirectUris",
            "must have at most 64 items",
        ),
        (
            "long",
            json!({ "redirectUris": [long] }),
            "spec.redirectUris[0]",
            "may not be more than 512 bytes",
        ),
        (
            "twice",
            json!({ "redirectUris": twice }),
            "spec.redirectUris[1]",
            "\"https://app.example.com/cb\"",
        ),
        (
            "nowhere-to-return",
            people,
            "spec",
            "authorization_code needs at least one entry in redirectUris",
        ),
    ])
    .await;
}

#[tokio::test]
async fn k04_schemes_that_run_code_or_belong_to_nobody_are_refused() {
    refuses_redirects(&[
        ("javascript", "javascript:alert(1)", SCHEME),
        ("javascript-slashes", "javascript://x/%0aalert(1)", SCHEME),
        ("data", "data:text/html,x", SCHEME),
        ("file", "file:///etc/passwd", SCHEME),
        ("about", "about:blank", SCHEME),
        ("no-dot", "my_app:/callback", SCHEME),
        ("two-letters", "ab:/callback", SCHEME),
        ("opaque", "vscode:callback", SCHEME),
        ("vbscript", "vbscript:/x", SCHEME),
        ("blob", "blob:/x", SCHEME),
        ("filesystem", "filesystem:/x", SCHEME),
        ("view-source", "view-source:/x", SCHEME),
        ("intent", "intent://x/", SCHEME),
        ("chrome-extension", "chrome-extension://x/", SCHEME),
        ("ms-settings", "ms-settings:/x", SCHEME),
        ("search-ms", "search-ms:/x", SCHEME),
        ("oob", "urn:ietf:wg:oauth:2.0:oob", SCHEME),
        ("ftp", "ftp://app.example.com/cb", SCHEME),
    ])
    .await;
}
