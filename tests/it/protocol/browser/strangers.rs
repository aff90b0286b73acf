//! Q05, Q09: strangers who fail under the name of a person, and what a person may have at most.

use std::sync::Arc;

use clientele_http::App;
use clientele_http::browser::password_login::PasswordAuthenticator;

use crate::support::ask::ask;
use crate::support::browser::{Browser, Page};
use crate::support::people::PASSWORD;
use crate::support::test_server::TestServer;

const APP: &str = "team-a.app";

async fn sign_in(browser: &mut Browser<'_>, username: &str, password: &str) -> Page {
    let page = browser.open(&ask(APP).with("prompt", "login").url()).await;
    let typed = [("username", username), ("password", password)];
    browser.submit(&page, &typed).await
}

/// Ten failures, and the answer to the right password after them.
async fn besiege(world: &TestServer, username: &str) -> u16 {
    for _ in 0..10 {
        let page = sign_in(&mut Browser::new(world), username, "wrong").await;
        assert_eq!(page.reply.status, 401);
    }
    let page = sign_in(&mut Browser::new(world), username, PASSWORD).await;
    page.reply.status
}

#[tokio::test]
async fn q05_a_stranger_does_not_keep_a_known_browser_out() {
    let world = TestServer::at_rest().await;
    let mut alice = Browser::new(&world);
    assert_eq!(
        sign_in(&mut alice, "alice", PASSWORD).await.path(),
        "/consent"
    );
    assert_eq!(besiege(&world, "alice").await, 429);
    let page = sign_in(&mut alice, "alice", PASSWORD).await;
    assert_eq!(page.path(), "/consent");
    // The mark is worth no more tries than anybody has, and nothing for another person.
    for _ in 0..10 {
        let page = sign_in(&mut alice, "alice", "wrong").await;
        assert_eq!(page.reply.status, 401);
    }
    let page = sign_in(&mut alice, "alice", PASSWORD).await;
    assert_eq!(page.reply.status, 429);
    assert!(!page.reply.header("retry-after").is_empty());
    assert_eq!(besiege(&world, "bob").await, 429);
    assert_eq!(sign_in(&mut alice, "bob", PASSWORD).await.reply.status, 429);
}

#[tokio::test]
async fn q05_replicas_together_allow_as_many_failures_as_one() {
    let first = TestServer::at_rest().await;
    let replica = || {
        TestServer::with(App {
            password_authenticator: Arc::new(PasswordAuthenticator::new(1)),
            ..first.app.clone()
        })
    };
    let replicas = [replica(), replica(), replica()];
    let mut refused = 0;
    for number in 0..15 {
        let mut browser = Browser::new(&replicas[number % 3]);
        let page = sign_in(&mut browser, "alice", "wrong").await;
        refused += usize::from(page.reply.status == 429);
    }
    assert_eq!(refused, 5);
}

#[tokio::test]
async fn q09_answers_of_an_https_issuer_keep_browsers_at_tls() {
    let world = TestServer::at_rest().await;
    let hsts = "strict-transport-security";
    let page = Browser::new(&world).open(&ask(APP).url()).await;
    assert_eq!(page.reply.header(hsts), "max-age=31536000");
    for path in ["/jwks", "/style.css", "/.well-known/openid-configuration"] {
        let reply = world.get(path).await;
        assert_eq!(reply.header(hsts), "max-age=31536000", "{path}");
    }
    let plain = TestServer::at_rest().await;
    plain.change(|tenant| tenant.issuer = "http://127.0.0.1:8080".into());
    assert_eq!(plain.get("/jwks").await.header(hsts), "");
}
