//! `OAuthTenant`.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{blames, causes};
use crate::support::test_namespace::{TestNamespace, eventually};

const URI: &str = "must be an absolute URI without a fragment, such as https://orders.example.com or urn:example:orders";
const CLUSTER: &str = "is an audience of the Kubernetes API server; a token of this server must never be one for the cluster";
const OPENID: &str = "is a scope that every tenant has; remove it";
const DURATION: &str =
    "must be a duration in h, m and s, such as 10m or 1h30m; use h, m, s; 30 days is 720h";
const NAME: &str = "the name of an OAuthTenant must be at most 40 lower case letters, digits and '-', because it is part of the issuer's URL";

fn audience(uri: &str) -> Value {
    json!({ "audiences": [{ "uri": uri }] })
}

fn mapped(claim: Value) -> Value {
    json!({ "audiences": [{ "uri": "urn:a", "claims": [claim] }] })
}

fn scope(name: &str) -> Value {
    json!({ "scopes": [{ "name": name }] })
}

fn redirect_scheme(scheme: &str) -> Value {
    json!({ "redirectSchemes": [{ "schemes": [scheme], "namespaces": {} }] })
}

fn lifetime(kind: &str, text: &str) -> Value {
    json!({ "lifetimes": { kind: { "accessToken": text } } })
}

#[tokio::test]
async fn k05_f53_mistakes_in_a_tenant_are_answered_with_the_remedy() {
    let space = TestNamespace::new("admission").await;
    let long = "n".repeat(41);
    let rotate = json!({ "signing": { "rotateEvery": "1m" } });
    let table = [
        (
            "cluster",
            audience("https://kubernetes.default.svc"),
            "spec.audiences[0].uri",
            CLUSTER,
        ),
        (
            "cluster-short",
            audience("https://kubernetes"),
            "spec.audiences[0].uri",
            CLUSTER,
        ),
        (
            "cluster-long",
            audience("https://kubernetes.default.svc.cluster.local:443/"),
            "spec.audiences[0].uri",
            CLUSTER,
        ),
        (
            "person",
            audience("usr:AAAA"),
            "spec.audiences[0].uri",
            "must not begin with usr: or system:, which are reserved for people and for the cluster",
        ),
        ("relative", audience("orders"), "spec.audiences[0].uri", URI),
        (
            "fragment",
            audience("https://a.example/#x"),
            "spec.audiences[0].uri",
            URI,
        ),
        ("openid", scope("openid"), "spec.scopes[0].name", OPENID),
        (
            "offline",
            scope("offline_access"),
            "spec.scopes[0].name",
            OPENID,
        ),
        ("groups", scope("groups"), "spec.scopes[0].name", OPENID),
        (
            "default-zero",
            lifetime("default", "0s"),
            "spec.lifetimes.default.accessToken",
            "must be at least 1s and at most 24h",
        ),
        (
            "default-days",
            lifetime("default", "1d"),
            "spec.lifetimes.default.accessToken",
            DURATION,
        ),
        (
            "maximum-long",
            lifetime("maximum", "25h"),
            "spec.lifetimes.maximum.accessToken",
            "must be at least 1s and at most 24h",
        ),
        (
            "rotation",
            rotate,
            "spec.signing.rotateEvery",
            "must be at least 1h and at most 8760h",
        ),
        (
            "hs256",
            json!({ "signing": { "algorithm": "HS256" } }),
            "spec.signing.algorithm",
            r#"supported values: "ES256", "RS256", "EdDSA""#,
        ),
        (
            "unpublished",
            json!({ "signing": { "algorithms": ["RS256"] } }),
            "spec.signing.algorithms",
            "the algorithm of access tokens, which is ES256 unless algorithm is set, must be among algorithms: add it there, or set algorithm to one of them",
        ),
        (
            "pkce",
            json!({ "pkce": "Optional" }),
            "spec.pkce",
            r#"supported values: "ByClient", "Required""#,
        ),
        (
            "typ",
            json!({ "accessTokens": { "type": "jwt" } }),
            "spec.accessTokens.type",
            r#"supported values: "at+jwt", "JWT""#,
        ),
        (
            "claim-of-the-protocol",
            mapped(json!({ "name": "sub", "value": "root" })),
            "spec.audiences[0].claims[0].name",
            "is a claim of the protocol, which only the server sets; choose another name",
        ),
        (
            "claim-of-nothing",
            mapped(json!({ "name": "roles" })),
            "spec.audiences[0].claims[0]",
            "a claim has either from (an attribute of the user) or value (a constant); set exactly one of them",
        ),
        (
            "constant-with-prefix",
            mapped(json!({ "name": "env", "value": "prod", "prefix": "p" })),
            "spec.audiences[0].claims[0]",
            "prefix and rename apply to an attribute of the user; remove them, or set from instead of value",
        ),
        (
            "constant-with-quote",
            mapped(json!({ "name": "env", "value": "a\"b" })),
            "spec.audiences[0].claims[0].value",
            "must be printable ASCII without quote and backslash",
        ),
        (
            "scheme-dotted",
            redirect_scheme("com.example.app"),
            "spec.redirectSchemes[0].schemes[0]",
            "must be a private-use scheme without a dot, such as vscode: 3 to 31 lower case letters, digits, '+' and '-'; one in reverse-DNS form such as com.example.app is allowed without being listed",
        ),
        (
            "scheme-acted-on",
            redirect_scheme("ms-settings"),
            "spec.redirectSchemes[0].schemes[0]",
            "is a scheme that browsers and operating systems handle themselves; remove it",
        ),
        (
            "scheme-of-everybody",
            json!({ "redirectSchemes": [{ "schemes": ["vscode"] }] }),
            "spec.redirectSchemes[0].namespaces",
            "Required value",
        ),
        ("dotted.name", json!({}), "<nil>", NAME),
        (&*long, json!({}), "<nil>", NAME),
    ];
    refuses(&space, table).await;
}

async fn refuses<'a>(
    space: &TestNamespace,
    table: impl IntoIterator<Item = (&'a str, Value, &'a str, &'a str)>,
) {
    for (name, spec, field, sentence) in table {
        let answer = space.try_create_tenant(name, spec).await;
        let answer = answer.expect_err(&format!("{name} was accepted"));
        let causes = causes(&answer, "OAuthTenant", name);
        assert!(
            causes.iter().any(|cause| blames(cause, field, sentence)),
            "{name}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_tenant_with_everything_is_accepted() {
    let space = TestNamespace::new("admission").await;
    let selector = space.selector();
    let spec = json!({
        "displayName": "Orders and more",
        "branding": { "logo": "data:image/png;base64,iVBORw0KGgo=", "color": "#1a73e8" },
        "namespaces": selector,
        "users": { "namespaces": selector },
        "session": { "idle": "30m", "absolute": "12h" },
        "firstParty": { "namespaces": selector },
        "customClientIds": {
            "namespaces": {},
            "reserved": [
                { "id": "kubernetes", "namespace": "team-a" },
                { "id": "kubernetes", "namespace": "team-b" },
                { "id": "https://legacy.example/app", "namespace": "team-a" },
            ],
            "uriCharacters": true,
        },
        "redirectHosts": [
            { "hosts": ["app.example.com", "*.example.com", "localhost", "10.0.0.1", "[2001:db8::1]"], "namespaces": selector },
            { "hosts": ["shared.example"] },
        ],
        "redirectSchemes": [{ "schemes": ["vscode", "vscode-insiders", "cursor"], "namespaces": selector }],
        "scopes": [{ "name": "orders.read", "description": "Read your orders", "claims": ["department"], "namespaces": selector }],
        "audiences": [{
            "uri": "urn:example:orders", "scopes": ["orders.read"], "introspectors": ["team-a.api"], "namespaces": selector,
            "accessTokens": { "type": "JWT" },
            "claims": [
                { "name": "roles", "from": "groups", "prefix": "orders-", "rename": { "orders-admins": "admin" } },
                { "name": "https://example.com/env", "value": "prod" },
            ],
        }],
        "accessTokens": { "type": "at+jwt" },
        "pkce": "Required",
        "lifetimes": {
            "default": { "accessToken": "5m", "refreshTokenIdle": "8h" },
            "maximum": { "authorizationCode": "1m", "accessToken": "1h", "idToken": "1h", "refreshToken": "720h", "refreshTokenIdle": "168h" },
        },
        "signing": { "algorithm": "EdDSA", "algorithms": ["RS256", "EdDSA"], "rotateEvery": "720h" },
    });
    space.try_create_tenant(&space.name, spec).await.unwrap();
}

#[tokio::test]
async fn mistakes_about_people_are_answered_with_the_remedy() {
    const CLAIM: &str = "is a claim of the protocol, not an attribute of a person; remove it";
    const LOGO: &str = "must be a data: URL such as data:image/png;base64,iVBORw0K... of type png, jpeg, webp or svg+xml";
    let space = TestNamespace::new("admission").await;
    let logo = |url: &str| json!({ "branding": { "logo": url } });
    let claims = |claim: &str| json!({ "scopes": [{ "name": "x", "claims": [claim] }] });
    let introspector =
        |id: &str| json!({ "audiences": [{ "uri": "urn:a", "introspectors": [id] }] });
    let session =
        |idle: &str, absolute: &str| json!({ "session": { "idle": idle, "absolute": absolute } });
    let long = format!("data:image/png;base64,{}", "A".repeat(32_768));
    let lifetimes =
        json!({ "lifetimes": { "maximum": { "refreshToken": "1h", "accessToken": "2h" } } });
    let table = [
        (
            "logo-url",
            logo("https://evil.example/logo.png"),
            "spec.branding.logo",
            LOGO,
        ),
        (
            "logo-html",
            logo("data:text/html;base64,PHNjcmlwdD4="),
            "spec.branding.logo",
            LOGO,
        ),
        (
            "logo-script",
            logo("javascript:alert(1)"),
            "spec.branding.logo",
            LOGO,
        ),
        (
            "logo-quote",
            logo("data:image/png;base64,\" onerror="),
            "spec.branding.logo",
            LOGO,
        ),
        (
            "logo-long",
            logo(&long),
            "spec.branding.logo",
            "may not be more than 32768 bytes",
        ),
        (
            "color",
            json!({ "branding": { "color": "#1a73e8;}" } }),
            "spec.branding.color",
            "may not be more than 7 bytes",
        ),
        (
            "color-name",
            json!({ "branding": { "color": "red" } }),
            "spec.branding.color",
            "must be a color of the form #rrggbb, such as #1a73e8",
        ),
        (
            "name",
            json!({ "displayName": "a\u{202e}b" }),
            "spec.displayName",
            "must not contain control, formatting or bidirectional characters",
        ),
        (
            "claim-sub",
            claims("sub"),
            "spec.scopes[0].claims[0]",
            CLAIM,
        ),
        (
            "claim-aud",
            claims("aud"),
            "spec.scopes[0].claims[0]",
            CLAIM,
        ),
        (
            "claim-groups",
            claims("groups"),
            "spec.scopes[0].claims[0]",
            "is a claim of the scope groups, which every tenant has; remove it",
        ),
        (
            "introspector",
            introspector("team-a api"),
            "spec.audiences[0].introspectors[0]",
            "must be a client ID, such as <namespace>.<name>",
        ),
        (
            "idle",
            session("2h", "1h"),
            "spec.session",
            "idle must be at most absolute",
        ),
        (
            "short",
            session("1s", "1h"),
            "spec.session.idle",
            "must be at least 1m and at most 8760h",
        ),
        (
            "days",
            session("1h", "7d"),
            "spec.session.absolute",
            DURATION,
        ),
        (
            "lifetimes",
            lifetimes,
            "spec.lifetimes.maximum",
            "refreshToken must be at least accessToken: a token that renews another must outlive it",
        ),
    ];
    refuses(&space, table).await;
}

#[tokio::test]
async fn f56_a_host_to_return_to_is_a_host_and_nothing_else() {
    let sentence = "must be a host in lower case without scheme, port and path, such as app.example.com, or *.example.com for every host below it";
    let space = TestNamespace::new("admission").await;
    for host in [
        "https://app.example.com",
        "app.example.com:8443",
        "app.example.com/cb",
        "App.example.com",
        "*",
        "*.",
        "*.com",
        "a.*.example.com",
        "*app.example.com",
        ".example.com",
        "app.example.com.",
        "user@app.example.com",
        "app example.com",
    ] {
        let spec = json!({ "redirectHosts": [{ "hosts": [host] }] });
        let answer = space.try_create_tenant("admission-hosts", spec).await;
        let answer = answer.expect_err(host);
        let causes = causes(&answer, "OAuthTenant", "admission-hosts");
        let field = "spec.redirectHosts[0].hosts[0]";
        assert!(
            causes.iter().any(|cause| blames(cause, field, sentence)),
            "{host}: {answer}"
        );
    }
    let empty = json!({ "redirectHosts": [{ "hosts": [] }] });
    let answer = space.try_create_tenant("admission-hosts", empty).await;
    answer.expect_err("an entry that allows nothing");
}

#[tokio::test]
async fn n08_a_tenant_says_by_a_condition_that_it_serves_everyone() {
    let space = TestNamespace::new("admission").await;
    let name = space.tenant(json!({})).await;
    let says = |expected: bool| {
        let (tenants, name) = (space.tenants(), name.clone());
        async move {
            let tenant = tenants.get(&name).await.unwrap();
            let conditions = tenant.status.unwrap_or_default().conditions;
            let warns = |kind: &str| {
                conditions
                    .iter()
                    .any(|c| c.type_ == kind && c.status == "True")
            };
            let seen = (warns("Ready"), warns("ServesEveryNamespace"));
            (seen == (true, expected))
                .then_some(())
                .ok_or(format!("{conditions:?}"))
        }
    };
    eventually("the condition is there", || says(true)).await;
    let stated = Patch::Merge(json!({ "spec": { "namespaces": {} } }));
    let params = PatchParams::default();
    space
        .tenants()
        .patch(&name, &params, &stated)
        .await
        .unwrap();
    eventually("the condition was removed", || says(false)).await;
}

/// A scope that no audience lists is granted for every audience, so a typo there must not be silent.
#[tokio::test]
async fn n08_a_scope_that_only_an_audience_lists_is_reported() {
    let space = TestNamespace::new("admission").await;
    let listing = |scope: &str| json!([{ "uri": "https://orders.example", "scopes": [scope] }]);
    let spec = json!({ "scopes": [{ "name": "orders.read" }], "audiences": listing("order.read") });
    let name = space.tenant(spec).await;
    let says = |expected: bool| {
        let (tenants, name) = (space.tenants(), name.clone());
        async move {
            let tenant = tenants.get(&name).await.unwrap();
            let conditions = tenant.status.unwrap_or_default().conditions;
            let of = |kind: &str| conditions.iter().find(|c| c.type_ == kind);
            let named = of("Advisory")
                .map(|c| c.reason == "ScopeNotFound" && c.message.contains("\"order.read\""));
            let works = of("Ready").is_some_and(|c| c.status == "True");
            (works && named == expected.then_some(true))
                .then_some(())
                .ok_or(format!("{conditions:?}"))
        }
    };
    eventually("the condition is there", || says(true)).await;
    let params = PatchParams::default();
    let corrected = Patch::Merge(json!({ "spec": { "audiences": listing("orders.read") } }));
    let patched = space.tenants().patch(&name, &params, &corrected).await;
    patched.unwrap();
    eventually("the condition was removed", || says(false)).await;
}

/// What is accepted and not meant is said by one condition, of tenants and of clients.
#[tokio::test]
async fn what_has_not_the_meant_effect_is_an_advisory() {
    let space = TestNamespace::new("admission").await;
    let lifetimes = |default: &str| json!({ "lifetimes": { "default": { "accessToken": default }, "maximum": { "accessToken": "90m" } } });
    let name = space.tenant(lifetimes("2h")).await;
    space.create("web", json!({ "scopes": ["openid"] })).await;
    let says = |expected: bool| {
        let (tenants, clients, name) = (space.tenants(), space.clients(), name.clone());
        async move {
            let tenant = tenants.get(&name).await.unwrap().status.unwrap_or_default();
            let client = clients.get("web").await.unwrap().status.unwrap_or_default();
            let seen = [tenant.conditions, client.conditions].map(|conditions| {
                let of = |kind: &str| conditions.iter().find(|c| c.type_ == kind);
                let works = of("Ready").is_some_and(|c| c.status == "True");
                (works, of("Advisory").map(|c| c.reason.to_string()))
            });
            let reasons = ["LifetimeAboveMaximum", "NoEffect"];
            let right = reasons.map(|reason| (true, expected.then(|| reason.to_owned())));
            (seen == right).then_some(()).ok_or(format!("{seen:?}"))
        }
    };
    eventually("both advise", || says(true)).await;
    let params = PatchParams::default();
    let corrected = Patch::Merge(json!({ "spec": lifetimes("90m") }));
    let patched = space.tenants().patch(&name, &params, &corrected).await;
    patched.unwrap();
    let corrected = json!({ "spec": { "scopes": null } });
    space.try_patch("web", corrected).await.unwrap();
    eventually("neither advises", || says(false)).await;
}
