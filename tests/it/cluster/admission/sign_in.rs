//! The fields of an OAuthClient that are about people signing in.

use serde_json::{Value, json};

use super::{accepts, refuses};

const URI: &str = "https://app.example.com/cb";

/// A client for people with one more field.
fn with(field: &str, value: Value) -> Value {
    json!({ "redirectUris": [URI], field: value })
}

#[tokio::test]
async fn a_client_for_people_with_everything_is_accepted() {
    accepts(&[
        (
            "everything",
            json!({
                "redirectUris": [URI, "http://127.0.0.1/cb", "com.example.app:/cb"],
                "postLogoutRedirectUris": ["https://app.example.com/bye"],
                "allowedOrigins": ["https://app.example.com", "https://[2001:db8::1]:8443", "http://localhost:3000", "http://[::1]:3000"],
                "requirePkce": false,
                "idTokenSignedResponseAlg": "ES256",
                "idTokenClaims": "Requested",
                "allowedGroups": ["staff", "team-a:admins", "Führung"],
                "scopes": ["openid", "groups", "offline_access"],
                "lifetimes": {
                    "authorizationCode": "10m", "accessToken": "24h", "idToken": "24h",
                    "refreshToken": "8760h", "refreshTokenIdle": "8760h",
                },
                "secret": { "entries": { "authorizationEndpoint": "OIDC_AUTH_URL" } },
            }),
        ),
        (
            "public",
            json!({ "type": "Public", "redirectUris": [URI], "requirePkce": true }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn m13_an_origin_has_one_spelling() {
    const FORM: &str = "must be an origin in lower case without a path, such as https://app.example.com or https://app.example.com:8443; http only on localhost, *.localhost, 127.0.0.0/8 and [::1]";
    const DEFAULT: &str = "must not name the default port, because no browser sends it";
    const PORT: &str = "must have a port from 1 to 65535, or none";
    let table = [
        ("null", "null", FORM),
        ("star", "*", FORM),
        ("wildcard", "https://*.example.com", FORM),
        ("slash", "https://app.example.com/", FORM),
        ("query", "https://app.example.com?x", FORM),
        ("upper", "https://APP.example.com", FORM),
        ("http", "http://app.example.com", FORM),
        ("look-alike", "http://localhost.evil.example", FORM),
        ("user", "https://a@app.example.com", FORM),
        ("scheme", "app.example.com", FORM),
        ("port-zero", "https://app.example.com:0", PORT),
        ("port-large", "https://app.example.com:65536", PORT),
        ("https-port", "https://app.example.com:443", DEFAULT),
        ("http-port", "http://localhost:80", DEFAULT),
    ];
    refuses(&table.map(|(name, origin, sentence)| {
        let spec = with("allowedOrigins", json!([origin]));
        (name, spec, "spec.allowedOrigins[0]", sentence)
    }))
    .await;
}

#[tokio::test]
async fn j01_k04_post_logout_uris_follow_the_rules_of_redirect_uris() {
    const FORM: &str = "must be https://host/..., http:// on localhost, *.localhost, 127.0.0.0/8 or [::1], or a private-use scheme in reverse-DNS form such as com.example.app:/callback, or one without a dot that the tenant lists in spec.redirectSchemes";
    let table = [
        ("script", "javascript:alert(1)"),
        ("data", "data:text/html,x"),
        ("http", "http://app.example.com/bye"),
    ];
    refuses(&table.map(|(name, uri)| {
        let spec = with("postLogoutRedirectUris", json!([uri]));
        (name, spec, "spec.postLogoutRedirectUris[0]", FORM)
    }))
    .await;
}

#[tokio::test]
async fn k14_groups_that_mean_something_to_a_cluster_are_refused() {
    const RESERVED: &str =
        "is reserved, because Kubernetes gives groups that begin with system: a meaning of its own";
    const READABLE: &str =
        "must not contain spaces, control, formatting or bidirectional characters";
    let table = [
        ("masters", json!(["system:masters"]), "[0]", RESERVED),
        ("mixed", json!(["System:masters"]), "[0]", RESERVED),
        ("space", json!(["a b"]), "[0]", READABLE),
        ("zero-width", json!(["staff\u{200b}"]), "[0]", READABLE),
        (
            "unknown",
            json!([]),
            "",
            "spec.allowedGroups in body should have at least 1 items",
        ),
    ];
    let fields = table.map(|(name, groups, place, sentence)| {
        let field = format!("spec.allowedGroups{place}");
        (name, with("allowedGroups", groups), field, sentence)
    });
    let rows: Vec<_> = fields
        .iter()
        .map(|(name, spec, field, sentence)| (*name, spec.clone(), field.as_str(), *sentence))
        .collect();
    refuses(&rows).await;
}

#[tokio::test]
async fn k05_k06_lifetimes_and_pkce_that_make_no_sense_are_refused() {
    let lifetime = |field: &str, text: &str| with("lifetimes", json!({ field: text }));
    let pair = |a: &str, b: &str, c: &str, d: &str| with("lifetimes", json!({ a: b, c: d }));
    refuses(&[
        (
            "code-long",
            lifetime("authorizationCode", "3600s"),
            "spec.lifetimes.authorizationCode",
            "must be at least 1s and at most 10m",
        ),
        (
            "code-zero",
            lifetime("authorizationCode", "0s"),
            "spec.lifetimes.authorizationCode",
            "must be at least 1s and at most 10m",
        ),
        (
            "id-long",
            lifetime("idToken", "25h"),
            "spec.lifetimes.idToken",
            "must be at least 1s and at most 24h",
        ),
        (
            "refresh-long",
            lifetime("refreshToken", "8761h"),
            "spec.lifetimes.refreshToken",
            "must be at least 1s and at most 8760h",
        ),
        (
            "refresh-days",
            lifetime("refreshToken", "30d"),
            "spec.lifetimes.refreshToken",
            "must be a duration in h, m and s, such as 10m or 1h30m; use h, m, s; 30 days is 720h",
        ),
        (
            "refresh-shorter",
            pair("refreshToken", "5m", "accessToken", "10m"),
            "spec.lifetimes",
            "refreshToken must be at least accessToken: a token that renews another must outlive it",
        ),
        (
            "idle-longer",
            pair("refreshToken", "24h", "refreshTokenIdle", "48h"),
            "spec.lifetimes",
            "refreshTokenIdle must be at most refreshToken: unused, a refresh token ends no later than in use",
        ),
        (
            "public-pkce",
            json!({ "type": "Public", "redirectUris": [URI], "requirePkce": false }),
            "spec",
            "requirePkce can be false only for a Confidential client; a Public client has nothing else that protects its codes",
        ),
        (
            "algorithm",
            with("idTokenSignedResponseAlg", json!("HS256")),
            "spec.idTokenSignedResponseAlg",
            r#"supported values: "ES256", "RS256", "EdDSA""#,
        ),
        (
            "entries",
            json!({ "secret": { "entries": { "issuer": "AUTHORIZATION_ENDPOINT" } } }),
            "spec.secret.entries",
            "two entries have the same name; give each entry its own",
        ),
    ])
    .await;
}
