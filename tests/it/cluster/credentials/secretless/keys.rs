//! `private_key_jwt`: from a manifest with public keys to a token.

use serde_json::{Value, json};

use crate::support::assertions::{PrivateKey, form, key, stranger};
use crate::support::test_namespace::{TestNamespace, eventually, http};

/// The client of a test, which signs with these keys.
pub fn keys(keys: &[&PrivateKey]) -> Value {
    let keys = keys.iter().map(|key| {
        let jwk = key.jwk();
        json!({ "kty": jwk.kty, "crv": jwk.crv, "x": jwk.x, "y": jwk.y, "alg": jwk.alg })
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

/// What the token endpoint says to an assertion that this key signs for the client.
async fn status(space: &TestNamespace, name: &str, key: &PrivateKey) -> u16 {
    let id = format!("{}.{name}", space.name);
    let now = jiff::Timestamp::now();
    let claims = json!({
        "iss": id, "sub": id, "aud": space.issuer, "exp": now.as_second() + 60, "jti": now.as_nanosecond().to_string(),
    });
    let header = json!({ "alg": key.alg }).to_string();
    let answer = http()
        .post(format!("{}/token", space.issuer))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&key.token(&header, &claims.to_string()), &[]));
    answer.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_client_with_keys_has_no_secret_and_gets_a_token() {
    let space = TestNamespace::new("keys").await;
    let spec = json!({ "tokenEndpointAuthMethod": "private_key_jwt", "jwks": keys(&[key()]) });
    space.ready("signer", spec).await;
    let entries = space.entries("signer-oauth").await;
    assert!(!entries.contains_key("CLIENT_SECRET"));
    assert_eq!(entries["CLIENT_ID"], format!("{}.signer", space.name));
    assert_eq!(status(&space, "signer", key()).await, 200);
    assert_eq!(status(&space, "signer", &stranger()).await, 401);
}

#[tokio::test]
async fn a_caller_migrates_from_its_secret_to_its_key_without_a_pause() {
    let space = TestNamespace::new("keys").await;
    space.ready("mover", json!({})).await;
    let secret = space.entries("mover-oauth").await;
    let by_secret = async || {
        let (id, value) = (&secret["CLIENT_ID"], &secret["CLIENT_SECRET"]);
        space.token_from(&space.issuer, id, value, &[]).await.0
    };
    space
        .patch("mover", json!({ "spec": { "jwks": keys(&[key()]) } }))
        .await;
    space.wait_ready("mover").await;
    assert_eq!(status(&space, "mover", key()).await, 200);
    assert_eq!(by_secret().await, 200);
    let named = json!({ "spec": { "tokenEndpointAuthMethod": "private_key_jwt" } });
    space.patch("mover", named).await;
    space.wait_ready("mover").await;
    assert_eq!(by_secret().await, 401, "the secret stops");
    assert!(
        !space
            .entries("mover-oauth")
            .await
            .contains_key("CLIENT_SECRET")
    );
    assert_eq!(status(&space, "mover", key()).await, 200);
}

#[tokio::test]
async fn a_key_that_is_replaced_counts_no_longer() {
    let space = TestNamespace::new("keys").await;
    let method = "private_key_jwt";
    let spec = json!({ "tokenEndpointAuthMethod": method, "jwks": keys(&[key()]) });
    space.ready("turner", spec).await;
    let next = stranger();
    for (jwks, expected) in [
        (keys(&[key(), &next]), (200, 200)),
        (keys(&[&next]), (401, 200)),
    ] {
        space
            .patch("turner", json!({ "spec": { "jwks": jwks } }))
            .await;
        eventually("the keys are those of the manifest", || async {
            let seen = (
                status(&space, "turner", key()).await,
                status(&space, "turner", &next).await,
            );
            if seen == expected {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        })
        .await;
    }
}
