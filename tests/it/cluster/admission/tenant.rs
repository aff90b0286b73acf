//! `OAuthTenant`.

use serde_json::{Value, json};

use super::{blames, causes};
use crate::support::space::Space;

const URI: &str = "must be an absolute URI without a fragment, such as https://orders.example.com or urn:example:orders";
const CLUSTER: &str = "is an audience of the Kubernetes API server; a token of this server must never be one for the cluster";
const OPENID: &str = "is a scope of OpenID Connect, which every tenant knows; leave it away";
const DURATION: &str =
    "must be a duration in h, m and s, such as 10m or 1h30m; use h, m, s; 30 days is 720h";
const NAME: &str = "the name of an OAuthTenant must be at most 40 lower case letters, digits and '-', because it is part of the issuer's URL";

fn audience(uri: &str) -> Value {
    json!({ "audiences": [{ "uri": uri }] })
}

fn scope(name: &str) -> Value {
    json!({ "scopes": [{ "name": name }] })
}

fn lifetime(kind: &str, text: &str) -> Value {
    json!({ "lifetimes": { kind: { "accessToken": text } } })
}

#[tokio::test]
async fn k05_f53_mistakes_in_a_tenant_are_answered_with_the_remedy() {
    let space = Space::new("admission").await;
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
        ("dotted.name", json!({}), "<nil>", NAME),
        (&*long, json!({}), "<nil>", NAME),
    ];
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
    let space = Space::new("admission").await;
    let selector = space.selector();
    let spec = json!({
        "namespaces": selector,
        "firstParty": { "namespaces": selector },
        "customClientIds": { "namespaces": {} },
        "scopes": [{ "name": "orders.read", "description": "Read your orders", "namespaces": selector }],
        "audiences": [{ "uri": "urn:example:orders", "scopes": ["orders.read"], "namespaces": selector }],
        "lifetimes": { "default": { "accessToken": "5m" }, "maximum": { "accessToken": "1h" } },
        "signing": { "algorithm": "EdDSA", "rotateEvery": "720h" },
    });
    space.try_create_tenant(&space.name, spec).await.unwrap();
}
