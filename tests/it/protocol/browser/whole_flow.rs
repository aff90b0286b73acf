//! From the first redirect to signing out, as an application sees it: what the pages issue is what the token endpoint
//! takes, and what that issues is what the pages take back as a hint.

use std::time::Duration;

use clientele_oauth::{Algorithm, ClientType};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::support::ask::{Ask, STATE, VERIFIER, ask};
use crate::support::browser::Browser;
use crate::support::clock::{advance, rewind};
use crate::support::issued::{claims, is_active, userinfo};
use crate::support::people::{APP, ORDERS, app_with};
use crate::support::reply::Reply;
use crate::support::test_server::{TestServer, basic};
use crate::support::verifier::verify;

const CLIENT: &str = "team-a.app";
const BYE: &str = "https://app.example/bye";

async fn token(world: &TestServer, fields: &[(&str, &str)]) -> Reply {
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    let header = basic(CLIENT, &world.secret(CLIENT));
    world.token(Some(&header), &form).await
}

async fn redeem(world: &TestServer, code: &str) -> Value {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", APP),
        ("code_verifier", VERIFIER),
    ];
    let reply = token(world, &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

async fn refresh(world: &TestServer, tokens: &Value) -> Reply {
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    token(world, &fields).await
}

/// Signs `alice` in, lets her agree, and redeems the code.
async fn tokens(world: &TestServer, browser: &mut Browser<'_>, request: &Ask) -> Value {
    let told = browser.allow(&request.url(), "alice").await;
    assert_eq!(told["state"], STATE);
    redeem(world, &told["code"]).await
}

async fn id_claims(world: &TestServer, tokens: &Value) -> Value {
    let jwks = serde_json::from_str(&world.get("/jwks").await.body).unwrap();
    let id_token = tokens["id_token"].as_str().unwrap();
    verify(&jwks, Algorithm::Rs256, CLIENT, id_token).unwrap().1
}

/// As the SDKs of the Model Context Protocol do it: any port of localhost, and the URL of the server with a slash.
#[tokio::test]
async fn a_native_client_names_a_port_and_its_resource_with_a_slash() {
    const REDIRECT: &str = "http://localhost:51004/callback";
    const RESOURCE: &str = "https://orders.example/";
    let world = TestServer::at_rest().await;
    let id = "team-a.mcp";
    world.change(|tenant| {
        let client = app_with(id, |client| {
            client.client_type = ClientType::Public;
            client.redirect_uris = ["http://localhost/callback".into()].into();
        });
        tenant.clients.insert(id.into(), client.into());
    });
    let mut browser = Browser::new(&world);
    let request = ask(id)
        .with("redirect_uri", REDIRECT)
        .with("scope", "orders.read")
        .with("resource", RESOURCE);
    let page = browser.open(&request.url()).await;
    let consent = browser.sign_in_at(&page, "alice").await;
    let body = &consent.reply.body;
    assert!(body.contains("runs on this computer"), "{body}");
    assert!(body.contains("localhost:51004"), "{body}");
    let told = browser.submit(&consent, &[("decision", "allow")]).await;
    assert!(told.reply.header("location").starts_with(REDIRECT));
    let code = &told.told()["code"];
    let exchange = |more: &[(&str, &str)]| {
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", id);
        form.extend_pairs(more).finish()
    };
    let form = exchange(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("resource", RESOURCE),
    ]);
    let issued = world.token(None, &form).await;
    assert_eq!(issued.status, 200, "{}", issued.body);
    let form = exchange(&[
        ("grant_type", "refresh_token"),
        (
            "refresh_token",
            issued.json()["refresh_token"].as_str().unwrap(),
        ),
        ("resource", "HTTPS://Orders.example:443"),
    ]);
    let refreshed = world.token(None, &form).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    for reply in [issued, refreshed] {
        let token = reply.access_token();
        // The form that is declared.
        let claims = claims(&world, ORDERS, &token).await;
        assert_eq!(claims["aud"], ORDERS);
        assert!(is_active(&world, "team-a.orders-api", &token).await);
    }
    // What was agreed to is not asked again, however it is spelled: a click is all that is missing.
    let page = browser.open(&request.with("resource", ORDERS).url()).await;
    assert!(
        !page.reply.body.contains("id=\"may\""),
        "{}",
        page.reply.body
    );
    assert!(page.reply.body.contains("runs on this computer"));
}

#[tokio::test]
async fn a_person_signs_in_agrees_and_signs_out() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let request = ask(CLIENT).with("scope", "openid email");
    let tokens = tokens(&world, &mut browser, &request).await;
    let claims = id_claims(&world, &tokens).await;
    assert_eq!(claims["sub"], "subject-of-alice");
    assert_eq!(claims["nonce"], "n0nce");
    assert_eq!(claims["email"], "alice@example.com");
    // The ID token is taken back as a hint of who is signed in, and the person is asked nothing.
    let hint = tokens["id_token"].as_str().unwrap();
    let silent = request
        .clone()
        .with("prompt", "none")
        .with("id_token_hint", hint);
    let told = browser.open(&silent.url()).await.told();
    let again = redeem(&world, &told["code"]).await;
    let same = id_claims(&world, &again).await;
    assert_eq!(
        (&same["sid"], &same["auth_time"]),
        (&claims["sid"], &claims["auth_time"])
    );
    // And as a proof of which session is to end, which ends what was allowed in it.
    assert_eq!(refresh(&world, &again).await.status, 200);
    let fields = [("id_token_hint", hint), ("post_logout_redirect_uri", BYE)];
    let query = Serializer::new(String::new()).extend_pairs(fields).finish();
    let page = browser.open(&format!("/logout?{query}")).await;
    assert_eq!(
        (page.reply.status, page.reply.header("location")),
        (303, BYE)
    );
    for over in [&tokens, &again] {
        refresh(&world, over).await.refuses(400, "invalid_grant");
    }
    browser
        .open(&silent.url())
        .await
        .redirects("login_required");
}

#[tokio::test]
async fn f16_offline_access_outlives_the_session_until_withdrawn() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let request = ask(CLIENT).with("scope", "openid offline_access");
    let mut tokens = tokens(&world, &mut browser, &request).await;
    let account = browser.open("/account").await;
    let form = account.form_with("action", "sign-out");
    browser.send(&form, &[("action", "sign-out")]).await;
    let reply = refresh(&world, &tokens).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    tokens["refresh_token"] = reply.json()["refresh_token"].clone();
    // F11: until the person withdraws it.
    let account = browser.sign_in("alice").await;
    let form = account.form_with("action", "withdraw");
    browser.send(&form, &[("action", "withdraw")]).await;
    refresh(&world, &tokens).await.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn j05_prompt_login_keeps_the_session_of_the_same_user() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let first = tokens(&world, &mut browser, &ask(CLIENT)).await;
    let login = browser
        .open(&ask(CLIENT).with("prompt", "login").url())
        .await;
    browser.sign_in_at(&login, "alice").await;
    // Who signs out now ends what was allowed before the second sign-in, too.
    let hint = first["id_token"].as_str().unwrap();
    let page = browser.open(&format!("/logout?id_token_hint={hint}")).await;
    assert_eq!(page.reply.status, 200);
    refresh(&world, &first).await.refuses(400, "invalid_grant");
    assert_eq!(browser.open("/account").await.path(), "/login");
}

/// Two replicas share database and keys. Here they differ by their clocks and by nothing else, and take turns.
#[tokio::test]
async fn m07_clocks_half_a_minute_apart_refuse_nothing() {
    const SKEW: Duration = Duration::from_secs(30);
    let turns: [[fn(Duration); 2]; 2] = [[advance, rewind], [rewind, advance]];
    for [to_one, to_other] in turns {
        let world = TestServer::at_rest().await;
        let mut browser = Browser::new(&world);
        let request = ask(CLIENT).with("scope", "openid offline_access");
        let login = browser.open(&request.url()).await;
        to_one(SKEW);
        let consent = browser.sign_in_at(&login, "alice").await;
        to_other(SKEW);
        let answered = browser.submit(&consent, &[("decision", "allow")]).await;
        to_one(SKEW);
        let tokens = redeem(&world, &answered.told()["code"]).await;
        to_other(SKEW);
        let access_token = tokens["access_token"].as_str().unwrap();
        assert_eq!(userinfo(&world, access_token).await.status, 200);
        let renewed = refresh(&world, &tokens).await;
        assert_eq!(renewed.status, 200, "{}", renewed.body);
        to_one(SKEW);
        let renewed = refresh(&world, &renewed.json()).await;
        assert_eq!(renewed.status, 200, "{}", renewed.body);
        // The session is known at both, and the person is asked nothing.
        let silent = request.clone().with("prompt", "none");
        for _ in 0..2 {
            let told = browser.open(&silent.url()).await.told();
            assert!(told.contains_key("code"), "{told:?}");
            to_other(SKEW);
        }
    }
}
