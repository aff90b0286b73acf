//! I10–I14: who may ask about which token.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;

use crate::support::clock::{self, advance};
use crate::support::issued::{Tokens, call, introspect, is_active, refresh, revoke, seed, tokens};
use crate::support::people::{BILLS, ORDERS};
use crate::support::test_server::{FORM, ISSUER, TestServer, basic};

const APP: &str = "team-a.app";
const API: &str = "team-a.orders-api";
const INACTIVE: &str = r#"{"active":false}"#;

async fn is_inactive(world: &TestServer, caller: &str, token: &str) {
    let reply = introspect(world, caller, token).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, INACTIVE));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn rfc7662_a_client_learns_about_its_own_tokens() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, APP).await;
    let told = introspect(&world, APP, &tokens.access_token).await.json();
    let now = clock::now().as_second();
    let scope = "openid profile email groups orders.read bills.read common";
    assert_eq!(
        told,
        json!({
            "active": true,
            "token_type": "Bearer",
            "scope": scope,
            "client_id": APP,
            "sub": "subject-of-alice",
            "iss": ISSUER,
            "aud": [ORDERS, BILLS, ISSUER],
            "iat": now,
            "exp": now + 600,
            "auth_time": now - 5,
            "jti": told["jti"],
        })
    );
    let told = introspect(&world, APP, &tokens.refresh_token).await.json();
    assert_eq!(
        told,
        json!({
            "active": true,
            "scope": scope,
            "client_id": APP,
            "sub": "subject-of-alice",
            "iss": ISSUER,
            "iat": now,
            "exp": now + 168 * 3600,
        })
    );
}

#[tokio::test]
async fn an_api_learns_about_tokens_that_are_for_it() {
    let world = TestServer::at_rest().await;
    let for_both = tokens(&world, APP).await;
    let told = introspect(&world, API, &for_both.access_token).await.json();
    assert_eq!(
        (&told["active"], &told["sub"]),
        (&json!(true), &json!("subject-of-alice"))
    );
    let of_machine = world.web("").await.access_token();
    let told = introspect(&world, API, &of_machine).await.json();
    assert_eq!(
        (&told["sub"], &told["aud"]),
        (&json!("team-a.web"), &json!(ORDERS))
    );
}

#[tokio::test]
async fn i10_without_authentication() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    for (header, form) in [
        (None, format!("token={token}")),
        (None, format!("token={token}&client_id={APP}")),
        (
            None,
            format!("token={token}&client_id={APP}&client_secret="),
        ),
        (Some(basic(APP, "wrong")), format!("token={token}")),
        (Some(basic("stranger", "wrong")), format!("token={token}")),
        (Some(format!("Bearer {token}")), format!("token={token}")),
    ] {
        let reply = world
            .token_at("/introspect", header.as_deref(), &form)
            .await;
        reply.refuses(401, "invalid_client");
    }
    let header = basic(APP, &world.secret(APP));
    let form = format!("token={token}&client_secret=x");
    let reply = world.token_at("/introspect", Some(&header), &form).await;
    reply.refuses(400, "invalid_request");
}

#[tokio::test]
async fn i11_a_public_client_learns_nothing_not_even_about_its_own() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, "team-a.spa").await.access_token;
    introspect(&world, "team-a.spa", &token)
        .await
        .refuses(401, "invalid_client");
}

#[tokio::test]
async fn i11_who_is_neither_client_nor_audience_learns_nothing() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, APP).await;
    for caller in ["team-a.second", "team-a.web"] {
        is_inactive(&world, caller, &tokens.access_token).await;
        is_inactive(&world, caller, &tokens.refresh_token).await;
    }
    // An API never sees refresh tokens.
    is_inactive(&world, API, &tokens.refresh_token).await;
    let elsewhere = seed(&world, APP).with(|code| {
        BILLS.clone_into(&mut code.authorization.resources);
        "openid bills.read".clone_into(&mut code.authorization.scope);
    });
    let elsewhere = Tokens::of(&elsewhere.insert(&world).await.exchange(&world).await);
    is_inactive(&world, API, &elsewhere.access_token).await;
}

#[tokio::test]
async fn i12_what_is_not_good_is_inactive_and_nothing_else() {
    let world = TestServer::at_rest().await;
    let revoked = tokens(&world, APP).await;
    revoke(&world, APP, &revoked.access_token).await;
    is_inactive(&world, APP, &revoked.access_token).await;
    assert!(is_active(&world, APP, &revoked.refresh_token).await);
    let used = revoked.refresh_token;
    refresh(&world, APP, &used, &[]).await;
    is_inactive(&world, APP, &used).await;
    let of_b = tokens(&world, "b.app").await;
    for wrong in [
        &of_b.access_token,
        &of_b.refresh_token,
        &revoked.id_token,
        "x",
        "a.b.c",
    ] {
        is_inactive(&world, APP, wrong).await;
    }
    let expired = tokens(&world, APP).await;
    advance(Duration::from_mins(10));
    is_inactive(&world, APP, &expired.access_token).await;
    advance(Duration::from_hours(168));
    is_inactive(&world, APP, &expired.refresh_token).await;
}

#[tokio::test]
async fn a_token_of_a_machine_dies_with_its_registration() {
    let world = TestServer::at_rest().await;
    let token = world.web("").await.access_token();
    assert!(is_active(&world, "team-a.web", &token).await);
    world.change(|tenant| {
        let mut another = crate::support::test_server::client("team-a.web");
        another.uid = "uid-of-another".into();
        tenant.clients.insert(another.id.clone(), another.into());
    });
    is_inactive(&world, API, &token).await;
}

#[tokio::test]
async fn i12_the_hint_is_only_a_hint() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, APP).await;
    for (token, hint) in [
        (&tokens.access_token, "refresh_token"),
        (&tokens.refresh_token, "access_token"),
        (&tokens.refresh_token, "nonsense"),
    ] {
        let form = [("token", token.as_str()), ("token_type_hint", hint)];
        let reply = call(&world, APP, "/introspect", &form).await;
        assert_eq!(reply.json()["active"], true);
    }
}

#[tokio::test]
async fn i13_get_and_html_are_not_offered() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    let header = basic(APP, &world.secret(APP));
    let url = format!("/introspect?token={token}");
    let request = Request::get(&url).header(AUTHORIZATION, &header);
    let reply = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
    let reply = world.token_at(&url, Some(&header), "").await;
    reply.refuses(400, "invalid_request");
    let request = Request::post("/introspect")
        .header(AUTHORIZATION, &header)
        .header(CONTENT_TYPE, FORM)
        .header(ACCEPT, "text/html");
    let reply = world
        .send(request.body(format!("token={token}").into()).unwrap())
        .await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "application/json")
    );
}

#[tokio::test]
async fn a_request_without_a_token_or_with_two() {
    let world = TestServer::at_rest().await;
    for form in [
        vec![],
        vec![("token", "")],
        vec![("token", "a"), ("token", "a")],
    ] {
        call(&world, APP, "/introspect", &form)
            .await
            .refuses(400, "invalid_request");
    }
}

#[tokio::test]
async fn i14_a_thousand_guesses_are_throttled_and_good_tokens_are_not() {
    let world = TestServer::at_rest().await;
    let good = tokens(&world, APP).await.access_token;
    let mut throttled = 0;
    for n in 0..1000 {
        let reply = introspect(&world, APP, &format!("token-{n}")).await;
        if reply.status == 429 {
            throttled += 1;
            assert_eq!(reply.header("retry-after"), "1");
            assert_eq!(reply.outcome(), "429 temporarily_unavailable");
        }
    }
    assert_eq!(throttled, 800);
    assert!(is_active(&world, APP, &good).await);
    is_inactive(&world, "team-a.second", &good).await;
    advance(Duration::from_secs(1));
    is_inactive(&world, APP, "x").await;
}

#[tokio::test]
async fn m10_a_store_that_fails_says_nothing_about_a_token() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    world.app.store.close().await;
    let reply = introspect(&world, APP, &token).await;
    reply.refuses(503, "temporarily_unavailable");
}
