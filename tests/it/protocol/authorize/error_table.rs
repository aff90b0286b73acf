//! P4: the exact error table of the authorization endpoint; and what happens when the store fails (M10).

use std::fmt::Write;

use crate::support::ask::{Ask, CHALLENGE, VERIFIER, ask};
use crate::support::browser::{Browser, Page};
use crate::support::grants::{id_claims, id_token, signed};
use crate::support::people::ORDERS;
use crate::support::test_server::TestServer;

/// A valid request that names every parameter.
fn everything() -> Ask {
    let hint = id_token(&id_claims("team-a.app", "sid"));
    ask("team-a.app")
        .and("response_mode", "query")
        .and("prompt", "login")
        .and("max_age", "60")
        .and("id_token_hint", &hint)
        .and("login_hint", "alice")
        .and("claims", r#"{"userinfo":{"email":null}}"#)
        .and("resource", ORDERS)
        .and("display", "page")
        .and("acr_values", "0")
        .and("ui_locales", "en")
        .and("claims_locales", "en")
}

/// What a browser sees: a page of ours, or what the client is told, and how.
fn outcome(page: &Page) -> String {
    let (status, code) = (page.reply.status, page.reply.header("x-clientele-error"));
    if !code.is_empty() {
        return format!("{status} page {code}");
    }
    if page.path() == "/login" {
        return format!("{status} sign in");
    }
    let told = page.told();
    let state = if told.contains_key("state") {
        ""
    } else {
        ", without state"
    };
    format!("{status} client {}{state}", told["error"])
}

/// The variants of one parameter.
fn variants(valid: &Ask, name: &str) -> Vec<(&'static str, String)> {
    let value = valid
        .fields
        .iter()
        .find(|(known, _)| known == name)
        .unwrap()
        .1
        .clone();
    let query = |ask: Ask| ask.query();
    let with = |value: &str| query(valid.clone().with(name, value));
    vec![
        ("missing", query(valid.clone().without(name))),
        ("repeated, equal", query(valid.clone().and(name, &value))),
        ("repeated, empty", query(valid.clone().and(name, ""))),
        ("empty", with("")),
        ("one character more", with(&format!("{value}x"))),
        ("3 KiB", with(&"x".repeat(3 * 1024))),
        ("over 8 KiB", with(&"x".repeat(9 * 1024))),
        (
            "not UTF-8",
            query(valid.clone().with(name, "@@")).replace("%40%40", "%ff%fe"),
        ),
    ]
}

#[tokio::test]
async fn p4_the_error_table_of_the_authorization_endpoint() {
    let world = TestServer::at_rest().await;
    let valid = everything();
    let mut rows = String::new();
    let names: Vec<String> = valid.fields.iter().map(|(name, _)| name.clone()).collect();
    for name in &names {
        let mut missing = String::new();
        for (variant, query) in variants(&valid, name) {
            let page = Browser::new(&world)
                .open(&format!("/authorize?{query}"))
                .await;
            let outcome = outcome(&page);
            match variant {
                "missing" => missing.clone_from(&outcome),
                "empty" => assert_eq!(outcome, missing, "{name}"),
                _ => (),
            }
            writeln!(rows, "{name:<22} {variant:<20} {outcome}").unwrap();
        }
    }
    for name in ["request", "request_uri", "registration", "unknown"] {
        let page = Browser::new(&world)
            .open(&valid.clone().and(name, "x").url())
            .await;
        writeln!(rows, "{name:<22} {:<20} {}", "present", outcome(&page)).unwrap();
    }
    insta::assert_snapshot!(rows);
}

#[tokio::test]
async fn p6_nothing_of_one_tenant_counts_in_another() {
    let world = TestServer::at_rest().await;
    let of_b = crate::support::keys::signing_keys(clientele_oauth::Algorithm::Rs256);
    let hint = signed(&of_b, &id_claims("team-a.app", "sid"));
    let mut browser = Browser::new(&world);
    let page = browser
        .open(&ask("team-a.app").with("id_token_hint", &hint).url())
        .await;
    page.redirects("invalid_request");
    browser
        .open(&format!("/logout?id_token_hint={hint}"))
        .await
        .stops(400, "invalid_request");
    // A person of one tenant is unknown in the other.
    let login = browser.open("/t/b/account").await;
    assert_eq!(browser.sign_in_at(&login, "bob").await.reply.status, 401);
    let page = browser.sign_in_at(&login, "alice").await;
    assert_eq!(page.path(), "/t/b/account");
    assert_eq!(browser.open("/account").await.path(), "/login");
}

#[tokio::test]
async fn m10_a_failing_store_is_a_page_or_an_error_redirect() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.first").url()).await;
    browser.sign_in("alice").await;
    world.app.store.close().await;
    let page = browser.open(&ask("team-a.first").url()).await;
    page.stops(503, "temporarily_unavailable");
    assert_eq!(page.reply.header("retry-after"), "5");
    let silent = browser
        .open(&ask("team-a.first").with("prompt", "none").url())
        .await;
    silent.redirects("temporarily_unavailable");
    for url in ["/account", "/logout"] {
        browser
            .open(url)
            .await
            .stops(503, "temporarily_unavailable");
    }
    let page = browser.sign_in_at(&login, "alice").await;
    page.stops(503, "temporarily_unavailable");
}

#[test]
fn the_challenge_of_these_tests_is_that_of_the_verifier() {
    assert_eq!(clientele_oauth::digest::digest_of(VERIFIER), CHALLENGE);
}
