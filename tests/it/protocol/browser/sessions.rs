//! C17–C20, P6: how long a session stands, and for whom.

use std::time::Duration;

use clientele_oauth::User;
use clientele_oauth::tenant::SessionLifetimes;

use crate::support::ask::ask;
use crate::support::browser::Browser;
use crate::support::clock;
use crate::support::people::{PASSWORD, everybody, index, person};
use crate::support::test_server::{ISSUER_B, TestServer};

/// Whether the browser is signed in at the tenant `default`.
async fn is_signed_in(browser: &mut Browser<'_>) -> bool {
    let page = browser
        .open(&ask("team-a.first").with("prompt", "none").url())
        .await;
    page.told().contains_key("code")
}

fn alice(change: impl FnOnce(&mut User)) -> Vec<User> {
    let mut people = everybody();
    change(&mut people[0]);
    people
}

#[tokio::test]
async fn c17_whatever_happens_to_the_person_ends_the_session_at_once() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    assert!(is_signed_in(&mut browser).await);
    let valid_from = clock::now() + Duration::from_secs(1);
    for (name, people) in [
        ("disabled", alice(|p| p.disabled = true)),
        (
            "password changed",
            alice(|p| p.credential = "another".into()),
        ),
        ("enabled again", alice(|p| p.valid_from = valid_from)),
        ("deleted", vec![person("bob")]),
        ("recreated", alice(|p| p.uid = "another".into())),
    ] {
        world.change(|tenant| tenant.users = index(people));
        assert!(!is_signed_in(&mut browser).await, "{name}");
        let page = browser.open("/account").await;
        assert_eq!(page.path(), "/login", "{name}");
        world.change(|_| ());
        assert!(
            is_signed_in(&mut browser).await,
            "the test changes one thing at a time"
        );
    }
}

#[tokio::test]
async fn c17_a_group_that_is_taken_away_counts_at_the_next_request() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.allow(&ask("team-a.staff").url(), "alice").await;
    let people = alice(|p| p.groups = [].into());
    world.change(|tenant| tenant.users = index(people));
    let page = browser.open(&ask("team-a.staff").url()).await;
    assert_eq!(page.reply.status, 403);
    assert_eq!(page.reply.header("x-clientele-error"), "access_denied");
}

#[tokio::test]
async fn c17_a_person_who_is_disabled_while_they_decide_gets_no_code() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let consent = browser.open(&ask("team-a.app").url()).await;
    let people = alice(|p| p.disabled = true);
    world.change(|tenant| tenant.users = index(people));
    let page = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(page.path(), "/login");
    let page = browser.sign_in_at(&page, "alice").await;
    assert_eq!(page.reply.status, 401);
}

#[tokio::test]
async fn c18_p6_a_session_of_one_tenant_is_none_of_another() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let at_b = format!("{ISSUER_B}/account");
    let page = browser.open(&at_b).await;
    assert_eq!(page.path(), "/t/b/login");
    // Nor under the other tenant's name, with the other tenant's transaction.
    let names = ["__Host-clientele-default", "__Host-clientele-b"];
    let session = browser.cookies[names[0]].clone();
    browser.cookies.insert(names[1].to_owned(), session);
    assert_eq!(browser.open(&at_b).await.path(), "/t/b/login");
    let account = browser.open("/account").await;
    let fields = [
        ("transaction", &*account.transaction()),
        ("action", "sign-out"),
    ];
    let page = browser.post("/t/b/account", &fields).await;
    assert_eq!(page.path(), "/t/b/login");
    let login = browser.open(&at_b).await;
    let at_default = format!("/login?transaction={}", login.transaction());
    let of_b = browser
        .cookies
        .iter()
        .find(|(name, _)| name.contains("-b_browser_"));
    let browser_of_b = of_b.unwrap().1.clone();
    let name = "__Host-clientele-default_browser".to_owned();
    browser.cookies.insert(name, browser_of_b);
    browser
        .open(&at_default)
        .await
        .stops(400, "invalid_request");
}

#[tokio::test]
async fn c19_sessions_end_by_themselves() {
    let world = TestServer::at_rest().await;
    let short = SessionLifetimes {
        idle: Duration::from_mins(10),
        absolute: Duration::from_hours(1),
        persistent: false,
    };
    world.change(|tenant| tenant.session = short);
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    for _ in 0..6 {
        clock::advance(Duration::from_secs(9 * 60 + 59));
        assert!(is_signed_in(&mut browser).await);
    }
    clock::advance(Duration::from_secs(10));
    assert!(!is_signed_in(&mut browser).await, "an hour is over");
    browser.sign_in("alice").await;
    clock::advance(Duration::from_mins(10));
    assert!(!is_signed_in(&mut browser).await, "unused for ten minutes");
}

#[tokio::test]
async fn c07_a_session_outlives_the_browser_if_both_say_so() {
    let world = TestServer::at_rest().await;
    let name = "__Host-clientele-default=";
    for (persistent, ticked, kept) in [
        (false, false, false),
        (false, true, false),
        (true, false, false),
        (true, true, true),
    ] {
        world.change(|tenant| tenant.session.persistent = persistent);
        let mut browser = Browser::new(&world);
        let page = browser.open(&ask("team-a.first").url()).await;
        let has_box = page.form().fields.contains_key("stay");
        assert_eq!(has_box, persistent);
        assert!(!page.reply.body.contains("checked"), "it is not ticked");
        let mut fields = vec![("username", "alice"), ("password", PASSWORD), ("stay", "")];
        if ticked {
            fields[2].1 = "1";
        }
        let page = browser.submit(&page, &fields).await;
        let cookie = page.cookies.iter().find(|c| c.starts_with(name)).unwrap();
        assert_eq!(cookie.contains("; Max-Age=604800"), kept, "{cookie}");
        // A new password ends it like any other.
        let people = alice(|p| p.credential = "another".into());
        world.change(|tenant| tenant.users = index(people));
        assert!(!is_signed_in(&mut browser).await);
        world.change(|_| ());
    }
}

#[tokio::test]
async fn m06_a_clock_that_jumps_revives_no_session_and_no_page() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let page = browser.open(&ask("team-a.app").url()).await;
    clock::advance(Duration::from_hours(24));
    assert!(!is_signed_in(&mut browser).await);
    clock::rewind(Duration::from_hours(25));
    let late = browser.submit(&page, &[("decision", "allow")]).await;
    assert_ne!(late.reply.status, 303, "nothing is issued");
}

#[tokio::test]
async fn c20_the_cookie_of_an_ended_session_is_worth_nothing() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let account = browser.sign_in("alice").await;
    let mut thief = browser.twin();
    let form = account.form_with("action", "sign-out");
    let page = browser.send(&form, &[("action", "sign-out")]).await;
    assert_eq!((page.path(), page.reply.status), ("/logout", 200));
    assert!(!browser.cookies.contains_key("__Host-clientele-default"));
    assert!(!is_signed_in(&mut thief).await);
}

#[tokio::test]
async fn whoever_signs_in_after_another_ends_the_others_session() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let mut before = browser.twin();
    let login = browser
        .open(&ask("team-a.first").with("prompt", "login").url())
        .await;
    browser.sign_in_at(&login, "bob").await;
    assert!(is_signed_in(&mut browser).await);
    assert!(!is_signed_in(&mut before).await);
}

#[tokio::test]
async fn only_on_plain_http_cookies_go_without_the_prefix() {
    let world = TestServer::at_rest().await;
    let tenants = vec![crate::support::test_server::tenant(
        "default",
        "http://127.0.0.1:8080",
        None,
        vec![crate::support::people::app("team-a.app")],
    )];
    let registry = clientele_oauth::Registry::new(2, Some(world.keyring.clone()), tenants);
    world.app.registry.store(registry.into());
    let reply = Browser::new(&world)
        .request("GET", &ask("team-a.app").url(), None)
        .await;
    let cookie = reply.header("set-cookie");
    assert!(cookie.starts_with("clientele-default_browser_"), "{cookie}");
    assert!(!cookie.contains("Secure"));
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn m09_a_flow_that_begins_at_one_replica_ends_at_another() {
    let one = TestServer::at_rest().await;
    let mut app = TestServer::at_rest().await.app;
    app.store = one.app.store.clone();
    let other = TestServer::with(app);
    let mut here = Browser::new(&one);
    let login = here.open(&ask("team-a.app").url()).await;
    let mut there = here.at(&other);
    let consent = there.sign_in_at(&login, "alice").await;
    assert_eq!(consent.path(), "/consent");
    here.cookies = there.cookies.clone();
    let told = here.submit(&consent, &[("decision", "allow")]).await.told();
    assert!(told.contains_key("code"));
    // A form that is sent again is answered at each of them.
    let again = there.submit(&consent, &[("decision", "allow")]).await;
    assert_ne!(again.told()["code"], told["code"]);
}
