//! RFC 9068: what an access token is, verified by an independent library.

use std::collections::HashSet;

use clientele_oauth::Algorithm;
use jsonwebtoken::jwk::JwkSet;
use serde_json::Value;

use crate::support::test_server::{TestServer, basic, client_uid};
use crate::support::verifier::verify;

async fn issued(path: &str, id: &str, more: &str) -> (JwkSet, String, i64) {
    let world = TestServer::new().await;
    let header = basic(id, &world.secret(id));
    let form = format!("grant_type=client_credentials{more}");
    let reply = world
        .token_at(&format!("{path}/token"), Some(&header), &form)
        .await;
    let jwks = world.get(&format!("{path}/jwks")).await.body;
    let now = jiff::Timestamp::now().as_second();
    (
        serde_json::from_str(&jwks).unwrap(),
        reply.access_token(),
        now,
    )
}

async fn shape(path: &str, issuer: &str, id: &str, algorithm: Algorithm) {
    let (jwks, token, now) = issued(path, id, "").await;
    let (header, claims) = verify(&jwks, algorithm, "https://orders.example", &token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(claims["iss"], issuer);
    assert_eq!(claims["aud"], "https://orders.example");
    assert_eq!(claims["sub"], id);
    assert_eq!(claims["client_id"], id);
    assert_eq!(claims["scope"], "orders.read common");
    let (iat, exp) = (
        claims["iat"].as_i64().unwrap(),
        claims["exp"].as_i64().unwrap(),
    );
    assert!((now - 5..=now).contains(&iat));
    assert_eq!(exp - iat, 600);
    let jti = claims["jti"].as_str().unwrap();
    assert_eq!(
        jti.rsplit_once('.').map(|(_, random)| random.len()),
        Some(22),
        "{jti}"
    );
    assert!(jti.starts_with(&client_uid(id)));
}

#[tokio::test]
async fn rfc9068_es256() {
    shape("", "https://id.example", "team-a.web", Algorithm::Es256).await;
}

#[tokio::test]
async fn rfc9068_rs256() {
    shape(
        "/t/rsa",
        "https://id.example/t/rsa",
        "rsa.api",
        Algorithm::Rs256,
    )
    .await;
}

#[tokio::test]
async fn rfc9068_eddsa() {
    shape(
        "/t/ed",
        "https://id.example/t/ed",
        "ed.api",
        Algorithm::EdDsa,
    )
    .await;
}

#[tokio::test]
async fn rfc9068_several_resources_are_several_audiences() {
    let both = "&resource=https%3A%2F%2Forders.example&resource=https%3A%2F%2Fbills.example";
    let (jwks, token, _) = issued("", "team-a.web", both).await;
    let (_, claims) = verify(&jwks, Algorithm::Es256, "https://bills.example", &token).unwrap();
    assert_eq!(
        claims["aud"],
        Value::from(vec!["https://orders.example", "https://bills.example"])
    );
    assert!(verify(&jwks, Algorithm::Es256, "https://other.example", &token).is_err());
}

#[tokio::test]
async fn rfc9068_another_issuer_or_a_change_fails_verification() {
    let (jwks, token, _) = issued("", "team-a.web", "").await;
    let (others, ..) = issued("/t/ed", "ed.api", "").await;
    let audience = "https://orders.example";
    assert!(verify(&others, Algorithm::Es256, audience, &token).is_err());
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    let changed = if claims.ends_with('A') { "B" } else { "A" };
    let forged = format!(
        "{header}.{}{changed}.{signature}",
        &claims[..claims.len() - 1]
    );
    assert!(verify(&jwks, Algorithm::Es256, audience, &forged).is_err());
}

#[tokio::test]
async fn no_two_tokens_share_a_jti() {
    let world = TestServer::new().await;
    let mut seen = HashSet::new();
    for _ in 0..200 {
        assert!(seen.insert(world.web("").await.access_token()));
    }
}
