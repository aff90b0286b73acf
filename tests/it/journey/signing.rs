//! A client without a secret, by a library that others wrote.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clientele_oauth::{Algorithm, SigningKey};
use serde_json::json;

use super::node::Node;
use crate::support::cluster::shared;
use crate::support::keys;
use crate::support::test_namespace::TestNamespace;

/// Node reads the first version of PKCS#8 only, which has no public half in it.
fn for_node(algorithm: Algorithm, pkcs8: &[u8]) -> Vec<u8> {
    if algorithm != Algorithm::EdDsa {
        return pkcs8.to_vec();
    }
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8).unwrap();
    pair.to_pkcs8v1().unwrap().as_ref().to_vec()
}

#[tokio::test]
async fn a_client_library_of_others_signs_instead_of_sending_a_secret() {
    let space = TestNamespace::new("journey-signer").await;
    for algorithm in Algorithm::ALL {
        let pkcs8 = keys::pkcs8(algorithm);
        let key = SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap();
        let name = format!("signer-{}", algorithm.as_str().to_lowercase());
        let spec = json!({ "tokenEndpointAuthMethod": "private_key_jwt", "jwks": { "keys": [key.jwk()] } });
        space.ready(&name, spec).await;
        let entries = space.entries(&format!("{name}-oauth")).await;
        assert!(!entries.contains_key("CLIENT_SECRET"));
        let seen = Node::new("signer.mjs")
            .with_entries(&entries)
            .with("ALG", algorithm.as_str())
            .with("KEY_ID", key.key_id())
            .with("PRIVATE_KEY", STANDARD.encode(for_node(algorithm, &pkcs8)))
            .run()
            .await;
        assert_eq!(seen["clientId"], entries["CLIENT_ID"]);
        assert_eq!(seen["active"], json!([true, false]));
        let methods = seen["methods"].as_array().unwrap();
        assert!(methods.contains(&json!("private_key_jwt")));
    }
}

#[tokio::test]
async fn a_client_library_of_others_sends_the_token_of_a_service_account() {
    let space = TestNamespace::new("journey-account").await;
    let kubectl = |arguments: &[&str]| {
        let namespaced = [&["--namespace", &space.name], arguments].concat();
        shared().cluster.kubectl(&namespaced).unwrap()
    };
    kubectl(&["create", "serviceaccount", "web"]);
    let spec = json!({ "tokenEndpointAuthMethod": "service_account", "serviceAccounts": [{ "name": "web" }] });
    space.ready("web", spec).await;
    let entries = space.entries("web-oauth").await;
    let token = kubectl(&["create", "token", "web", "--audience", &space.issuer]);
    let seen = Node::new("account.mjs")
        .with_entries(&entries)
        .with("TOKEN", token.trim())
        .run()
        .await;
    assert_eq!(seen["clientId"], entries["CLIENT_ID"]);
    assert_eq!(seen["active"], true);
}
