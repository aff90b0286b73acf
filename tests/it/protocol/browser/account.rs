//! The account page: what a person sees and withdraws.

use std::time::Duration;

use clientele_oauth::tenant::SessionLifetimes;

use crate::support::ask::ask;
use crate::support::browser::Browser;
use crate::support::clock;
use crate::support::grants::TENANT;
use crate::support::people::app_with;
use crate::support::test_server::{ISSUER, TestServer};

const SUBJECT: &str = "subject-of-alice";

#[tokio::test]
async fn whoever_is_not_signed_in_signs_in_first_and_comes_back() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let page = browser.open("/account").await;
    assert_eq!(
        (page.path(), page.statuses.as_slice()),
        ("/login", &[200][..])
    );
    let page = browser.sign_in_at(&page, "alice").await;
    assert_eq!(
        (page.path(), page.statuses.as_slice()),
        ("/account", &[303, 200][..])
    );
    assert!(page.reply.body.contains("alice of Example"));
}

#[tokio::test]
async fn what_was_granted_is_seen_and_withdrawn() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let request = ask("team-a.app").with("scope", "openid email");
    let told = browser.allow(&request.url(), "alice").await;
    let page = browser.open("/account").await;
    for text in ["The App", "team-a", "See your email address", "2027-01-15"] {
        assert!(
            page.reply.body.contains(text),
            "{text} is not on {}",
            page.reply.body
        );
    }
    let form = page.form_with("action", "withdraw");
    assert_eq!(form.hidden["grant"], "uid-of-team-a.app");
    let page = browser.send(&form, &[("action", "withdraw")]).await;
    assert_eq!(
        (page.path(), page.statuses.as_slice()),
        ("/account", &[303, 200][..])
    );
    assert!(page.reply.body.contains("withdrawn") && !page.reply.body.contains("The App"));
    // What was issued by it is over, and the person is asked again.
    assert!(world.kept(&told["code"]).await.redeemed_at.is_some());
    assert_eq!(browser.open(&request.url()).await.path(), "/consent");
    // Withdrawn again, from another window: nothing to do, and no error.
    let page = browser.send(&form, &[("action", "withdraw")]).await;
    assert_eq!(page.reply.status, 200);
}

#[tokio::test]
async fn k16_a_client_that_took_a_name_shows_nothing_of_the_former() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.allow(&ask("team-a.app").url(), "alice").await;
    world.change(|tenant| {
        let again = app_with("team-a.app", |c| c.uid = "another-uid".into());
        tenant.clients.insert("team-a.app".into(), again.into());
    });
    let page = browser.open("/account").await;
    assert!(!page.reply.body.contains("The App"));
    let page = browser.open(&ask("team-a.app").url()).await;
    assert_eq!(page.path(), "/consent", "it inherits no consent");
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_and_offline_access() {
    let world = TestServer::at_rest().await;
    let (mut here, mut there) = (Browser::new(&world), Browser::new(&world));
    let offline = ask("team-a.app").with("scope", "openid offline_access");
    let told = there.allow(&offline.url(), "alice").await;
    let account = here.sign_in("alice").await;
    let form = account.form_with("action", "sign-out-everywhere");
    let page = here.send(&form, &[("action", "sign-out-everywhere")]).await;
    assert_eq!((page.path(), page.reply.status), ("/logout", 200));
    for browser in [&mut here, &mut there] {
        assert_eq!(browser.open("/account").await.path(), "/login");
    }
    assert!(world.kept(&told["code"]).await.redeemed_at.is_some());
    let consents = world.app.store.consents(TENANT, SUBJECT).await.unwrap();
    assert_eq!(consents.len(), 1, "what was agreed to stays agreed");
}

/// A browser with the cookie may send requests all the time: what is under way when everything ends is over as well.
#[tokio::test]
async fn a_request_under_way_when_everything_ends_begins_nothing() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let offline = ask("team-a.app").with("scope", "openid offline_access");
    browser.allow(&offline.url(), "alice").await;
    let again = offline.with("prompt", "none").url();
    let ends = world
        .app
        .store
        .end_all_sessions(TENANT, SUBJECT, true, clock::now());
    // The session is looked up, then everything ends, then a code is kept.
    let (page, ended) = tokio::join!(browser.open(&again), ends);
    ended.unwrap();
    let told = page.told();
    match told.get("code") {
        None => assert_eq!(told["error"], "login_required"),
        Some(code) => assert!(world.kept(code).await.redeemed_at.is_some()),
    }
}

#[tokio::test]
async fn a_form_of_another_site_or_of_another_session_does_nothing() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let account = browser.sign_in("alice").await;
    let transaction = account.transaction();
    let everywhere = ("action", "sign-out-everywhere");
    browser
        .post("/account", &[everywhere])
        .await
        .stops(403, "forbidden");
    let mut attacker = Browser::new(&world);
    let theirs = attacker.sign_in("bob").await.transaction();
    let fields = [("transaction", &*theirs), everywhere];
    browser
        .post("/account", &fields)
        .await
        .stops(403, "forbidden");
    let fields = [("transaction", &*transaction), everywhere];
    browser.says_origin = false;
    browser.headers = vec![("sec-fetch-site", "cross-site".to_owned())];
    browser
        .post("/account", &fields)
        .await
        .stops(403, "forbidden");
    browser.headers = vec![("origin", ISSUER.to_owned())];
    let odd = [("transaction", &*transaction), ("action", "delete")];
    browser
        .post("/account", &odd)
        .await
        .stops(400, "invalid_request");
    // Another person has signed in since: the page is shown again, and nothing is done.
    let login = browser
        .open(&ask("team-a.first").with("prompt", "login").url())
        .await;
    browser.sign_in_at(&login, "bob").await;
    let page = browser.post("/account", &fields).await;
    assert!(page.reply.body.contains("bob of Example"));
}

#[tokio::test]
async fn a_page_that_was_open_for_long_is_shown_again() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let month = Duration::from_hours(720);
    let long = SessionLifetimes {
        idle: month,
        absolute: month,
        persistent: false,
    };
    world.change(|tenant| tenant.session = long);
    let account = browser.sign_in("alice").await;
    clock::advance(Duration::from_hours(169));
    let form = account.form_with("action", "sign-out-everywhere");
    let page = browser
        .send(&form, &[("action", "sign-out-everywhere")])
        .await;
    assert_eq!((page.path(), page.reply.status), ("/account", 200));
    // Without a session, to the page to sign in.
    browser.cookies.remove("__Host-clientele-default");
    let page = browser.send(&form, &[("action", "sign-out")]).await;
    assert_eq!(page.path(), "/login");
}
