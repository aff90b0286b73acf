//! RFC 9068: what an access token is, verified by an independent library.

use std::collections::HashSet;
use std::sync::Arc;

use clientele_oauth::client::claim_mapping::{ClaimMapping, ClaimSource};
use clientele_oauth::{Algorithm, Client};
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Value, json};

use crate::support::issued::{Tokens, claims, introspect, seed, userinfo};
use crate::support::people::{BILLS, ORDERS};
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

/// From now on the audience maps these claims.
fn map(world: &TestServer, uri: &str, claims: &[ClaimMapping]) {
    world.change(|tenant| {
        for (id, client) in tenant.clients.clone().iter() {
            let mut audiences = client.audiences.to_vec();
            for audience in audiences
                .iter_mut()
                .filter(|audience| &*audience.uri == uri)
            {
                audience.claims = claims.into();
            }
            let audiences = audiences.into();
            let changed = Client {
                audiences,
                ..Client::clone(client)
            };
            let changed = changed.with_default_claims(&tenant.issuer);
            tenant.clients.insert(id.clone(), Arc::new(changed));
        }
    });
}

#[tokio::test]
async fn an_audience_gets_the_claims_that_its_tenant_maps() {
    let world = TestServer::at_rest().await;
    let roles = ClaimSource::Attribute {
        name: "groups".into(),
        prefix: None,
        rename: [("staff".into(), "admin".into())].into(),
    };
    let roles = ClaimMapping {
        name: "roles".into(),
        source: roles,
    };
    let env = ClaimMapping {
        name: "env".into(),
        source: ClaimSource::Constant("prod".into()),
    };
    map(&world, ORDERS, &[roles, env]);
    let issued = async |resources: &str| {
        let seed = seed(&world, "team-a.app");
        let seed = seed.with(|code| resources.clone_into(&mut code.authorization.resources));
        Tokens::of(
            &seed
                .scope("openid")
                .insert(&world)
                .await
                .exchange(&world)
                .await,
        )
    };
    let tokens = issued(ORDERS).await;
    let said = claims(&world, ORDERS, &tokens.access_token).await;
    assert_eq!(
        (&said["env"], &said["roles"]),
        (&json!("prod"), &json!(["everybody", "admin"]))
    );
    assert_eq!(said["sub"], "subject-of-alice");
    // The API may ask instead, and no other client is told.
    let known = introspect(&world, "team-a.orders-api", &tokens.access_token)
        .await
        .json();
    assert_eq!(known["roles"], said["roles"]);
    assert_eq!(known["active"], true);
    let id_token = claims(&world, "team-a.app", &tokens.id_token).await;
    let told = userinfo(&world, &tokens.access_token).await.json();
    for other in [id_token, told] {
        assert!(
            other.get("roles").is_none() && other.get("env").is_none(),
            "{other}"
        );
    }
    // For both there is nothing that both map, and a machine has no groups.
    let both = issued(&format!("{ORDERS} {BILLS}")).await;
    let said = claims(&world, BILLS, &both.access_token).await;
    assert!(
        said.get("roles").is_none() && said.get("env").is_none(),
        "{said}"
    );
    for more in [String::new(), format!("&resource={ORDERS}")] {
        let machine = world.web(&more).await.access_token();
        let said = claims(&world, ORDERS, &machine).await;
        assert_eq!(said["env"], "prod");
        assert!(said.get("roles").is_none(), "{said}");
    }
    let machine = world
        .web(&format!("&resource={BILLS}"))
        .await
        .access_token();
    assert!(claims(&world, BILLS, &machine).await.get("env").is_none());
}
