use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::client::identity::ClientObject;
use crate::domain::client::secret::DesiredSecret;
use crate::domain::reason::{Reason, Refusal};
use crate::tests::{generous, judged, keyring, object};

fn desired(spec: Value) -> Result<DesiredSecret, Refusal> {
    let object = object("web", spec);
    let client = judged(&object, &generous())?;
    let issuer = "https://id.example";
    Ok(DesiredSecret::new(
        &ClientObject::parse(&object),
        &client,
        issuer,
        &keyring(),
    ))
}

fn texts(desired: &DesiredSecret) -> BTreeMap<String, String> {
    let entries = desired.data.iter();
    entries
        .map(|(name, value)| (name.clone(), String::from_utf8(value.0.clone()).unwrap()))
        .collect()
}

fn written(secret: &Value) -> BTreeMap<String, String> {
    texts(&desired(json!({ "secret": secret })).unwrap())
}

fn refused(spec: Value) -> String {
    match desired(spec) {
        Err(refusal) => {
            assert_eq!(refusal.reason, Reason::InvalidSpec);
            refusal.message
        }
        Ok(_) => panic!("it was accepted"),
    }
}

fn names(entries: &BTreeMap<String, String>) -> Vec<&str> {
    entries.keys().map(String::as_str).collect()
}

/// Each as the consumer's documentation has it; see docs/how-to/secret-formats.md.
#[test]
fn formats_have_the_entries_that_their_consumers_read() {
    let secret = &written(&json!({}))["CLIENT_SECRET"];
    let table: [(&str, &[(&str, &str)]); 6] = [
        (
            "EnvoyGateway",
            &[("client-id", "team-a.web"), ("client-secret", secret)],
        ),
        (
            "ArgoCD",
            &[
                ("oidc.clientID", "team-a.web"),
                ("oidc.clientSecret", secret),
                ("oidc.issuer", "https://id.example"),
            ],
        ),
        (
            "Grafana",
            &[
                (
                    "GF_AUTH_GENERIC_OAUTH_API_URL",
                    "https://id.example/userinfo",
                ),
                (
                    "GF_AUTH_GENERIC_OAUTH_AUTH_URL",
                    "https://id.example/authorize",
                ),
                ("GF_AUTH_GENERIC_OAUTH_CLIENT_ID", "team-a.web"),
                ("GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET", secret),
                ("GF_AUTH_GENERIC_OAUTH_ENABLED", "true"),
                (
                    "GF_AUTH_GENERIC_OAUTH_LOGIN_ATTRIBUTE_PATH",
                    "preferred_username",
                ),
                ("GF_AUTH_GENERIC_OAUTH_NAME", "Clientele"),
                ("GF_AUTH_GENERIC_OAUTH_SCOPES", "openid profile email"),
                (
                    "GF_AUTH_GENERIC_OAUTH_TOKEN_URL",
                    "https://id.example/token",
                ),
                ("GF_AUTH_GENERIC_OAUTH_USE_PKCE", "true"),
            ],
        ),
        (
            "SpringBoot",
            &[
                (
                    "SPRING_SECURITY_OAUTH2_CLIENT_PROVIDER_OIDC_ISSUERURI",
                    "https://id.example",
                ),
                (
                    "SPRING_SECURITY_OAUTH2_CLIENT_PROVIDER_OIDC_USERNAMEATTRIBUTE",
                    "preferred_username",
                ),
                (
                    "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OIDC_CLIENTID",
                    "team-a.web",
                ),
                (
                    "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OIDC_CLIENTSECRET",
                    secret,
                ),
                (
                    "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OIDC_SCOPE",
                    "openid,profile,email",
                ),
            ],
        ),
        (
            "ServiceBinding",
            &[
                ("authorization-uri", "https://id.example/authorize"),
                ("client-id", "team-a.web"),
                ("client-secret", secret),
                ("issuer-uri", "https://id.example"),
                ("jwk-set-uri", "https://id.example/jwks"),
                ("provider", "clientele"),
                ("scope", "openid,profile,email"),
                ("token-uri", "https://id.example/token"),
                ("type", "oauth2"),
                ("user-info-uri", "https://id.example/userinfo"),
            ],
        ),
        ("Bare", &[]),
    ];
    for (format, expected) in table {
        let entries = written(&json!({ "format": format }));
        let pairs: Vec<(&str, &str)> = entries.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(pairs, expected, "{format}");
    }
}

#[test]
fn a_client_without_profile_gets_no_entry_that_names_its_claims() {
    for (format, name) in [
        ("Grafana", "GF_AUTH_GENERIC_OAUTH_LOGIN_ATTRIBUTE_PATH"),
        (
            "SpringBoot",
            "SPRING_SECURITY_OAUTH2_CLIENT_PROVIDER_OIDC_USERNAMEATTRIBUTE",
        ),
    ] {
        let spec = json!({
            "redirectUris": ["https://app.example.com/callback"],
            "scopes": ["openid", "email"],
            "secret": { "format": format },
        });
        let entries = texts(&desired(spec).unwrap());
        assert!(!entries.contains_key(name), "{format}");
        let own = json!({ "format": format, "template": { name: "sub" } });
        assert_eq!(written(&own)[name], "sub", "{format}");
    }
}

#[test]
fn oauth2_proxy_gets_a_key_for_cookies_of_a_length_that_it_takes() {
    use base64::Engine;
    let entries = written(&json!({ "format": "OAuth2Proxy" }));
    assert_eq!(
        names(&entries),
        ["client-id", "client-secret", "cookie-secret"]
    );
    let key = base64::engine::general_purpose::URL_SAFE
        .decode(&entries["cookie-secret"])
        .unwrap();
    assert_eq!(key.len(), 32);
    assert_eq!(
        entries,
        written(&json!({ "format": "OAuth2Proxy" })),
        "the same again"
    );
    assert!(!entries["client-secret"].contains(&entries["cookie-secret"]));
}

#[test]
fn type_and_labels_follow_from_the_format_unless_they_are_named() {
    let of = |secret: Value| desired(json!({ "secret": secret })).unwrap();
    assert_eq!(of(json!({})).type_, "Opaque");
    let binding = json!({ "format": "ServiceBinding" });
    assert_eq!(of(binding).type_, "servicebinding.io/oauth2");
    let opaque = json!({ "format": "ServiceBinding", "type": "Opaque" });
    assert_eq!(of(opaque).type_, "Opaque");
    let part_of = |secret| of(secret).labels["app.kubernetes.io/part-of"].clone();
    assert_eq!(part_of(json!({ "format": "ArgoCD" })), "argocd");
    let named = json!({ "format": "ArgoCD", "labels": { "app.kubernetes.io/part-of": "mine" } });
    assert_eq!(part_of(named), "mine");
}

#[test]
fn entries_and_templates_come_on_top_of_a_format() {
    let entries = written(&json!({
        "format": "EnvoyGateway",
        "entries": { "clientSecret": "password", "issuer": "issuer" },
        "template": { "client-id": "prefix-{{ clientId }}", "config.json": "{\"id\": {{ clientId | json }}}" },
    }));
    assert_eq!(
        names(&entries),
        ["client-id", "config.json", "issuer", "password"]
    );
    assert_eq!(entries["client-id"], "prefix-team-a.web");
    assert_eq!(entries["config.json"], r#"{"id": "team-a.web"}"#);
    let bare = written(&json!({ "format": "Bare", "template": { "id": "{{ clientId }}" } }));
    assert_eq!(names(&bare), ["id"]);
}

#[test]
fn names_that_are_swapped_are_swapped() {
    let entries = written(&json!({
        "entries": { "clientId": "CLIENT_SECRET", "clientSecret": "CLIENT_ID" },
    }));
    assert_eq!(entries["CLIENT_SECRET"], "team-a.web");
    assert!(entries["CLIENT_ID"].starts_with("clt_"));
}

#[test]
fn a_public_client_has_whatever_of_a_format_is_not_secret() {
    let spec = json!({
        "type": "Public", "redirectUris": ["https://a.example/cb"], "secret": { "format": "EnvoyGateway" },
    });
    assert_eq!(names(&texts(&desired(spec).unwrap())), ["client-id"]);
}

#[test]
fn every_value_that_a_template_can_name_is_there() {
    use clientele_api::secret_template::PLACEHOLDERS;
    let lines: Vec<String> = PLACEHOLDERS
        .iter()
        .map(|name| format!("{name}={{{{ {name} }}}}"))
        .collect();
    let spec = json!({
        "displayName": "Orders & \"more\"", "scopes": ["openid", "orders.read"], "audiences": ["https://orders.example"],
        "secret": { "format": "Bare", "template": { "all": lines.join("\n") } },
    });
    let all = &texts(&desired(spec).unwrap())["all"];
    for line in [
        "clientId=team-a.web",
        "issuer=https://id.example",
        "discoveryUrl=https://id.example/.well-known/openid-configuration",
        "endSessionEndpoint=https://id.example/logout",
        "revocationEndpoint=https://id.example/revoke",
        "introspectionEndpoint=https://id.example/introspect",
        "scopes=openid orders.read",
        "audiences=https://orders.example",
        "displayName=Orders & \"more\"",
        "name=web",
        "namespace=team-a",
        "tenant=default",
    ] {
        assert!(all.lines().any(|found| found == line), "{line}: {all}");
    }
    let mut lines = all.lines().map(|line| line.split_once('=').unwrap());
    assert!(lines.all(|(_, value)| !value.is_empty()), "{all}");
}

/// F72: what admission would have refused is refused here too.
#[test]
fn f72_a_shape_that_admission_would_have_refused_is_refused_here_too() {
    for (secret, part) in [
        (
            json!({ "template": { "a": "{{ x }}" } }),
            "unknown or not closed",
        ),
        (
            json!({ "template": { "a": "{{ clientId" } }),
            "unknown or not closed",
        ),
        (
            json!({ "template": { "a": "x".repeat(4097) } }),
            "unknown or not closed",
        ),
        (
            json!({ "template": { "LD_PRELOAD": "x" } }),
            "change how a program starts",
        ),
        (
            json!({ "template": { "path": "x" } }),
            "change how a program starts",
        ),
        (
            json!({ "template": { "../x": "x" } }),
            "must begin with a letter",
        ),
        (json!({ "template": { "tls.key": "x" } }), "TLS file"),
        (
            json!({ "type": "kubernetes.io/service-account-token" }),
            "secret.type must be Opaque",
        ),
        (json!({ "name": "bootstrap-token-abc123" }), "is reserved"),
        (json!({ "name": "clientele-root-key" }), "is reserved"),
        (json!({ "name": "../web" }), "lower case letters"),
        (
            json!({ "labels": { "app.kubernetes.io/managed-by": "me" } }),
            "are reserved",
        ),
        (json!({ "labels": { "a b": "x" } }), "a key is a name"),
        (json!({ "labels": { "team": "a b" } }), "must have values"),
        (
            json!({ "annotations": { "kubernetes.io/service-account.name": "admin" } }),
            "are reserved",
        ),
        (
            json!({ "annotations": { "clientele.dev/ours": "" } }),
            "are reserved",
        ),
        (
            json!({ "annotations": { "note": "x".repeat(1025) } }),
            "at most 1024",
        ),
        (
            json!({ "entries": { "issuer": "PATH" } }),
            "change how a program starts",
        ),
    ] {
        let said = refused(json!({ "secret": secret }));
        assert!(said.contains(part), "{secret}: {said}");
    }
    for mut spec in [
        json!({ "type": "Public", "redirectUris": ["https://a.example/cb"] }),
        json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": "web" }] }),
    ] {
        spec["secret"] = json!({ "template": { "a": "{{clientSecret|json}}" } });
        let said = refused(spec);
        assert!(
            said.contains("remove the placeholder clientSecret"),
            "{said}"
        );
    }
}

#[test]
fn templates_that_would_fill_the_secret_are_refused_before_they_do() {
    let scopes: Vec<String> = (0..64).map(|n| format!("{n:0>128}")).collect();
    let known: Vec<Value> = scopes.iter().map(|name| json!({ "name": name })).collect();
    let tenant = crate::tests::tenant(json!({ "scopes": known }));
    let many = "{{scopes}}".repeat(400);
    let object = object(
        "web",
        json!({ "scopes": scopes, "secret": { "template": { "a": many } } }),
    );
    let refusal = judged(&object, &tenant).unwrap_err();
    assert!(
        refusal.message.contains("shorten secret.template"),
        "{refusal:?}"
    );
}
