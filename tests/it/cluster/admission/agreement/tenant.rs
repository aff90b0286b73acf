//! OAuthTenants.

use serde_json::{Value, json};

use super::{Kind, agree};
use crate::support::judge;

#[tokio::test]
async fn tenants_are_judged_alike_by_admission_and_program() {
    agree(Kind {
        plural: "oauthtenants",
        kind: "OAuthTenant",
        namespaced: false,
        valid,
        fields,
        judge: judge::tenant,
        program_only: &[],
    })
    .await;
}

fn valid() -> Vec<Value> {
    vec![
        json!({}),
        json!({ "displayName": "Orders", "namespaces": {}, "pkce": "Required" }),
        json!({ "scopes": [{ "name": "orders.read" }], "audiences": [{ "uri": "https://orders.example", "scopes": ["orders.read"] }] }),
        json!({ "session": { "idle": "1h", "absolute": "8h" }, "lifetimes": { "default": { "accessToken": "5m" } } }),
        json!({ "signing": { "algorithm": "RS256", "algorithms": ["RS256", "EdDSA"] } }),
    ]
}

/// Each value as a list of its own, all of them, and one twice.
fn lists(values: &[&str]) -> Vec<Value> {
    let mut lists: Vec<Value> = values.iter().map(|value| json!([value])).collect();
    lists.extend([json!([]), json!(values), json!([values[0], values[0]])]);
    lists
}

/// As many entries as are allowed, and one more.
fn many(most: usize, entry: impl Fn(usize) -> Value) -> Vec<Value> {
    [most, most + 1]
        .map(|count| (0..count).map(&entry).collect())
        .into()
}

fn fields() -> Vec<(&'static str, Vec<Value>)> {
    let mut fields = simple();
    fields.extend([
        ("namespaces", selectors()),
        (
            "firstParty",
            selectors()
                .into_iter()
                .map(|s| json!({ "namespaces": s }))
                .collect(),
        ),
        ("customClientIds", custom_client_ids()),
        ("redirectHosts", redirect_hosts()),
        ("redirectSchemes", redirect_schemes()),
        ("users", users()),
        ("scopes", scopes()),
        ("audiences", audiences()),
        ("lifetimes", lifetimes()),
        ("secrets", allowed_keys()),
    ]);
    fields
}

/// Without `algorithms: []`: read, it is the same as none.
fn simple() -> Vec<(&'static str, Vec<Value>)> {
    let texts = |texts: &[&str]| -> Vec<Value> { texts.iter().map(|text| json!(text)).collect() };
    let names = [
        "",
        "Web",
        "a\u{202e}b",
        "a\nb",
        "\u{e000}",
        "日本語",
        &"é".repeat(100),
        &"é".repeat(101),
    ];
    let png = |data: &str| json!({ "logo": format!("data:image/png;base64,{data}") });
    let durations = [
        "1m", "59s", "60s", "8760h", "8761h", "", "1d", "1m1h", "0000001h", "1h30m5s", "0s", "1.5h",
    ];
    let session = durations
        .iter()
        .flat_map(|text| [json!({ "idle": text }), json!({ "absolute": text })]);
    let mut session: Vec<Value> = session.collect();
    session.extend([
        json!({}),
        json!({ "idle": "2h", "absolute": "1h" }),
        json!({ "idle": "1h", "absolute": "60m" }),
        json!({ "persistent": true }),
    ]);
    let mut signing: Vec<Value> = durations
        .iter()
        .map(|text| json!({ "rotateEvery": text }))
        .collect();
    signing.extend([
        json!({}),
        json!({ "algorithms": ["RS256"] }),
        json!({ "algorithms": ["RS256", "ES256"] }),
        json!({ "algorithms": ["ES256", "ES256"] }),
        json!({ "algorithms": ["ES256", "RS256", "EdDSA"], "algorithm": "EdDSA" }),
        json!({ "algorithms": ["ES256", "RS256", "EdDSA", "ES256"] }),
        json!({ "algorithm": "HS256" }),
        json!({ "algorithm": "none" }),
    ]);
    let branding = vec![
        json!({}),
        png("iVBORw0K"),
        png("iVBORw0K="),
        png("iVBORw0K=="),
        png("iVBORw0K==="),
        png("iV=B"),
        png(""),
        png("\" onerror="),
        png(&"A".repeat(32_746)),
        png(&"A".repeat(32_747)),
        json!({ "logo": "data:image/gif;base64,AAAA" }),
        json!({ "logo": "data:image/svg+xml;base64,AAAA" }),
        json!({ "logo": "https://a.example/logo.png" }),
        json!({ "logo": "" }),
        json!({ "color": "#1A73e8" }),
        json!({ "color": "#fff" }),
        json!({ "color": "red" }),
        json!({ "color": "" }),
    ];
    let verification = texts(&["TokenReview", "Offline", "None", ""]);
    let types = texts(&["at+jwt", "JWT", "jwt", ""]);
    vec![
        ("displayName", texts(&names)),
        ("branding", branding),
        ("session", session),
        ("signing", signing),
        ("pkce", texts(&["ByClient", "Required", "required", ""])),
        (
            "serviceAccountTokens",
            verification
                .into_iter()
                .map(|v| json!({ "verification": v }))
                .collect(),
        ),
        (
            "accessTokens",
            types.into_iter().map(|v| json!({ "type": v })).collect(),
        ),
    ]
}

fn selectors() -> Vec<Value> {
    let expression = |operator: &str, values: Option<&[&str]>| {
        let mut expression = json!({ "key": "team", "operator": operator });
        if let Some(values) = values {
            expression["values"] = json!(values);
        }
        json!({ "matchExpressions": [expression] })
    };
    let exists = |_| json!({ "key": "team", "operator": "Exists" });
    let mut selectors = vec![
        json!({}),
        json!({ "matchLabels": { "team": "a" } }),
        expression("In", Some(&["a"])),
        expression("NotIn", Some(&["a", "b"])),
        expression("In", Some(&[])),
        expression("NotIn", None),
        expression("Exists", None),
        expression("Exists", Some(&[])),
        expression("DoesNotExist", Some(&["a"])),
        expression("Near", Some(&["a"])),
        expression("", None),
        json!({ "matchExpressions": [{ "key": "", "operator": "Exists" }] }),
    ];
    selectors.extend(
        many(16, exists)
            .into_iter()
            .map(|all| json!({ "matchExpressions": all })),
    );
    selectors
}

fn custom_client_ids() -> Vec<Value> {
    let pair = |id: &str, namespace: &str| json!({ "id": id, "namespace": namespace });
    let reserved = |pairs: Value| json!({ "reserved": pairs });
    let ids = [
        "kubernetes",
        "a:b/c@d~e_f-g.h",
        "",
        "a b",
        "ü",
        &"x".repeat(128),
        &"x".repeat(129),
    ];
    let namespaces = [
        "team-a",
        "",
        "A",
        "-a",
        "a-",
        "a.b",
        &"n".repeat(63),
        &"n".repeat(64),
    ];
    let mut all: Vec<Value> = ids
        .iter()
        .map(|id| reserved(json!([pair(id, "x")])))
        .collect();
    all.extend(
        namespaces
            .iter()
            .map(|name| reserved(json!([pair("vault", name)]))),
    );
    all.extend(
        many(64, |n| pair(&format!("id-{n}"), "x"))
            .into_iter()
            .map(reserved),
    );
    all.extend([
        json!({}),
        json!({ "uriCharacters": true }),
        reserved(json!([pair("a", "x"), pair("a", "y")])),
        reserved(json!([pair("a", "x"), pair("a", "x")])),
    ]);
    all.extend(selectors().into_iter().map(|s| json!({ "namespaces": s })));
    all
}

fn redirect_hosts() -> Vec<Value> {
    let hosts = lists(&[
        "app.example.com",
        "*.example.com",
        "[2001:db8::1]",
        "a",
        "*",
        "*.com",
        "*.",
        "",
        "A.example",
        "a..b",
        "a.",
        "-a",
        "a_b",
        "[::g]",
        "[]",
        "https://a.example",
        "a.example:443",
        "a.*.example",
        &"x".repeat(253),
        &"x".repeat(254),
    ]);
    let mut entries: Vec<Value> = hosts
        .into_iter()
        .map(|hosts| json!([{ "hosts": hosts }]))
        .collect();
    let entry = |n: usize| json!({ "hosts": [format!("h{n}.example")] });
    let hosts = many(32, |n| json!(format!("h{n}.example")));
    entries.extend(hosts.into_iter().map(|hosts| json!([{ "hosts": hosts }])));
    entries.extend(many(32, entry));
    entries.extend(
        selectors()
            .into_iter()
            .map(|s| json!([{ "hosts": ["a.example"], "namespaces": s }])),
    );
    entries.extend([json!([]), json!([entry(0), entry(0)])]);
    entries
}

fn redirect_schemes() -> Vec<Value> {
    let schemes = lists(&[
        "vscode",
        "cursor",
        "a+b",
        "a-b",
        "ab",
        "abc",
        "a.b.c",
        "Vscode",
        "1ab",
        "javascript",
        "data",
        "wss",
        "chrome-x",
        "ms-word",
        "msword",
        "https",
        "blob",
        "intent",
        &"x".repeat(31),
        &"x".repeat(32),
    ]);
    let mut entries: Vec<Value> = schemes
        .into_iter()
        .map(|schemes| json!([{ "schemes": schemes, "namespaces": {} }]))
        .collect();
    entries.extend(many(
        32,
        |n| json!({ "schemes": [format!("app{n}")], "namespaces": {} }),
    ));
    entries.push(json!([{ "schemes": ["vscode"] }]));
    entries
}

fn users() -> Vec<Value> {
    let limit = |entry: Value| json!({ "limits": [entry] });
    let domains = lists(&[
        "example.com",
        "*.example.com",
        "*.com",
        "com",
        "*",
        "",
        "Example.com",
        "@a.example",
        "a..b",
    ]);
    let groups = lists(&[
        "staff",
        "team-a-*",
        "*",
        "a*b",
        "**",
        "a b",
        "",
        "a\u{200b}",
        &"ü".repeat(128),
        &"ü".repeat(129),
    ]);
    let subjects = lists(&["usr:x", "a b", "ü", "", &"ü".repeat(255), &"ü".repeat(256)]);
    let mut all: Vec<Value> = domains
        .into_iter()
        .map(|d| limit(json!({ "emailDomains": d })))
        .collect();
    all.extend(groups.into_iter().map(|g| limit(json!({ "groups": g }))));
    all.extend(
        subjects
            .into_iter()
            .map(|s| json!({ "reassignedSubjects": s })),
    );
    all.extend(
        many(64, |_| json!({ "groups": ["a"] }))
            .into_iter()
            .map(|all| json!({ "limits": all })),
    );
    all.extend(selectors().into_iter().map(|s| json!({ "namespaces": s })));
    all.extend([
        json!({}),
        limit(json!({})),
        limit(json!({ "namespaces": {} })),
        json!({ "signInWith": "UsernameOrEmail" }),
        json!({ "signInWith": "Email" }),
    ]);
    all
}

fn scopes() -> Vec<Value> {
    let scope = |name: &str| json!([{ "name": name }]);
    let names = [
        "orders.read",
        "a b",
        "a\"b",
        "a\\b",
        "ü",
        "",
        "openid",
        "groups",
        "offline_access",
        &"x".repeat(128),
        &"x".repeat(129),
    ];
    let claims = lists(&[
        "department",
        "https://a.example/roles",
        "a b",
        "a[b",
        "a\"b",
        "",
        "sub",
        "sid",
        "groups",
        &"x".repeat(128),
        &"x".repeat(129),
    ]);
    let mut all: Vec<Value> = names.iter().map(|name| scope(name)).collect();
    all.extend(
        claims
            .into_iter()
            .map(|claims| json!([{ "name": "a", "claims": claims }])),
    );
    all.extend(many(256, |n| json!({ "name": format!("s{n}") })));
    all.extend([
        json!([]),
        json!([{ "name": "a" }, { "name": "a" }]),
        json!([{ "name": "a", "description": "x".repeat(256) }]),
        json!([{ "name": "a", "description": "x".repeat(257) }]),
    ]);
    all.extend(
        selectors()
            .into_iter()
            .map(|s| json!([{ "name": "a", "namespaces": s }])),
    );
    all
}

fn audiences() -> Vec<Value> {
    let uris = [
        "https://api.example.com",
        "https://api.example.com/",
        "api",
        "https://a.example#f",
        "urn:x:y",
        "HTTPS://a.example",
        "a:",
        "usr:x",
        "system:x",
        "https://[::1]/",
        "https://a.example/a b",
        "https://a.example/{x}",
        "https://kubernetes",
        "https://kubernetes:443/",
        "https://kubernetes.default.svc.cluster.local/",
        "https://kubernetes.example",
        "https://a.example/ü",
        "",
        &format!("urn:{}", "x".repeat(252)),
        &format!("urn:{}", "x".repeat(253)),
    ];
    let of = |more: Value| {
        let mut audience = json!({ "uri": "urn:a" });
        audience
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        json!([audience])
    };
    let mut all: Vec<Value> = uris.iter().map(|uri| json!([{ "uri": uri }])).collect();
    let scopes = lists(&["orders.read", "a b", "", &"ü".repeat(128), &"ü".repeat(129)]);
    all.extend(scopes.into_iter().map(|s| of(json!({ "scopes": s }))));
    let clients = lists(&[
        "team-a.api",
        "a:b",
        "a b",
        "",
        &"x".repeat(128),
        &"x".repeat(129),
    ]);
    all.extend(
        clients
            .into_iter()
            .map(|s| of(json!({ "introspectors": s }))),
    );
    all.extend(
        claims()
            .into_iter()
            .map(|claim| of(json!({ "claims": [claim] }))),
    );
    let mapped = many(16, |n| json!({ "name": format!("c{n}"), "value": "x" }));
    all.extend(
        mapped
            .into_iter()
            .map(|claims| of(json!({ "claims": claims }))),
    );
    all.extend(many(256, |n| json!({ "uri": format!("urn:{n}") })));
    all.extend(
        selectors()
            .into_iter()
            .map(|s| of(json!({ "namespaces": s }))),
    );
    all.extend([
        json!([]),
        json!([{}]),
        json!([{ "uri": "urn:a" }, { "uri": "urn:a" }]),
        of(json!({ "claims": [{ "name": "a", "value": "x" }, { "name": "a", "value": "y" }] })),
        of(json!({ "accessTokens": { "type": "JWT" } })),
        of(json!({ "accessTokens": { "type": "x" } })),
    ]);
    all
}

fn claims() -> Vec<Value> {
    let names = [
        "roles",
        "a b",
        "a\"b",
        "",
        "sub",
        "scope",
        "groups",
        "a[b]",
        &"x".repeat(64),
        &"x".repeat(65),
    ];
    let values = [
        "prod",
        "a b",
        "a\"b",
        "a\\b",
        "ü",
        "",
        "\u{7}",
        &"x".repeat(128),
        &"x".repeat(129),
    ];
    let mut claims: Vec<Value> = names
        .iter()
        .map(|name| json!({ "name": name, "value": "x" }))
        .collect();
    claims.extend(
        names
            .iter()
            .map(|name| json!({ "name": "a", "from": name })),
    );
    claims.extend(
        values
            .iter()
            .map(|value| json!({ "name": "a", "value": value })),
    );
    claims.extend(
        ["ü", "", &"ü".repeat(128), &"ü".repeat(129)]
            .map(|p| json!({ "name": "a", "from": "groups", "prefix": p })),
    );
    claims.extend(
        ["ü", "", &"ü".repeat(128), &"ü".repeat(129)]
            .map(|to| json!({ "name": "a", "from": "groups", "rename": { "x": to } })),
    );
    let renamed = |count: usize| -> serde_json::Map<String, Value> {
        (0..count).map(|n| (format!("k{n}"), json!("x"))).collect()
    };
    claims.extend(
        [64, 65].map(|count| json!({ "name": "a", "from": "groups", "rename": renamed(count) })),
    );
    claims.extend([
        json!({ "name": "a" }),
        json!({ "name": "a", "from": "groups", "value": "x" }),
        json!({ "name": "a", "value": "x", "prefix": "y" }),
        json!({ "name": "a", "value": "x", "rename": { "a": "b" } }),
    ]);
    claims
}

fn lifetimes() -> Vec<Value> {
    let fields = [
        "authorizationCode",
        "accessToken",
        "idToken",
        "refreshToken",
        "refreshTokenIdle",
    ];
    let texts = [
        "1s", "0s", "10m", "11m", "24h", "25h", "8760h", "8761h", "", "1d", "1s1m", "0000001h",
        "-1s",
    ];
    let single = fields
        .iter()
        .flat_map(|field| texts.iter().map(move |text| json!({ (*field): text })));
    let mut sets: Vec<Value> = single.collect();
    sets.extend([
        json!({}),
        json!({ "accessToken": "2h", "refreshToken": "1h" }),
        json!({ "accessToken": "1h", "refreshToken": "60m" }),
        json!({ "refreshTokenIdle": "2h", "refreshToken": "1h" }),
        json!({ "refreshTokenIdle": "2h" }),
    ]);
    sets.into_iter()
        .flat_map(|set| [json!({ "default": set }), json!({ "maximum": set })])
        .collect()
}

fn allowed_keys() -> Vec<Value> {
    let keys = lists(&[
        "team",
        "example.com/team",
        "example.com/*",
        "*",
        "",
        "a/b/*",
        "A.example/*",
        "example.com/a*",
        "-a/*",
        "a b",
        "a.",
        &format!("{}/*", "x".repeat(253)),
        &format!("{}/*", "x".repeat(254)),
        &format!("a/{}", "x".repeat(63)),
        &format!("a/{}", "x".repeat(64)),
    ]);
    let mut all: Vec<Value> = keys
        .into_iter()
        .map(|keys| json!({ "allowedKeys": keys }))
        .collect();
    all.extend(
        many(64, |n| json!(format!("key-{n}")))
            .into_iter()
            .map(|keys| json!({ "allowedKeys": keys })),
    );
    all.push(json!({}));
    all
}
