//! What the chart warns of, and refuses nothing: the object works, and a condition says the same.

use serde_json::{Value, json};

use crate::cluster::documented::run_in;
use crate::support::cluster::shared;
use crate::support::test_namespace::{TestNamespace, eventually};

/// What `kubectl apply` says beside the answer about the tenant of this namespace.
async fn applied(space: &TestNamespace, spec: Value) -> String {
    applied_as(space, "OAuthTenant", spec).await
}

/// What `kubectl apply` says beside the answer about an object of this kind.
async fn applied_as(space: &TestNamespace, kind: &str, spec: Value) -> String {
    let object = json!({
        "apiVersion": "clientele.dev/v1alpha1", "kind": kind,
        "metadata": { "name": space.name }, "spec": spec,
    });
    let name = space.name.clone();
    let script = format!("kubectl apply -f - <<'EOF'\n{object}\nEOF");
    let run = move || run_in(&shared().cluster, &name, &script);
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test]
async fn n08_who_writes_a_scope_that_the_tenant_lacks_is_warned() {
    let space = TestNamespace::new("tenants").await;
    let uri = "https://orders.example";
    let spec = |listed: &str| {
        json!({
            "scopes": [{ "name": "orders.read" }],
            "audiences": [{ "uri": "https://bills.example" }, { "uri": uri, "scopes": [listed, "email"] }],
        })
    };
    // A policy counts some seconds after it was installed.
    eventually("the author is warned", || async {
        let said = applied(&space, spec("order.read")).await;
        let warned = said.contains("Warning:") && said.contains(uri);
        warned.then_some(()).ok_or(said)
    })
    .await;
    for right in [spec("orders.read"), json!({})] {
        let said = applied(&space, right).await;
        assert!(!said.contains("Warning:"), "{said}");
    }
}

/// Whether a spec is warned of with each of these words, once; and another spec with nothing.
async fn warns(space: &TestNamespace, kind: &str, rows: &[(Value, &[&str])]) {
    for (spec, words) in rows {
        // A policy counts some seconds after it was installed.
        eventually("the author is warned as written", || async {
            let said = applied_as(space, kind, spec.clone()).await;
            let warnings: Vec<&str> = said.lines().filter(|l| l.starts_with("Warning:")).collect();
            let named = words.iter().zip(&warnings);
            let named = named
                .filter(|(word, warning)| warning.contains(**word))
                .count();
            let right = named == words.len() && warnings.len() == words.len();
            right.then_some(()).ok_or(said)
        })
        .await;
    }
}

#[tokio::test]
async fn a_tenant_that_contradicts_itself_is_warned_of() {
    let space = TestNamespace::new("tenants").await;
    let lifetimes = |default: &str, maximum: &str| json!({ "lifetimes": { "default": { "accessToken": default, "idToken": "5m" }, "maximum": { "accessToken": maximum } } });
    let reserved = |namespaces: [&str; 2]| {
        let pairs = namespaces.map(
            |namespace| json!({ "id": format!("of-{}", namespaces[0]), "namespace": namespace }),
        );
        json!({ "customClientIds": { "reserved": pairs } })
    };
    warns(
        &space,
        "OAuthTenant",
        &[
            (
                lifetimes("2h", "90m"),
                &["spec.lifetimes.default: accessToken is above"],
            ),
            (lifetimes("90m", "90m"), &[]),
            (reserved(["a", "b"]), &["client ID of-a for more than one"]),
            (json!({}), &[]),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_field_of_a_client_without_the_meant_effect_is_warned_of() {
    let space = TestNamespace::new("clients").await;
    let uri = "https://app.example.com/cb";
    let signs_in = |of: Value| {
        let mut spec = json!({ "redirectUris": [uri] });
        let fields = of.as_object().unwrap().clone();
        spec.as_object_mut().unwrap().extend(fields);
        spec
    };
    let key = |kid: &str| json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
    let keys = |kids: [&str; 2]| json!({ "jwks": { "keys": kids.map(key) } });
    let redirects = |uri: &str| json!({ "redirectUris": [uri] });
    warns(
        &space,
        "OAuthClient",
        &[
            (json!({}), &[]),
            (signs_in(json!({ "scopes": ["openid"] })), &[]),
            (keys(["one", "two"]), &[]),
            (keys(["one", "one"]), &["spec.jwks.keys has the kid one"]),
            (redirects("https://APP.example.com/cb"), &["https://APP"]),
            (redirects("https://app.example.com/a/../cb"), &["/a/../cb"]),
            (redirects("https://app.example.com/%2e/cb"), &["/%2e/cb"]),
            (redirects("https://app.example.com:443/cb"), &[":443/cb"]),
            (redirects("https://app.example.com/.well-known?x=/../"), &[]),
            (
                signs_in(json!({ "postLogoutRedirectUris": ["https://APP.example.com/"] })),
                &["https://APP"],
            ),
            (
                json!({ "scopes": ["openid", "email"] }),
                &["spec.scopes: openid, email"],
            ),
            (
                signs_in(
                    json!({ "grantTypes": ["authorization_code"], "scopes": ["offline_access"] }),
                ),
                &["refresh_token"],
            ),
            (
                signs_in(json!({ "grantTypes": ["client_credentials"] })),
                &["spec: redirectUris"],
            ),
            (json!({ "requirePkce": true }), &["spec: requirePkce"]),
        ],
    )
    .await;
}
