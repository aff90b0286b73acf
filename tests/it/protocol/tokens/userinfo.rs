//! I01–I08: the userinfo endpoint, and whom it tells what.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use clientele_oauth::endpoints::authorize::claims_parameter::ClaimsRequest;
use serde_json::json;

use crate::support::clock::advance;
use crate::support::issued::{Tokens, post_userinfo, revoke, seed, tokens, userinfo};
use crate::support::keys;
use crate::support::people;
use crate::support::reply::Reply;
use crate::support::test_server::{TestServer, basic, list};

const APP: &str = "team-a.app";

async fn send(world: &TestServer, request: axum::http::request::Builder) -> Reply {
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn oidc_core_5_3_userinfo_by_get_and_post_header_and_form() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    let expected = json!({
        "sub": "subject-of-alice",
        "name": "alice of Example",
        "preferred_username": "alice",
        "email": "alice@example.com",
        "email_verified": true,
        "groups": ["everybody", "staff"],
    });
    let header = format!("Bearer {token}");
    let form = format!("access_token={token}");
    let bare = Request::post("/userinfo").header(AUTHORIZATION, &header);
    for reply in [
        userinfo(&world, &token).await,
        post_userinfo(&world, Some(&header), "").await,
        post_userinfo(&world, None, &form).await,
        send(&world, bare).await,
    ] {
        assert_eq!((reply.status, reply.json()), (200, expected.clone()));
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn each_scope_tells_its_own() {
    let world = TestServer::at_rest().await;
    for (scope, told) in [
        ("openid", json!({"sub": "subject-of-alice"})),
        (
            "openid email",
            json!({"sub": "subject-of-alice", "email": "alice@example.com", "email_verified": true}),
        ),
    ] {
        let seed = seed(&world, APP).scope(scope).insert(&world).await;
        let token = Tokens::of(&seed.exchange(&world).await).access_token;
        assert_eq!(userinfo(&world, &token).await.json(), told);
    }
}

#[tokio::test]
async fn a_claim_asked_for_by_name_and_a_scope_that_the_client_lost() {
    let world = TestServer::at_rest().await;
    let asked = r#"{"userinfo":{"name":{"essential":true}}}"#;
    let asked = ClaimsRequest::parse(asked).unwrap().normal();
    let seed = seed(&world, APP).scope("openid email");
    let seed = seed.with(|code| code.authorization.claims = asked);
    let tokens = Tokens::of(&seed.insert(&world).await.exchange(&world).await);
    let told = userinfo(&world, &tokens.access_token).await.json();
    assert_eq!(
        (&told["name"], &told["email"]),
        (&json!("alice of Example"), &json!("alice@example.com"))
    );
    world.change(|tenant| {
        let narrow = people::app_with(APP, |c| c.scopes = list(&["openid", "groups"]));
        tenant.clients.insert(narrow.id.clone(), narrow.into());
    });
    let told = userinfo(&world, &tokens.access_token).await.json();
    assert_eq!(told, json!({"sub": "subject-of-alice"}));
}

#[tokio::test]
async fn i01_without_a_token_there_is_no_error_to_name() {
    let world = TestServer::at_rest().await;
    let basic = basic(APP, &world.secret(APP));
    for reply in [
        world.get("/userinfo").await,
        world.get("/userinfo?foo=1").await,
        post_userinfo(&world, None, "").await,
        post_userinfo(&world, None, "access_token=").await,
        post_userinfo(&world, Some(&basic), "").await,
    ] {
        assert_eq!((reply.status, reply.body.as_str()), (401, ""));
        assert_eq!(
            reply.header("www-authenticate"),
            r#"Bearer realm="https://id.example""#
        );
    }
}

#[tokio::test]
async fn i02_a_token_in_the_url_is_refused_even_if_it_is_good() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    let url = format!("/userinfo?access_token={token}");
    world.get(&url).await.refuses_bearer(400, "invalid_request");
    let both = Request::get(&url).header(AUTHORIZATION, format!("Bearer {token}"));
    send(&world, both)
        .await
        .refuses_bearer(400, "invalid_request");
}

#[tokio::test]
async fn i03_a_token_in_two_places() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    let (header, form) = (format!("Bearer {token}"), format!("access_token={token}"));
    let reply = post_userinfo(&world, Some(&header), &form).await;
    reply.refuses_bearer(400, "invalid_request");
    let twice = Request::get("/userinfo")
        .header(AUTHORIZATION, &header)
        .header(AUTHORIZATION, &header);
    send(&world, twice)
        .await
        .refuses_bearer(400, "invalid_request");
    let reply = post_userinfo(&world, None, &format!("{form}&{form}")).await;
    reply.refuses_bearer(400, "invalid_request");
}

#[tokio::test]
async fn i04_only_an_access_token_opens_it() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, APP).await;
    for wrong in [
        tokens.id_token,
        tokens.refresh_token,
        world.secret(APP),
        "x".into(),
        "a.b.c".into(),
    ] {
        userinfo(&world, &wrong)
            .await
            .refuses_bearer(401, "invalid_token");
    }
    let reply = post_userinfo(&world, Some("Bearer "), "").await;
    reply.refuses_bearer(401, "invalid_token");
}

#[tokio::test]
async fn i05_a_token_of_another_tenant_audience_or_without_openid() {
    let world = TestServer::at_rest().await;
    let of_b = tokens(&world, "b.app").await.access_token;
    userinfo(&world, &of_b)
        .await
        .refuses_bearer(401, "invalid_token");
    let for_orders = seed(&world, APP)
        .scope("orders.read email")
        .insert(&world)
        .await;
    let for_orders = Tokens::of(&for_orders.exchange(&world).await).access_token;
    userinfo(&world, &for_orders)
        .await
        .refuses_bearer(401, "invalid_token");
    let machine = world.web("").await.access_token();
    userinfo(&world, &machine)
        .await
        .refuses_bearer(401, "invalid_token");
    // For the issuer, but without a sign-in.
    let plain = seed(&world, APP)
        .scope("email")
        .with(|c| c.authorization.resources.clear());
    let plain = Tokens::of(&plain.insert(&world).await.exchange(&world).await).access_token;
    let reply = userinfo(&world, &plain).await;
    reply.refuses_bearer(403, "insufficient_scope");
    assert!(
        reply
            .header("www-authenticate")
            .ends_with(r#", scope="openid""#)
    );
}

#[tokio::test]
async fn i06_a_key_that_was_retired_and_a_header_that_lies() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (_, payload) = signed.split_once('.').unwrap();
    for header in [
        "eyJhbGciOiJub25lIn0",
        "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0",
    ] {
        for forged in [
            format!("{header}.{payload}."),
            format!("{header}.{payload}.{signature}"),
        ] {
            userinfo(&world, &forged)
                .await
                .refuses_bearer(401, "invalid_token");
        }
    }
    world.change(|tenant| {
        tenant.signing_keys = Some(keys::signing_keys(clientele_oauth::Algorithm::Rs256));
    });
    userinfo(&world, &token)
        .await
        .refuses_bearer(401, "invalid_token");
}

#[tokio::test]
async fn i07_dead_is_dead_at_once() {
    let world = TestServer::at_rest().await;
    let revoked = tokens(&world, APP).await.access_token;
    revoke(&world, APP, &revoked).await;
    userinfo(&world, &revoked)
        .await
        .refuses_bearer(401, "invalid_token");
    let expired = tokens(&world, APP).await.access_token;
    advance(Duration::from_mins(10));
    userinfo(&world, &expired)
        .await
        .refuses_bearer(401, "invalid_token");
    let token = tokens(&world, APP).await.access_token;
    assert_eq!(userinfo(&world, &token).await.status, 200);
    world.change(|tenant| drop(tenant.clients.remove(APP)));
    userinfo(&world, &token)
        .await
        .refuses_bearer(401, "invalid_token");
}

#[tokio::test]
async fn i07_c17_a_person_who_lost_the_right() {
    let changes: [fn(&mut clientele_oauth::User); 3] = [
        |alice| alice.disabled = true,
        |alice| alice.credential = "another".into(),
        |alice| alice.groups = list(&["everybody"]),
    ];
    for change in changes {
        let world = TestServer::at_rest().await;
        let token = tokens(&world, "team-a.staff").await.access_token;
        assert_eq!(userinfo(&world, &token).await.status, 200);
        world.change(|tenant| {
            let mut people = people::everybody();
            change(&mut people[0]);
            tenant.users = people::index(people);
        });
        userinfo(&world, &token)
            .await
            .refuses_bearer(401, "invalid_token");
    }
}

#[tokio::test]
async fn i08_a_token_that_lacks_a_character_or_has_another() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    for wrong in [
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        format!("{}A", &token[..token.len() - 1]),
        format!("{token}="),
        token.replacen('.', "..", 1),
    ] {
        if wrong != token {
            userinfo(&world, &wrong)
                .await
                .refuses_bearer(401, "invalid_token");
        }
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let world = TestServer::at_rest().await;
    for method in ["PUT", "DELETE", "HEAD", "OPTIONS"] {
        let request = Request::builder().method(method).uri("/userinfo");
        let reply = send(&world, request).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, "GET, POST"),
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_no_form_holds_no_token() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    let request = Request::post("/userinfo").header(CONTENT_TYPE, "application/json");
    let body = format!("{{\"access_token\":\"{token}\"}}");
    let reply = world.send(request.body(body.into()).unwrap()).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn m10_a_store_that_fails_is_no_reason_to_sign_in_again() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.access_token;
    world.app.store.close().await;
    let reply = userinfo(&world, &token).await;
    assert_eq!(reply.outcome(), "503 temporarily_unavailable");
    assert_eq!(reply.header("www-authenticate"), "");
}
