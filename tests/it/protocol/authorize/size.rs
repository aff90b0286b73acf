//! B29: what is sent back fits into the 4 KiB that proxies have for the headers of an answer.

use crate::support::ask::{Ask, ask};
use crate::support::browser::{Browser, Page};
use crate::support::grants::longest_sign_out;
use crate::support::people::app_with;
use crate::support::reply::Reply;
use crate::support::test_server::{ISSUER, TestServer, list};

/// What nginx gives the head of an answer by default: one page of memory.
const ALL_HEADERS: usize = 4096;

fn size(reply: &Reply) -> usize {
    let status_line =
        "HTTP/1.1 303 See Other\r\n\r\n".len() + "date: Sun, 29 Nov 2026 23:00:00 GMT\r\n".len();
    let headers = reply.headers.iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    status_line + headers.sum::<usize>()
}

#[track_caller]
fn fits(page: &Page) {
    assert!(
        size(&page.reply) <= ALL_HEADERS,
        "{} bytes",
        size(&page.reply)
    );
}

/// The longest request: redirect URI and state as long as they may be.
fn longest(uri: &str) -> Ask {
    ask("team-a.app")
        .with("redirect_uri", uri)
        .with("state", &"\u{e9}".repeat(341))
        .with("nonce", &"n".repeat(512))
}

fn longest_uri(world: &TestServer) -> String {
    let uri = format!("https://app.example/{}", "p".repeat(492));
    assert_eq!(uri.len(), 512);
    world.change(|tenant| {
        let client = app_with("team-a.app", |c| {
            c.redirect_uris = list(&[&uri]);
            c.post_logout_redirect_uris = list(&[&uri]);
        });
        tenant.clients.insert("team-a.app".into(), client.into());
    });
    uri
}

#[tokio::test]
async fn b29_the_longest_flow_fits_into_the_headers_of_a_proxy() {
    let world = TestServer::at_rest().await;
    let uri = longest_uri(&world);
    let mut browser = Browser::new(&world);
    let login = browser.open(&longest(&uri).url()).await;
    assert_eq!((login.path(), &login.statuses[..]), ("/login", &[200][..]));
    let consent = browser.sign_in_at(&login, "alice").await;
    assert_eq!(
        (consent.path(), &consent.statuses[..]),
        ("/consent", &[200][..])
    );
    let told = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(told.told()["state"], "\u{e9}".repeat(341));
    // The code comes with the cookie of a sign-in, too.
    let again = browser.sign_in_at(&login, "alice").await;
    assert!(again.told().contains_key("code"));
    let refused = longest(&uri).with("scope", &"x".repeat(200));
    let refused = browser.open(&refused.url()).await;
    refused.redirects("invalid_scope");
    for page in [&login, &consent, &told, &again, &refused] {
        fits(page);
    }
}

#[tokio::test]
async fn b29_a_long_form_of_another_site_is_sent_once_more_by_ours() {
    let world = TestServer::at_rest().await;
    let uri = longest_uri(&world);
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    // No cookie comes with the form of another site.
    let mut elsewhere = Browser::new(&world);
    elsewhere.says_origin = false;
    elsewhere.headers = vec![("origin", "https://app.example".to_owned())];
    let page = elsewhere
        .post_raw("/authorize", &longest(&uri).query())
        .await;
    assert_eq!((page.path(), page.reply.status), ("/authorize", 200));
    fits(&page);
    let consent = browser.submit(&page, &[]).await;
    assert_eq!(consent.path(), "/consent");
    let told = browser
        .submit(&consent, &[("decision", "allow")])
        .await
        .told();
    assert_eq!(told["state"], "\u{e9}".repeat(341));
    // The same for a request to sign out.
    let page = elsewhere
        .post(
            "/logout",
            &[("client_id", "team-a.app"), ("state", &"s".repeat(2048))],
        )
        .await;
    assert_eq!((page.path(), page.reply.status), ("/logout", 200));
    let page = browser.submit(&page, &[]).await;
    assert_eq!(page.form().buttons[0].1, "sign-out");
}

#[tokio::test]
async fn b29_j07_the_longest_sign_out_fits_by_get_and_by_post() {
    let world = TestServer::at_rest().await;
    let uri = longest_uri(&world);
    let state = "s".repeat(2048);
    for of_another_site in [true, false] {
        let mut browser = Browser::new(&world);
        let told = browser.allow(&longest(&uri).url(), "alice").await;
        let sid = world.kept(&told["code"]).await.authorization.sid;
        let query = longest_sign_out(ISSUER, &sid, &uri, &state);
        let page = if of_another_site {
            let mut elsewhere = Browser::new(&world);
            elsewhere.says_origin = false;
            elsewhere.headers = vec![("origin", "https://app.example".to_owned())];
            let page = elsewhere.post_raw("/logout", &query).await;
            assert_eq!((page.path(), page.reply.status), ("/logout", 200));
            fits(&page);
            browser.submit(&page, &[]).await
        } else {
            browser.open(&format!("/logout?{query}")).await
        };
        let location = format!("{uri}?state={state}");
        assert_eq!(page.reply.header("location"), location);
        fits(&page);
        let again = browser.open(&longest(&uri).url()).await;
        assert_eq!(again.path(), "/login", "the session is over");
    }
}

#[tokio::test]
async fn b29_state_is_measured_as_it_is_sent_back() {
    let world = TestServer::at_rest().await;
    for (state, fits) in [
        ("s".repeat(2048), true),
        ("s".repeat(2049), false),
        (" ".repeat(682), true),
        (" ".repeat(683), false),
        ("\u{1f41d}".repeat(170), true),
        ("\u{1f41d}".repeat(171), false),
    ] {
        let request = ask("team-a.app")
            .with("state", &state)
            .with("prompt", "none");
        let page = Browser::new(&world).open(&request.url()).await;
        let expected = if fits {
            "login_required"
        } else {
            "invalid_request"
        };
        page.redirects(expected);
        assert_eq!(page.told().contains_key("state"), fits);
    }
}
