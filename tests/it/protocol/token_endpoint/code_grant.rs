//! E: the authorization code grant. What a code is worth, to whom, and how often.

use std::sync::Arc;
use std::time::Duration;

use clientele_http::App;
use clientele_http::metrics::TokenMetrics;
use clientele_oauth::client::PkceRule;
use futures::future::join_all;

use crate::support::ask::{CHALLENGE, VERIFIER};
use crate::support::clock::{self, advance};
use crate::support::issued::{
    Seed, Tokens, call, claims, is_active, refresh, seed, seed_for, tokens, userinfo,
};
use crate::support::people::{self, APP, ORDERS};
use crate::support::reply::Reply;
use crate::support::test_server::{TestServer, basic, list};

/// The form of a seed with one parameter changed; an empty value takes it away.
async fn with(world: &TestServer, seed: &Seed, name: &str, value: &str) -> Reply {
    let mut form = seed.form();
    form.retain(|(known, _)| *known != name);
    if !value.is_empty() {
        form.push((name, value));
    }
    call(world, &seed.kept.authorization.client_id, "/token", &form).await
}

async fn inserted(world: &TestServer) -> Seed {
    seed(world, "team-a.app").insert(world).await
}

/// The code is used up: not even the right request gets anything for it.
async fn is_used_up(world: &TestServer, seed: &Seed) {
    seed.exchange(world).await.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn e03_a_client_without_the_grant_gets_nothing_for_a_code() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    let reply = call(&world, "team-a.web", "/token", &seed.form()).await;
    reply.refuses(400, "unauthorized_client");
    let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let reply = call(&world, "team-a.once", "/token", &form).await;
    reply.refuses(400, "unauthorized_client");
}

#[tokio::test]
async fn e04_no_code() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    with(&world, &seed, "code", "")
        .await
        .refuses(400, "invalid_request");
}

#[tokio::test]
async fn e05_a_code_that_is_random_cut_longer_or_spelled_otherwise() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    let value = &seed.value;
    for bad in [
        "x".to_owned(),
        value[1..].to_owned(),
        value[..value.len() - 1].to_owned(),
        format!("{value}x"),
        format!("{value}="),
        format!(" {value}"),
        value.to_lowercase(),
        "c".repeat(60_000),
        seed.kept.digest.clone(),
    ] {
        with(&world, &seed, "code", &bad)
            .await
            .refuses(400, "invalid_grant");
    }
    assert_eq!(seed.exchange(&world).await.status, 200);
}

#[tokio::test]
async fn e06_a_code_used_twice_kills_what_the_first_use_produced() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    let tokens = Tokens::of(&seed.exchange(&world).await);
    assert_eq!(userinfo(&world, &tokens.access_token).await.status, 200);
    seed.exchange(&world).await.refuses(400, "invalid_grant");
    userinfo(&world, &tokens.access_token)
        .await
        .refuses_bearer(401, "invalid_token");
    assert!(!is_active(&world, "team-a.app", &tokens.access_token).await);
    let reply = refresh(&world, "team-a.app", &tokens.refresh_token, &[]).await;
    reply.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn e06_a_second_use_counts_when_expired_or_with_a_bad_verifier() {
    let world = TestServer::at_rest().await;
    let late = inserted(&world).await;
    let of_late = Tokens::of(&late.exchange(&world).await);
    let wrong = inserted(&world).await;
    let of_wrong = Tokens::of(&wrong.exchange(&world).await);
    with(&world, &wrong, "code_verifier", &"x".repeat(43))
        .await
        .refuses(400, "invalid_grant");
    advance(Duration::from_mins(5));
    late.exchange(&world).await.refuses(400, "invalid_grant");
    for tokens in [of_late, of_wrong] {
        let reply = refresh(&world, "team-a.app", &tokens.refresh_token, &[]).await;
        reply.refuses(400, "invalid_grant");
    }
}

/// Another replica of the same server.
fn replica(world: &TestServer) -> TestServer {
    let (registry, store) = (world.app.registry.clone(), world.app.store.clone());
    TestServer::with(App::new(
        registry,
        clock::now,
        Arc::new(TokenMetrics::default()),
        store,
    ))
}

#[tokio::test]
async fn e07_of_fifty_at_once_at_most_one_succeeds_and_is_revoked() {
    let one = TestServer::at_rest().await;
    let two = replica(&one);
    let seed = inserted(&one).await;
    let uses = (0..50).map(|n| seed.exchange(if n % 2 == 0 { &one } else { &two }));
    let replies = join_all(uses).await;
    let (good, bad): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(good.len(), 1);
    bad.iter()
        .for_each(|reply| reply.refuses(400, "invalid_grant"));
    let tokens = Tokens::of(good[0]);
    userinfo(&two, &tokens.access_token)
        .await
        .refuses_bearer(401, "invalid_token");
    let reply = refresh(&two, "team-a.app", &tokens.refresh_token, &[]).await;
    reply.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn e08_a_code_lives_for_its_lifetime_and_no_longer() {
    let world = TestServer::at_rest().await;
    let (early, late) = (inserted(&world).await, inserted(&world).await);
    advance(Duration::from_millis(59_999));
    assert_eq!(early.exchange(&world).await.status, 200);
    advance(Duration::from_millis(1));
    late.exchange(&world).await.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn e09_a_code_of_another_client_is_refused_and_not_consumed() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    for other in ["team-a.second", "team-a.spa", "team-a.without-pkce"] {
        let reply = call(&world, other, "/token", &seed.form()).await;
        reply.refuses(400, "invalid_grant");
    }
    assert_eq!(seed.exchange(&world).await.status, 200);
    // Nor can another client end what began.
    call(&world, "team-a.second", "/token", &seed.form())
        .await
        .refuses(400, "invalid_grant");
    is_used_up(&world, &seed).await;
}

#[tokio::test]
async fn e09_k16_a_client_recreated_under_its_name_is_another() {
    let world = TestServer::at_rest().await;
    let of_the_former = |code: &mut clientele_oauth::grant::Code| {
        code.authorization.client_uid = "uid-of-the-former".to_owned();
    };
    let seed = seed(&world, "team-a.app").with(of_the_former);
    let seed = seed.insert(&world).await;
    seed.exchange(&world).await.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn e10_a_code_of_another_tenant_is_unknown() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    let reply = call(&world, "b.app", "/token", &seed.form()).await;
    reply.refuses(400, "invalid_grant");
    let header = basic("team-a.app", &world.secret("team-a.app"));
    let form = "grant_type=authorization_code&code=x&redirect_uri=x";
    world
        .token_at("/t/b/token", Some(&header), form)
        .await
        .refuses(401, "invalid_client");
    assert_eq!(seed.exchange(&world).await.status, 200);
}

#[tokio::test]
async fn e11_the_redirect_uri_is_named_again_and_is_the_same() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    with(&world, &seed, "redirect_uri", "")
        .await
        .refuses(400, "invalid_request");
    for wrong in [
        "https://app.example/other",
        "https://evil.example/cb",
        "https://app.example/cb/",
        "https://app.example:443/cb",
        "HTTPS://app.example/cb",
    ] {
        let seed = inserted(&world).await;
        with(&world, &seed, "redirect_uri", wrong)
            .await
            .refuses(400, "invalid_grant");
        is_used_up(&world, &seed).await;
    }
    assert_eq!(seed.exchange(&world).await.status, 200);
}

#[tokio::test]
async fn e11_a_native_application_names_the_port_that_it_listened_on() {
    let world = TestServer::at_rest().await;
    let uri = "http://127.0.0.1:51004/cb";
    let native =
        || seed(&world, "team-a.native").with(|code| uri.clone_into(&mut code.redirect_uri));
    let one = native().insert(&world).await;
    assert_eq!(one.exchange(&world).await.status, 200);
    let other = native().insert(&world).await;
    let reply = with(&world, &other, "redirect_uri", "http://127.0.0.1:51005/cb").await;
    reply.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn e12_a_challenge_without_a_verifier() {
    let world = TestServer::at_rest().await;
    for client in ["team-a.app", "team-a.spa", "team-a.without-pkce"] {
        let seed = seed(&world, client).insert(&world).await;
        with(&world, &seed, "code_verifier", "")
            .await
            .refuses(400, "invalid_grant");
        is_used_up(&world, &seed).await;
    }
}

#[tokio::test]
async fn e13_a_wrong_verifier() {
    let world = TestServer::at_rest().await;
    for wrong in [
        "a".repeat(42),
        "a".repeat(43),
        "a".repeat(129),
        CHALLENGE.to_owned(),
        VERIFIER.to_lowercase(),
        format!("{VERIFIER}="),
        VERIFIER[..42].to_owned(),
        format!("{VERIFIER} "),
    ] {
        let seed = inserted(&world).await;
        with(&world, &seed, "code_verifier", &wrong)
            .await
            .refuses(400, "invalid_grant");
    }
}

#[tokio::test]
async fn e14_a_verifier_without_a_challenge() {
    let world = TestServer::at_rest().await;
    let without = |client| seed(&world, client).with(|code| code.code_challenge = None);
    let one = without("team-a.without-pkce").insert(&world).await;
    one.exchange(&world).await.refuses(400, "invalid_grant");
    let other = without("team-a.without-pkce").insert(&world).await;
    assert_eq!(with(&world, &other, "code_verifier", "").await.status, 200);
    // A client that must have sent a challenge, but whose code has none.
    for client in ["team-a.app", "team-a.spa"] {
        let seed = without(client).insert(&world).await;
        with(&world, &seed, "code_verifier", "")
            .await
            .refuses(400, "invalid_grant");
    }
}

#[tokio::test]
async fn e14_a_nonce_stands_in_for_a_challenge() {
    let world = TestServer::at_rest().await;
    let nonce = "0123456789abcdef";
    let bound = |client| {
        seed(&world, client).with(|code| {
            code.code_challenge = None;
            code.nonce = Some(nonce.to_owned());
        })
    };
    let one = bound("team-a.app").insert(&world).await;
    let living = Tokens::of(&with(&world, &one, "code_verifier", "").await);
    let id_token = claims(&world, "team-a.app", &living.id_token).await;
    assert_eq!(id_token["nonce"], nonce);
    // An attacker took the challenge from the request: the code is used up, and nothing else ends.
    let stripped = bound("team-a.app").insert(&world).await;
    stripped
        .exchange(&world)
        .await
        .refuses(400, "invalid_grant");
    with(&world, &stripped, "code_verifier", "")
        .await
        .refuses(400, "invalid_grant");
    assert!(is_active(&world, "team-a.app", &living.access_token).await);
    let reply = refresh(&world, "team-a.app", &living.refresh_token, &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    // Without openid there is no ID token that carries it.
    let machine = bound("team-a.app").scope("email").insert(&world).await;
    with(&world, &machine, "code_verifier", "")
        .await
        .refuses(400, "invalid_grant");
    // The rule of the moment counts, not that of the request.
    world.change(|tenant| {
        let strict = people::app_with("team-a.app", |c| c.pkce = PkceRule::RequiredByTenant);
        tenant.clients.insert("team-a.app".into(), strict.into());
    });
    let late = bound("team-a.app").insert(&world).await;
    with(&world, &late, "code_verifier", "")
        .await
        .refuses(400, "invalid_grant");
}

#[tokio::test]
async fn e15_a_wrong_verifier_uses_the_code_up() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    with(&world, &seed, "code_verifier", &"x".repeat(43))
        .await
        .refuses(400, "invalid_grant");
    is_used_up(&world, &seed).await;
}

#[tokio::test]
async fn e16_a_user_disabled_deleted_or_with_a_new_password_meanwhile() {
    type Change = fn(&mut clientele_oauth::User);
    let changes: [Change; 5] = [
        |alice| alice.disabled = true,
        |alice| alice.credential = "another".into(),
        |alice| alice.valid_from = clock::now(),
        |alice| alice.uid = "uid-of-another-alice".into(),
        |alice| alice.subject = "another-subject".into(),
    ];
    for change in changes {
        let world = TestServer::at_rest().await;
        let seed = inserted(&world).await;
        world.change(|tenant| {
            let mut people = people::everybody();
            change(&mut people[0]);
            tenant.users = people::index(people);
        });
        seed.exchange(&world).await.refuses(400, "invalid_grant");
        world.change(|_| ());
        is_used_up(&world, &seed).await;
    }
}

#[tokio::test]
async fn e16_a_person_who_may_not_use_the_client() {
    let world = TestServer::at_rest().await;
    let alice = seed(&world, "team-a.staff").insert(&world).await;
    let bob = seed_for(&world, "team-a.staff", "bob").insert(&world).await;
    assert_eq!(alice.exchange(&world).await.status, 200);
    bob.exchange(&world).await.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn e17_a_client_that_lost_something_in_between() {
    let world = TestServer::at_rest().await;
    let change = |change: &dyn Fn(&mut clientele_oauth::Client)| {
        world.change(|tenant| {
            let mut client = people::app("team-a.app");
            change(&mut client);
            tenant.clients.insert(client.id.clone(), Arc::new(client));
        });
    };
    let seed = inserted(&world).await;
    change(&|client| client.redirect_uris = list(&["https://app.example/other"]));
    seed.exchange(&world).await.refuses(400, "invalid_grant");

    let seed = inserted_again(&world).await;
    change(&|client| client.scopes = list(&["openid", "orders.read", "bills.read"]));
    let reply = seed.exchange(&world).await;
    assert_eq!(reply.json()["scope"], "openid orders.read bills.read");

    let seed = inserted_again(&world).await;
    change(&|client| {
        let orders = client.audiences.first().cloned();
        client.audiences = orders.into_iter().collect();
    });
    let tokens = Tokens::of(&seed.exchange(&world).await);
    let claims = crate::support::issued::claims(&world, ORDERS, &tokens.access_token).await;
    assert_eq!(
        claims["aud"],
        serde_json::json!([ORDERS, "https://id.example"])
    );

    let seed = inserted_again(&world).await;
    change(&|client| client.scopes = list(&["something.else"]));
    seed.exchange(&world).await.refuses(400, "invalid_grant");

    let seed = inserted_again(&world).await;
    let header = basic("team-a.app", &world.secret("team-a.app"));
    world.change(|tenant| drop(tenant.clients.remove("team-a.app")));
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={APP}",
        seed.value
    );
    world
        .token(Some(&header), &form)
        .await
        .refuses(401, "invalid_client");
}

/// A code for the client as the fixture has it.
async fn inserted_again(world: &TestServer) -> Seed {
    world.change(|_| ());
    inserted(world).await
}

#[tokio::test]
async fn e18_scope_at_the_exchange_is_ignored() {
    let world = TestServer::at_rest().await;
    let seed = seed(&world, "team-a.app")
        .scope("openid email")
        .insert(&world)
        .await;
    let reply = with(&world, &seed, "scope", "openid email profile admin").await;
    assert_eq!(reply.json()["scope"], "openid email");
}

#[tokio::test]
async fn e19_a_resource_that_was_not_granted() {
    let world = TestServer::at_rest().await;
    let granted = || {
        seed(&world, "team-a.app").with(|code| {
            ORDERS.clone_into(&mut code.authorization.resources);
            "openid orders.read".clone_into(&mut code.authorization.scope);
        })
    };
    for resource in [people::BILLS, "https://other.example", "orders"] {
        let seed = granted().insert(&world).await;
        with(&world, &seed, "resource", resource)
            .await
            .refuses(400, "invalid_target");
    }
    let seed = granted().insert(&world).await;
    let tokens = Tokens::of(&with(&world, &seed, "resource", ORDERS).await);
    let claims = crate::support::issued::claims(&world, ORDERS, &tokens.access_token).await;
    assert_eq!(claims["scope"], "openid orders.read");
}

#[tokio::test]
async fn e19_one_of_two_resources_drops_the_scopes_of_the_other() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    let reply = with(&world, &seed, "resource", ORDERS).await;
    let claims = crate::support::issued::claims(&world, ORDERS, &reply.access_token()).await;
    assert_eq!(
        claims["aud"],
        serde_json::json!([ORDERS, "https://id.example"])
    );
    assert_eq!(
        claims["scope"],
        "openid profile email groups orders.read common"
    );
}

#[tokio::test]
async fn e20_a_parameter_that_stands_twice() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    for name in ["code", "redirect_uri", "code_verifier", "grant_type"] {
        let mut form = seed.form();
        let twice = *form.iter().find(|(known, _)| *known == name).unwrap();
        form.push(twice);
        let reply = call(&world, "team-a.app", "/token", &form).await;
        reply.refuses(400, "invalid_request");
    }
    assert_eq!(seed.exchange(&world).await.status, 200);
}

#[tokio::test]
async fn e21_no_other_value_of_ours_passes_for_a_code() {
    let world = TestServer::at_rest().await;
    let tokens = tokens(&world, "team-a.app").await;
    let seed = inserted(&world).await;
    let secret = world.secret("team-a.app");
    for value in [
        &tokens.access_token,
        &tokens.refresh_token,
        &tokens.id_token,
        &secret,
        &seed.kept.family,
        &seed.kept.transaction,
        &seed.kept.authorization.sid,
    ] {
        with(&world, &seed, "code", value)
            .await
            .refuses(400, "invalid_grant");
    }
}

#[tokio::test]
async fn e22_if_the_store_cannot_record_the_use_no_token_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("store").display());
    let mut world = TestServer::at_rest().await;
    world.app.store = clientele_store::Store::open(&url).await.unwrap();
    let world = TestServer::with(world.app);
    let seed = inserted(&world).await;
    let mut break_it = sqlx::SqlitePool::connect(&url)
        .await
        .unwrap()
        .acquire()
        .await
        .unwrap();
    let rename = async |connection: &mut sqlx::SqliteConnection, sql: &'static str| {
        sqlx::query(sql).execute(connection).await.unwrap();
    };
    rename(&mut break_it, "ALTER TABLE families RENAME TO away").await;
    seed.exchange(&world)
        .await
        .refuses(503, "temporarily_unavailable");
    rename(&mut break_it, "ALTER TABLE away RENAME TO families").await;
    // Nothing was recorded, half or whole, so the client may try again.
    assert_eq!(seed.exchange(&world).await.status, 200);
    world.app.store.close().await;
    let reply = seed.exchange(&world).await;
    reply.refuses(503, "temporarily_unavailable");
    assert_eq!(reply.header("retry-after"), "5");
}

#[tokio::test]
async fn e23_after_a_lost_answer_the_code_and_its_tokens_are_dead() {
    let world = TestServer::at_rest().await;
    let seed = inserted(&world).await;
    let lost = Tokens::of(&seed.exchange(&world).await);
    let restarted = replica(&world);
    seed.exchange(&restarted)
        .await
        .refuses(400, "invalid_grant");
    assert!(!is_active(&restarted, "team-a.app", &lost.refresh_token).await);
}

#[tokio::test]
async fn e24_a_success_has_what_was_granted_and_no_more() {
    let world = TestServer::at_rest().await;
    let reply = inserted(&world).await.exchange(&world).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("pragma"), "no-cache");
    let body = reply.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(
        body["scope"],
        "openid profile email groups orders.read bills.read common"
    );
    assert!(body["id_token"].is_string() && body["refresh_token"].is_string());
    let without = seed(&world, "team-a.once")
        .scope("common")
        .insert(&world)
        .await;
    let body = without.exchange(&world).await.json();
    let mut members: Vec<&String> = body.as_object().unwrap().keys().collect();
    members.sort_unstable();
    assert_eq!(
        members,
        ["access_token", "expires_in", "scope", "token_type"]
    );
}
