//! F: the refresh token grant. One chain of tokens, for as long as everybody stands by it.

use std::sync::Arc;
use std::time::Duration;

use clientele_oauth::{Client, User};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::clock::advance;
use crate::support::issued::{
    Tokens, call, claims, is_active, refresh, seed, seed_for, tokens, userinfo,
};
use crate::support::people::{self, BILLS, ORDERS};
use crate::support::test_server::{ISSUER, TestServer, list};

const APP: &str = "team-a.app";

/// The tokens that follow.
async fn next(world: &TestServer, token: &str) -> Tokens {
    Tokens::of(&refresh(world, APP, token, &[]).await)
}

async fn refuses(world: &TestServer, token: &str) {
    refresh(world, APP, token, &[])
        .await
        .refuses(400, "invalid_grant");
}

/// The longest time for which a token may be used again.
async fn after_the_grace() {
    advance(Duration::from_secs(30));
}

fn change_client(world: &TestServer, change: impl FnOnce(&mut Client)) {
    world.change(|tenant| {
        let client = people::app_with(APP, change);
        tenant.clients.insert(client.id.clone(), client.into());
    });
}

fn change_alice(world: &TestServer, change: impl FnOnce(&mut User)) {
    world.change(|tenant| {
        let mut people = people::everybody();
        change(&mut people[0]);
        tenant.users = people::index(people);
    });
}

#[tokio::test]
async fn f01_no_token_and_tokens_that_are_none() {
    let world = TestServer::at_rest().await;
    let good = tokens(&world, APP).await.refresh_token;
    refresh(&world, APP, "", &[])
        .await
        .refuses(400, "invalid_request");
    for bad in [
        "x".to_owned(),
        good[1..].to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}x"),
        good.to_uppercase(),
        good.replace("clr_", "clt_"),
        "x".repeat(60_000),
    ] {
        refuses(&world, &bad).await;
    }
    next(&world, &good).await;
}

#[tokio::test]
async fn f02_a_token_used_again_after_the_grace_ends_the_whole_family() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    let second = next(&world, &first.refresh_token).await;
    after_the_grace().await;
    refuses(&world, &first.refresh_token).await;
    refuses(&world, &second.refresh_token).await;
    for tokens in [first, second] {
        userinfo(&world, &tokens.access_token)
            .await
            .refuses_bearer(401, "invalid_token");
    }
}

#[tokio::test]
async fn f02_once_the_successor_is_used_there_is_no_grace() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    let second = next(&world, &first.refresh_token).await;
    let third = next(&world, &second.refresh_token).await;
    refuses(&world, &first.refresh_token).await;
    refuses(&world, &third.refresh_token).await;
}

#[tokio::test]
async fn f03_a_retry_within_the_grace_gets_the_same_successor() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    let second = next(&world, &first.refresh_token).await;
    advance(Duration::from_millis(29_999));
    let again = next(&world, &first.refresh_token).await;
    assert_eq!(again.refresh_token, second.refresh_token);
    assert_ne!(again.access_token, second.access_token);
    let third = next(&world, &second.refresh_token).await;
    assert_ne!(third.refresh_token, second.refresh_token);
}

#[tokio::test]
async fn f04_fifty_at_once_leave_one_chain() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    let uses = (0..50).map(|_| refresh(&world, APP, &first.refresh_token, &[]));
    let replies = join_all(uses).await;
    let successors: Vec<String> = replies
        .iter()
        .map(|r| Tokens::of(r).refresh_token)
        .collect();
    assert!(successors.iter().all(|token| *token == successors[0]));
    next(&world, &successors[0]).await;
}

#[tokio::test]
async fn f05_a_token_of_another_client_gives_nothing_and_stays_good() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    for other in ["team-a.second", "team-a.spa"] {
        let reply = refresh(&world, other, &first.refresh_token, &[]).await;
        reply.refuses(400, "invalid_grant");
    }
    // Also one that was used already ends nothing in another's hands.
    let second = next(&world, &first.refresh_token).await;
    after_the_grace().await;
    let reply = refresh(&world, "team-a.second", &first.refresh_token, &[]).await;
    reply.refuses(400, "invalid_grant");
    next(&world, &second.refresh_token).await;
}

#[tokio::test]
async fn f05_p6_a_token_of_another_tenant_is_none() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    let reply = refresh(&world, "b.app", &first.refresh_token, &[]).await;
    reply.refuses(400, "invalid_grant");
    let of_b = tokens(&world, "b.app").await;
    refuses(&world, &of_b.refresh_token).await;
}

#[tokio::test]
async fn f06_without_client_authentication() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.refresh_token;
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    world
        .token(None, &form)
        .await
        .refuses(401, "invalid_client");
    let form = format!("{form}&client_id={APP}");
    world
        .token(None, &form)
        .await
        .refuses(401, "invalid_client");
    let wrong = format!("{form}&client_secret=wrong");
    world
        .token(None, &wrong)
        .await
        .refuses(401, "invalid_client");
    next(&world, &token).await;
}

#[tokio::test]
async fn a_public_client_is_known_by_its_id() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, "team-a.spa").await.refresh_token;
    let reply = refresh(&world, "team-a.spa", &token, &[]).await;
    assert_ne!(Tokens::of(&reply).refresh_token, token);
}

#[tokio::test]
async fn f07_a_larger_scope_uses_nothing_up() {
    let world = TestServer::at_rest().await;
    let seed = seed(&world, APP).scope("openid email").insert(&world).await;
    let first = Tokens::of(&seed.exchange(&world).await);
    for larger in [
        "openid email profile",
        "profile",
        "admin",
        "offline_access",
        "openid \"x\"",
    ] {
        let reply = refresh(&world, APP, &first.refresh_token, &[("scope", larger)]).await;
        reply.refuses(400, "invalid_scope");
    }
    after_the_grace().await;
    next(&world, &first.refresh_token).await;
}

#[tokio::test]
async fn f08_a_narrower_scope_narrows_one_token_not_the_grant() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    let narrow = refresh(
        &world,
        APP,
        &first.refresh_token,
        &[("scope", "openid email")],
    )
    .await;
    assert_eq!(narrow.json()["scope"], "openid email");
    let narrow = Tokens::of(&narrow);
    let told = claims(&world, APP, &narrow.id_token).await;
    assert_eq!(
        (&told["email"], &told["name"]),
        (&json!("alice@example.com"), &Value::Null)
    );
    let whole = refresh(&world, APP, &narrow.refresh_token, &[]).await;
    let scope = "openid profile email groups orders.read bills.read common";
    assert_eq!(whole.json()["scope"], scope);
    let without = [("scope", "email")];
    let without =
        Tokens::of(&refresh(&world, APP, &Tokens::of(&whole).refresh_token, &without).await);
    assert_eq!(without.id_token, "");
}

#[tokio::test]
async fn f09_a_disabled_deleted_or_changed_user_ends_the_family() {
    let changes: [fn(&mut User); 4] = [
        |alice| alice.disabled = true,
        |alice| alice.credential = "another".into(),
        |alice| alice.valid_from = crate::support::clock::now(),
        |alice| alice.uid = "uid-of-another-alice".into(),
    ];
    for change in changes {
        let world = TestServer::at_rest().await;
        let first = tokens(&world, APP).await;
        change_alice(&world, change);
        refuses(&world, &first.refresh_token).await;
        world.change(|_| ());
        refuses(&world, &first.refresh_token).await;
        assert!(!is_active(&world, APP, &first.access_token).await);
    }
}

#[tokio::test]
async fn f09_a_user_outside_the_group_gets_nothing_until_back_in() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, "team-a.staff").await;
    change_alice(&world, |alice| alice.groups = list(&["everybody"]));
    let reply = refresh(&world, "team-a.staff", &first.refresh_token, &[]).await;
    reply.refuses(400, "invalid_grant");
    world.change(|_| ());
    let reply = refresh(&world, "team-a.staff", &first.refresh_token, &[]).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn f09_claims_are_those_of_now() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    change_alice(&world, |alice| {
        alice.groups = list(&["another"]);
        alice.claims.insert("name".into(), "Alice Married".into());
    });
    let second = next(&world, &first.refresh_token).await;
    let told = claims(&world, APP, &second.id_token).await;
    assert_eq!(
        (&told["groups"], &told["name"]),
        (&json!(["another"]), &json!("Alice Married"))
    );
}

#[tokio::test]
async fn f10_a_client_that_is_gone_or_lost_the_grant() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    change_client(&world, |client| {
        client.grant_types = [clientele_oauth::GrantType::AuthorizationCode].into();
    });
    let reply = refresh(&world, APP, &first.refresh_token, &[]).await;
    reply.refuses(400, "unauthorized_client");
    let header = crate::support::test_server::basic(APP, &world.secret(APP));
    world.change(|tenant| drop(tenant.clients.remove(APP)));
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        first.refresh_token
    );
    world
        .token(Some(&header), &form)
        .await
        .refuses(401, "invalid_client");
}

#[tokio::test]
async fn f10_what_a_client_may_no_longer_have_it_does_not_get() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    change_client(&world, |client| {
        client.scopes = list(&["openid", "orders.read"]);
    });
    let reply = refresh(
        &world,
        APP,
        &first.refresh_token,
        &[("scope", "openid email")],
    )
    .await;
    reply.refuses(400, "invalid_scope");
    let reply = refresh(&world, APP, &first.refresh_token, &[]).await;
    assert_eq!(reply.json()["scope"], "openid orders.read");
    let second = Tokens::of(&reply);
    change_client(&world, |client| client.scopes = list(&["another"]));
    refuses(&world, &second.refresh_token).await;
}

#[tokio::test]
async fn f11_after_the_consent_was_withdrawn() {
    let world = TestServer::at_rest().await;
    let seed = seed(&world, APP).insert(&world).await;
    let first = Tokens::of(&seed.exchange(&world).await);
    let given = &seed.kept.authorization;
    let now = crate::support::clock::now();
    let store = &world.app.store;
    store
        .withdraw(&given.tenant, &given.subject, &given.client_uid, now)
        .await
        .unwrap();
    refuses(&world, &first.refresh_token).await;
    userinfo(&world, &first.access_token)
        .await
        .refuses_bearer(401, "invalid_token");
}

/// Refreshes every so often until it is refused; how often that was.
async fn refresh_every(world: &TestServer, client: &str, every: Duration) -> u32 {
    let mut token = tokens(world, client).await.refresh_token;
    for times in 0..20 {
        advance(every);
        let reply = refresh(world, client, &token, &[]).await;
        if reply.status != 200 {
            reply.refuses(400, "invalid_grant");
            return times;
        }
        token = Tokens::of(&reply).refresh_token;
    }
    20
}

#[tokio::test]
async fn f12_the_absolute_lifetime_ends_a_grant_in_constant_use() {
    let world = TestServer::at_rest().await;
    // Three hours, of which one may be idle.
    let times = refresh_every(&world, "team-a.brief", Duration::from_mins(30)).await;
    assert_eq!(times, 5);
}

#[tokio::test]
async fn f12_a_lifetime_that_was_shortened_counts_from_the_beginning() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    advance(Duration::from_hours(2));
    let second = next(&world, &first.refresh_token).await;
    change_client(&world, |client| {
        Arc::make_mut(&mut client.lifetimes).refresh_token = Duration::from_hours(1);
    });
    refuses(&world, &second.refresh_token).await;
}

#[tokio::test]
async fn f13_the_idle_lifetime_ends_a_grant_that_is_not_used() {
    let world = TestServer::at_rest().await;
    let almost = Duration::from_secs(3599);
    assert_eq!(refresh_every(&world, "team-a.brief", almost).await, 3);
    assert_eq!(
        refresh_every(&world, "team-a.brief", Duration::from_hours(1)).await,
        0
    );
}

#[tokio::test]
async fn f14_a_client_that_was_recreated_under_the_same_name() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, "team-a.spa").await;
    world.change(|tenant| {
        let mut spa = (*tenant.clients["team-a.spa"]).clone();
        spa.uid = "uid-of-another".into();
        tenant.clients.insert(spa.id.clone(), spa.into());
    });
    let reply = refresh(&world, "team-a.spa", &first.refresh_token, &[]).await;
    reply.refuses(400, "invalid_grant");
    userinfo(&world, &first.access_token)
        .await
        .refuses_bearer(401, "invalid_token");
    assert!(!is_active(&world, "team-a.app", &first.access_token).await);
}

#[tokio::test]
async fn f15_a_person_who_was_recreated_under_the_same_name() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    change_alice(&world, |alice| {
        alice.uid = "uid-of-another-alice".into();
        alice.subject = "subject-of-another-alice".into();
    });
    refuses(&world, &first.refresh_token).await;
    userinfo(&world, &first.access_token)
        .await
        .refuses_bearer(401, "invalid_token");
}

#[tokio::test]
async fn f16_after_signing_out_only_offline_access_goes_on() {
    let world = TestServer::at_rest().await;
    let online = tokens(&world, APP).await;
    let offline = seed(&world, APP)
        .scope("openid offline_access")
        .insert(&world)
        .await;
    let offline = Tokens::of(&offline.exchange(&world).await);
    let now = crate::support::clock::now();
    let store = &world.app.store;
    store
        .end_session("uid-of-tenant-default", "sid-1", now)
        .await
        .unwrap();
    refuses(&world, &online.refresh_token).await;
    let reply = refresh(&world, APP, &offline.refresh_token, &[]).await;
    assert_eq!(reply.json()["scope"], "openid offline_access");
}

#[tokio::test]
async fn f17_a_refreshed_id_token_tells_of_the_same_signing_in() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    advance(Duration::from_mins(9));
    let second = next(&world, &first.refresh_token).await;
    let before = claims(&world, APP, &first.id_token).await;
    let after = claims(&world, APP, &second.id_token).await;
    for same in ["iss", "sub", "aud", "auth_time", "sid", "amr"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_eq!(after["nonce"], Value::Null);
    let later = |claim: &str| after[claim].as_i64().unwrap() - before[claim].as_i64().unwrap();
    assert_eq!((later("iat"), later("exp")), (540, 540));
    assert_ne!(before["at_hash"], after["at_hash"]);
}

#[tokio::test]
async fn f18_one_kind_of_token_is_no_other() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, APP).await;
    for wrong in [&tokens.access_token, &tokens.id_token, &world.secret(APP)] {
        refuses(&world, wrong).await;
    }
    userinfo(&world, &tokens.refresh_token)
        .await
        .refuses_bearer(401, "invalid_token");
    next(&world, &tokens.refresh_token).await;
}

#[tokio::test]
async fn f20_resources_within_the_grant_and_outside() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    let one = refresh(&world, APP, &first.refresh_token, &[("resource", ORDERS)]).await;
    let one = Tokens::of(&one);
    let told = claims(&world, ORDERS, &one.access_token).await;
    assert_eq!(told["aud"], json!([ORDERS, ISSUER]));
    assert_eq!(
        told["scope"],
        "openid profile email groups orders.read common"
    );
    let out_of_reach = [("resource", ORDERS), ("scope", "bills.read")];
    let reply = refresh(&world, APP, &one.refresh_token, &out_of_reach).await;
    reply.refuses(400, "invalid_scope");
    let reply = refresh(
        &world,
        APP,
        &one.refresh_token,
        &[("resource", "https://x.example")],
    )
    .await;
    reply.refuses(400, "invalid_target");
    let both = [("resource", ORDERS), ("resource", BILLS)];
    let reply = refresh(&world, APP, &one.refresh_token, &both).await;
    assert_eq!(reply.status, 200);
    let seed = seed_for(&world, APP, "bob").with(|code| {
        ORDERS.clone_into(&mut code.authorization.resources);
    });
    let narrow = Tokens::of(&seed.insert(&world).await.exchange(&world).await);
    let reply = refresh(&world, APP, &narrow.refresh_token, &[("resource", BILLS)]).await;
    reply.refuses(400, "invalid_target");
}

#[tokio::test]
async fn a_parameter_that_stands_twice_uses_nothing_up() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.refresh_token;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &token),
        ("refresh_token", &token),
    ];
    call(&world, APP, "/token", &form)
        .await
        .refuses(400, "invalid_request");
    next(&world, &token).await;
}

#[tokio::test]
async fn m10_a_store_that_fails_uses_nothing_up() {
    let world = TestServer::at_rest().await;
    let token = tokens(&world, APP).await.refresh_token;
    world.app.store.close().await;
    let reply = refresh(&world, APP, &token, &[]).await;
    reply.refuses(503, "temporarily_unavailable");
}

#[tokio::test]
async fn m06_a_clock_that_goes_back_brings_nothing_back() {
    let world = TestServer::at_rest().await;
    let first = tokens(&world, APP).await;
    let second = next(&world, &first.refresh_token).await;
    after_the_grace().await;
    refuses(&world, &first.refresh_token).await;
    crate::support::clock::rewind(Duration::from_hours(1));
    refuses(&world, &second.refresh_token).await;
    assert!(!is_active(&world, APP, &second.access_token).await);
}
