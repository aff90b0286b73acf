//! OAuthClients.

use serde_json::{Value, json};

use super::{Kind, agree};
use crate::support::judge;

#[tokio::test]
async fn clients_are_judged_alike_by_admission_and_program() {
    agree(Kind {
        plural: "oauthclients",
        kind: "OAuthClient",
        namespaced: true,
        valid,
        fields,
        judge: judge::client,
        // The tenant may give such an ID to one namespace.
        program_only: &["is a name that Kubernetes uses itself"],
    })
    .await;
}

fn valid() -> Vec<Value> {
    let key = json!({ "kty": "EC", "crv": "P-256", "kid": "one", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
    vec![
        json!({}),
        json!({ "redirectUris": ["https://app.example.com/cb"] }),
        json!({ "type": "Public", "redirectUris": ["http://127.0.0.1/cb"] }),
        json!({ "redirectUris": ["https://app.example.com/cb"], "grantTypes": ["authorization_code", "client_credentials"], "firstParty": true }),
        json!({ "tokenEndpointAuthMethod": "private_key_jwt", "jwks": { "keys": [key] } }),
        json!({ "serviceAccounts": [{ "name": "web" }] }),
        json!({ "rotation": { "every": "720h" } }),
        json!({ "secret": { "name": "other", "template": { "config.ini": "id={{ clientId }}" } } }),
    ]
}

/// Without `serviceAccounts: []`: read, it is the same as none, which the API server admits.
fn fields() -> Vec<(&'static str, Vec<Value>)> {
    let texts = |texts: &[&str]| -> Vec<Value> { texts.iter().map(|text| json!(text)).collect() };
    let uris: Vec<Value> = URIS.iter().map(|uri| json!([uri])).collect();
    let lists = |values: &[&str]| -> Vec<Value> {
        let mut lists: Vec<Value> = values.iter().map(|value| json!([value])).collect();
        lists.extend([json!([]), json!(values), json!([values[0], values[0]])]);
        lists
    };
    vec![
        (
            "displayName",
            texts(&[
                "",
                "Web",
                "a\u{202e}b",
                "a\nb",
                "\u{0}",
                "日本語",
                &"x".repeat(100),
                &"x".repeat(101),
                " ",
                "é",
            ]),
        ),
        (
            "clientId",
            texts(&[
                "",
                "web",
                "a.b",
                "A.b",
                "a-b.c",
                ".a",
                "a.",
                "-a.b",
                "a~b",
                "a:b",
                "a/b",
                "a b",
                "ü",
                "kubernetes",
                "Kubernetes",
                "VAULT",
                "sts.amazonaws.com",
                "usr:x",
                &"x".repeat(128),
                &"x".repeat(129),
            ]),
        ),
        ("type", texts(&["Public", "Confidential", "public", ""])),
        ("firstParty", vec![json!(true), json!(false)]),
        (
            "redirectUris",
            [
                uris.clone(),
                vec![
                    json!([]),
                    json!([URIS[0], URIS[0]]),
                    json!([URIS[0], URIS[1]]),
                ],
            ]
            .concat(),
        ),
        ("postLogoutRedirectUris", uris),
        (
            "allowedOrigins",
            lists(&[
                "https://app.example.com",
                "https://app.example.com/",
                "http://localhost:3000",
                "http://app.example.com",
                "https://app.example.com:443",
                "https://APP.example.com",
                "null",
                "*",
                "https://*.example.com",
                "http://127.0.0.1",
                "http://127.0.0.256",
                "https://[::1]",
                "http://[::1]:80",
                "http://a.localhost",
                "https://a_b.example",
            ]),
        ),
        ("requirePkce", vec![json!(true), json!(false)]),
        (
            "idTokenSignedResponseAlg",
            texts(&["RS256", "ES256", "EdDSA", "none", "HS256"]),
        ),
        (
            "allowedGroups",
            lists(&[
                "staff",
                "system:masters",
                "System:x",
                "a b",
                "ü",
                "",
                "a\u{200b}",
                &"x".repeat(128),
                &"x".repeat(129),
            ]),
        ),
        (
            "grantTypes",
            vec![
                json!([]),
                json!(["client_credentials"]),
                json!(["authorization_code"]),
                json!(["refresh_token"]),
                json!(["authorization_code", "refresh_token"]),
                json!(["password"]),
                json!(["client_credentials", "client_credentials"]),
            ],
        ),
        (
            "scopes",
            lists(&[
                "openid",
                "a b",
                "a\"b",
                "a\\b",
                "ü",
                "",
                &"x".repeat(128),
                &"x".repeat(129),
            ]),
        ),
        (
            "audiences",
            lists(&[
                "https://api.example.com",
                "api",
                "https://api.example.com#f",
                "https://kubernetes.default.svc",
                "urn:x:y",
                "HTTPS://api.example.com",
            ]),
        ),
        (
            "assertionAudience",
            texts(&["Issuer", "TokenEndpoint", "issuer"]),
        ),
        ("idTokenClaims", texts(&["All", "Requested", "all"])),
        (
            "tokenEndpointAuthMethod",
            texts(&[
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
                "service_account",
                "none",
            ]),
        ),
        (
            "jwks",
            vec![
                json!({ "keys": [] }),
                json!({ "keys": [{ "kty": "EC" }] }),
                json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }),
                json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }),
            ],
        ),
        (
            "serviceAccounts",
            vec![
                json!([{ "name": "web" }]),
                json!([{ "name": "Web" }]),
                json!([{ "name": "a..b" }]),
                json!([{ "name": "web", "uid": "x" }]),
                json!([{ "name": "web" }, { "name": "web" }]),
            ],
        ),
        (
            "lifetimes",
            vec![
                json!({}),
                json!({ "accessToken": "5m" }),
                json!({ "accessToken": "0s" }),
                json!({ "accessToken": "25h" }),
                json!({ "idToken": "1d" }),
                json!({ "authorizationCode": "11m" }),
                json!({ "refreshToken": "1h", "refreshTokenIdle": "2h" }),
                json!({ "accessToken": "" }),
            ],
        ),
        (
            "secret",
            vec![
                json!({ "name": "x" }),
                json!({ "name": "X" }),
                json!({ "name": "" }),
                json!({ "type": "kubernetes.io/tls" }),
                json!({ "type": "Opaque" }),
                json!({ "format": "ServiceBinding" }),
                json!({ "template": { "a": "{{ clientSecret }}" } }),
                json!({ "template": { "a/b": "x" } }),
                json!({ "template": { "a": "{{ nothing }}" } }),
                json!({ "labels": { "a": "b" } }),
                json!({ "annotations": { "clientele.dev/x": "y" } }),
                json!({ "entries": { "clientId": "ID" } }),
                json!({ "entries": { "clientId": "a b" } }),
            ],
        ),
        (
            "secretRef",
            vec![
                json!({ "name": "mine", "key": "secret" }),
                json!({ "name": "mine", "key": "a", "previousKey": "a" }),
                json!({ "name": "", "key": "a" }),
                json!({ "name": "mine", "key": "a/b" }),
            ],
        ),
        (
            "rotation",
            vec![
                json!({}),
                json!({ "every": "720h" }),
                json!({ "every": "1s" }),
                json!({ "requestId": "one" }),
                json!({ "requestId": "" }),
                json!({ "quietPeriod": "1h" }),
                json!({ "maxOverlap": "1h" }),
            ],
        ),
        ("deletionPolicy", texts(&["Delete", "Retain", "delete"])),
        ("suspended", vec![json!(true), json!("yes")]),
    ]
}

/// Redirect URIs, right ones and wrong ones.
const URIS: [&str; 44] = [
    "https://app.example.com/cb",
    "https://app.example.com",
    "https://app.example.com:8443/cb?x=1",
    "https://app.example.com:0/cb",
    "https://app.example.com:65535/cb",
    "https://app.example.com:65536/cb",
    "https://app.example.com/cb#f",
    "https://*.example.com/cb",
    "https://user@app.example.com/cb",
    "https://app.example.com/a@b",
    "https://app.example.com?x=//a@b",
    "http://app.example.com/cb",
    "http://localhost/cb",
    "http://localhost:3000/cb",
    "http://app.localhost/cb",
    "http://LOCALHOST/cb",
    "http://127.0.0.1:1/cb",
    "http://127.0.0.256/cb",
    "http://127.1/cb",
    "http://[::1]/cb",
    "http://[::2]/cb",
    "https://[::1]/cb",
    "https://[::1/cb",
    "https:/app.example.com",
    "https:app.example.com",
    "https://-a.example.com/cb",
    "https://a_b.example.com/cb",
    "https://app.example.com./cb",
    "https://app.example.com/cb\\x",
    "https://app.example.com/ü",
    "https://app.example.com/%",
    "https://app.example.com/%zz",
    "com.example.app:/cb",
    "com.example.app://cb",
    "vscode://cb",
    "vscode:/cb",
    "ms-word:/cb",
    "chrome:/cb",
    "ab:/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "urn:ietf:wg:oauth:2.0:oob",
    "",
    " https://app.example.com/cb",
];
