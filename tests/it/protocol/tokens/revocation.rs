//! I15–I20: who may end which token.

use clientele_http::App;

use crate::support::issued::{
    Tokens, call, introspect, is_active, refresh, revoke, tokens, userinfo,
};
use crate::support::test_server::{TestServer, basic};

const APP: &str = "team-a.app";

async fn done(world: &TestServer, client: &str, token: &str) {
    let reply = revoke(world, client, token).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn i15_a_token_that_is_none_is_gone_already() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, APP).await;
    let of_b = crate::support::issued::tokens(&world, "b.app").await;
    for unknown in [
        "x",
        "a.b.c",
        &tokens.id_token,
        &of_b.access_token,
        &of_b.refresh_token,
    ] {
        done(&world, APP, unknown).await;
    }
    assert!(is_active(&world, APP, &tokens.access_token).await);
    assert!(is_active(&world, "b.app", &of_b.refresh_token).await);
}

#[tokio::test]
async fn i16_another_clients_token_stays() {
    let world = TestServer::at_rest().await;
    let theirs = tokens(&world, APP).await;
    for token in [&theirs.access_token, &theirs.refresh_token] {
        let reply = revoke(&world, "team-a.second", token).await;
        reply.refuses(400, "invalid_request");
        done(&world, "team-a.spa", token).await;
        assert!(is_active(&world, APP, token).await);
    }
    let machine = world.web("").await.access_token();
    revoke(&world, APP, &machine)
        .await
        .refuses(400, "invalid_request");
    assert!(is_active(&world, "team-a.web", &machine).await);
}

#[tokio::test]
async fn i17_a_confidential_client_proves_who_it_is() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.refresh_token;
    for form in [
        format!("token={token}"),
        format!("token={token}&client_id={APP}"),
        format!("token={token}&client_id={APP}&client_secret=wrong"),
        format!("token={token}&client_id=stranger"),
    ] {
        let reply = world.token_at("/revoke", None, &form).await;
        reply.refuses(401, "invalid_client");
    }
    assert!(is_active(&world, APP, &token).await);
}

#[tokio::test]
async fn a_public_client_names_itself() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, "team-a.spa").await;
    done(&world, "team-a.spa", &tokens.refresh_token).await;
    let reply = refresh(&world, "team-a.spa", &tokens.refresh_token, &[]).await;
    reply.refuses(400, "invalid_grant");
    userinfo(&world, &tokens.access_token)
        .await
        .refuses_bearer(401, "invalid_token");
}

#[tokio::test]
async fn i18_a_refresh_token_takes_its_family_whatever_the_hint() {
    let world = TestServer::at_rest().await;
    for hint in ["refresh_token", "access_token", "nonsense", ""] {
        let first = tokens(&world, APP).await;
        let second = Tokens::of(&refresh(&world, APP, &first.refresh_token, &[]).await);
        let form = [
            ("token", second.refresh_token.as_str()),
            ("token_type_hint", hint),
        ];
        assert_eq!(call(&world, APP, "/revoke", &form).await.status, 200);
        for tokens in [first, second] {
            userinfo(&world, &tokens.access_token)
                .await
                .refuses_bearer(401, "invalid_token");
            assert!(!is_active(&world, APP, &tokens.access_token).await);
            let reply = refresh(&world, APP, &tokens.refresh_token, &[]).await;
            reply.refuses(400, "invalid_grant");
        }
    }
}

#[tokio::test]
async fn i18_an_access_token_goes_alone() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, APP).await;
    let form = [
        ("token", tokens.access_token.as_str()),
        ("token_type_hint", "refresh_token"),
    ];
    assert_eq!(call(&world, APP, "/revoke", &form).await.status, 200);
    assert!(!is_active(&world, APP, &tokens.access_token).await);
    let next = Tokens::of(&refresh(&world, APP, &tokens.refresh_token, &[]).await);
    assert_eq!(userinfo(&world, &next.access_token).await.status, 200);
}

#[tokio::test]
async fn a_token_of_a_machine_is_revoked_as_well() {
    let world = TestServer::at_rest().await;
    let (one, other) = (
        world.web("").await.access_token(),
        world.web("").await.access_token(),
    );
    done(&world, "team-a.web", &one).await;
    assert!(!is_active(&world, "team-a.web", &one).await);
    assert!(is_active(&world, "team-a.web", &other).await);
}

#[tokio::test]
async fn i19_a_store_that_fails_is_never_taken_for_success() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, APP).await;
    world.app.store.close().await;
    for token in [&tokens.refresh_token, &tokens.access_token, "x"] {
        let reply = revoke(&world, APP, token).await;
        reply.refuses(503, "temporarily_unavailable");
    }
}

#[tokio::test]
async fn i20_the_other_replica_knows_at_once() {
    let world = TestServer::at_rest().await;
    let app = App::new(
        world.app.registry.clone(),
        world.app.clock,
        world.app.metrics.clone(),
        world.app.store.clone(),
    );
    let other = TestServer::with(app);
    let (one, two) = (tokens(&world, APP).await, tokens(&world, APP).await);
    done(&world, APP, &one.refresh_token).await;
    done(&world, APP, &two.access_token).await;
    for token in [&one.access_token, &two.access_token] {
        userinfo(&other, token)
            .await
            .refuses_bearer(401, "invalid_token");
    }
    let reply = refresh(&other, APP, &one.refresh_token, &[]).await;
    reply.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn a_request_without_a_token_or_in_the_wrong_form() {
    let world = TestServer::at_rest().await;
    for form in [
        vec![],
        vec![("token", "")],
        vec![("token", "a"), ("token", "b")],
    ] {
        call(&world, APP, "/revoke", &form)
            .await
            .refuses(400, "invalid_request");
    }
    let header = basic(APP, &world.secret(APP));
    let reply = world.token_at("/revoke?token=x", Some(&header), "").await;
    reply.refuses(400, "invalid_request");
    let reply = world.get("/revoke").await;
    assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
    assert_eq!(introspect(&world, APP, "x").await.status, 200);
}
