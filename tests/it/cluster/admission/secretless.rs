//! What proves a client without a secret: public keys, and nothing that is private.

use serde_json::{Value, json};

use super::{accepts, refuses};
use crate::support::assertions::KEYS;
use crate::support::test_namespace::TestNamespace;

const PUBLIC: &str = "must be a public key: remove d, p, q, dp, dq, qi and k. What was private has now been sent to the API server; make a new key";

/// The public half of a key of this algorithm, with a change.
pub fn key(alg: &str, change: impl FnOnce(&mut Value)) -> Value {
    let key = KEYS.iter().find(|key| key.alg == alg).unwrap().jwk();
    let mut jwk = json!({ "kty": key.kty, "alg": key.alg, "kid": key.kid, "use": "sig" });
    for (name, value) in [
        ("crv", key.crv),
        ("x", key.x),
        ("y", key.y),
        ("n", key.n),
        ("e", key.e),
    ] {
        if let Some(value) = value {
            jwk[name] = json!(value);
        }
    }
    change(&mut jwk);
    jwk
}

fn spec(keys: Vec<Value>) -> Value {
    json!({ "tokenEndpointAuthMethod": "private_key_jwt", "jwks": { "keys": keys } })
}

#[tokio::test]
async fn keys_of_every_kind_are_accepted() {
    let all = ["RS256", "PS256", "ES256", "ES384", "EdDSA"].map(|alg| key(alg, |_| ()));
    accepts(&[
        ("all", spec(all.to_vec())),
        ("beside-the-secret", json!({ "jwks": { "keys": [all[0]] } })),
        (
            "bare",
            spec(vec![key(
                "ES256",
                |jwk| *jwk = json!({ "kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"] }),
            )]),
        ),
        (
            "fully-specified",
            spec(vec![key("EdDSA", |jwk| jwk["alg"] = json!("Ed25519"))]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn k03_a_private_symmetric_or_weak_key_is_refused() {
    let at = "spec.jwks.keys[0]";
    let bad = |alg: &str, name: &str, value: Value| spec(vec![key(alg, |jwk| jwk[name] = value)]);
    let mut rows = Vec::new();
    for name in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        rows.push((name, bad("RS256", name, json!("AQAB")), at, PUBLIC));
    }
    rows.extend([
        ("oct", spec(vec![json!({ "kty": "oct" })]), "spec.jwks.keys[0].kty", "must be RSA, EC or OKP; a symmetric key is a secret and must not be in a manifest"),
        ("rsa-1024", bad("RS256", "n", json!("n".repeat(171))), at, "an RSA key needs n of at least 2048 bits, and e; in YAML, the name \"n\" needs quotes"),
        ("no-y", spec(vec![key("ES256", |jwk| drop(jwk.as_object_mut().unwrap().remove("y")))]), at, "an EC key needs crv P-256 or P-384, x and y; in YAML, the name \"y\" needs quotes"),
        ("ed-as-ec", bad("EdDSA", "kty", json!("EC")), at, "an EC key needs crv P-256 or P-384, x and y; in YAML, the name \"y\" needs quotes"),
        ("no-x", spec(vec![json!({ "kty": "OKP", "crv": "Ed25519" })]), at, "an OKP key needs crv Ed25519, and x"),
        ("hs256", bad("ES256", "alg", json!("HS256")), "spec.jwks.keys[0].alg", "must be RS256, PS256, ES256, ES384, EdDSA or Ed25519"),
        ("other-alg", bad("ES256", "alg", json!("ES384")), at, "alg does not fit the key: RS256 or PS256 for RSA, ES256 for P-256, ES384 for P-384, EdDSA for Ed25519"),
        ("enc", bad("ES256", "use", json!("enc")), "spec.jwks.keys[0].use", "must be sig: the key verifies signatures"),
        ("p-521", bad("ES256", "crv", json!("P-521")), "spec.jwks.keys[0].crv", "must be P-256, P-384 or Ed25519"),
        ("padded", bad("ES256", "x", json!("AAAA=")), "spec.jwks.keys[0].x", "must be in base64url without padding"),
    ]);
    refuses(&rows).await;
}

#[tokio::test]
async fn h16_f75_no_field_names_an_account_of_another_namespace() {
    let unknown = |field: &str| {
        format!("strict decoding error: unknown field \"spec.serviceAccounts[0].{field}\"")
    };
    let space = TestNamespace::new("admission").await;
    for field in ["namespace", "kind", "audience"] {
        let spec = json!({ "serviceAccounts": [{ "name": "web", field: "elsewhere" }] });
        let answer = space.try_create("web", spec).await.unwrap_err();
        assert!(answer.contains(&unknown(field)), "{answer}");
    }
}

#[tokio::test]
async fn d29_f77_no_field_takes_a_url_to_fetch_keys_from() {
    let space = TestNamespace::new("admission").await;
    let url = "http://169.254.169.254/jwks";
    let with_url = key("ES256", |jwk| jwk["x5u"] = json!(url));
    for (field, spec) in [
        ("jwksUri", json!({ "jwksUri": url })),
        ("jwks_uri", json!({ "jwks_uri": url })),
        (
            "jwks.uri",
            json!({ "jwks": { "keys": [key("ES256", |_| ())], "uri": url } }),
        ),
        (
            "jwks.keys[0].x5u",
            json!({ "jwks": { "keys": [with_url] } }),
        ),
        (
            "serviceAccounts[0].issuer",
            json!({ "serviceAccounts": [{ "name": "web", "issuer": url }] }),
        ),
    ] {
        let answer = space.try_create("web", spec).await.unwrap_err();
        let unknown = format!("strict decoding error: unknown field \"spec.{field}\"");
        assert!(answer.contains(&unknown), "{answer}");
    }
}

#[tokio::test]
async fn k06_service_accounts_and_methods_fit_together() {
    let web = json!([{ "name": "web" }]);
    let uid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let many: Vec<Value> = (0..17)
        .map(|n| json!({ "name": format!("web-{n}") }))
        .collect();
    let name = "must be the name of a ServiceAccount, such as web";
    refuses(&[
        ("no-accounts", json!({ "tokenEndpointAuthMethod": "service_account" }), "spec", "service_account needs the ServiceAccounts of the client in serviceAccounts"),
        ("basic", json!({ "tokenEndpointAuthMethod": "client_secret_basic", "serviceAccounts": web }), "spec", "serviceAccounts is for service_account; name that method, name none, or remove serviceAccounts"),
        ("public", json!({ "type": "Public", "redirectUris": ["https://a.example/cb"], "serviceAccounts": web }), "spec", "a Public client proves nothing about itself; remove serviceAccounts or make the client Confidential"),
        ("namespaced", json!({ "serviceAccounts": [{ "name": "team-b/web" }] }), "spec.serviceAccounts[0].name", name),
        ("user", json!({ "serviceAccounts": [{ "name": "system:serviceaccount:team-b:web" }] }), "spec.serviceAccounts[0].name", name),
        ("uid", json!({ "serviceAccounts": [{ "name": "web", "uid": "1" }] }), "spec.serviceAccounts[0].uid", "must be the UID of a ServiceAccount, as kubectl get serviceaccount NAME --output jsonpath={.metadata.uid} prints it"),
        ("many", json!({ "serviceAccounts": many }), "spec.serviceAccounts", "must have at most 16 items"),
        ("brought", json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": web, "secretRef": { "name": "mine" } }), "spec", "a client with private_key_jwt or service_account has no client secret; remove secretRef, or name another method or none"),
        ("template", json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": web, "secret": { "template": { "a": "{{ clientSecret }}" } } }), "spec", "private_key_jwt and service_account leave no client secret; remove the placeholder clientSecret from secret.template"),
        ("twice", json!({ "serviceAccounts": [{ "name": "web" }, { "name": "web" }] }), "spec.serviceAccounts[1]", "{\"name\":\"web\"}"),
    ])
    .await;
    accepts(&[
        ("beside", json!({ "serviceAccounts": web })),
        (
            "alone",
            json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": web }),
        ),
        (
            "pinned",
            json!({ "serviceAccounts": [{ "name": "web.v2", "uid": uid }] }),
        ),
    ])
    .await;
}

#[tokio::test]
async fn k06_keys_and_methods_fit_together() {
    let jwks = json!({ "keys": [key("ES256", |_| ())] });
    refuses(&[
        ("no-keys", json!({ "tokenEndpointAuthMethod": "private_key_jwt" }), "spec", "private_key_jwt needs the public keys of the client in jwks"),
        ("basic", json!({ "tokenEndpointAuthMethod": "client_secret_basic", "jwks": jwks }), "spec", "jwks is for private_key_jwt; name that method, name none, or remove jwks"),
        ("public", json!({ "type": "Public", "redirectUris": ["https://a.example/cb"], "jwks": jwks }), "spec", "a Public client proves nothing about itself; remove jwks or make the client Confidential"),
        ("none", json!({ "jwks": { "keys": [] } }), "spec.jwks.keys", "spec.jwks.keys in body should have at least 1 items"),
    ])
    .await;
}
