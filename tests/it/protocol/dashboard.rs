//! The dashboard in the cluster: from a visitor to a person and back, in front of a real issuer. What is shown of the cluster is judged in
//! `cluster::dashboard::people` and `journey::dashboard_people`.

use std::time::Duration;

use reqwest::Method;

use crate::support::dashboard::{Shown, form_token};
use crate::support::people_dashboard::{ApiServer, FRAGMENT, LINK, OWN, PeopleDashboard, STREAM};
use crate::support::test_namespace::eventually;

/// A page that asks nothing of the API server.
const PAGE: &str = "/import";

async fn stage() -> PeopleDashboard {
    PeopleDashboard::new(ApiServer::none()).await
}

fn get(path: &str) -> (Method, &str) {
    (Method::GET, path)
}

fn post(path: &str) -> (Method, &str) {
    (Method::POST, path)
}

/// A parameter of the authorization request to which a redirect leads.
fn asked(away: &Shown, name: &str) -> String {
    let url = url::Url::parse(away.location()).unwrap();
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.unwrap().1.into_owned()
}

#[tokio::test]
async fn o15_each_person_has_a_session_and_forms_of_their_own() {
    let stage = stage().await;
    let (mut alice, mut bob) = (stage.visitor(), stage.visitor());
    let entered = stage.enter(&mut alice, "alice", "/import?a=of").await;
    assert_eq!(entered.status, 200);
    assert!(
        entered.text.contains("url=/import?a=of"),
        "{}",
        entered.text
    );
    assert_eq!(alice.cookies.len(), 1, "the cookie of the sign-in is spent");
    stage.enter(&mut bob, "bob", "/").await;
    for (visitor, own, other) in [(&mut alice, "alice", "bob"), (&mut bob, "bob", "alice")] {
        let page = stage.get(visitor, PAGE).await;
        let named = |who: &str| page.text.contains(&format!("<bdi>{who}</bdi>"));
        assert!(named(own) && !named(other), "{}", page.text);
        assert_eq!(page.headers["cache-control"], "no-store");
    }
    // The form token of one person is none of the other.
    let token = form_token(&stage.get(&mut alice, PAGE).await.text);
    let body = format!("form_token={token}");
    let crossed = stage.send(&mut bob, post("/sign-out"), &[OWN], &body).await;
    assert_eq!(crossed.status, 403);
    let out = stage
        .send(&mut alice, post("/sign-out"), &[OWN], &body)
        .await;
    let there = "/logout?client_id=system.clientele-dashboard";
    assert!(out.text.contains(there), "{}", out.text);
    assert!(alice.cookies.is_empty());
    // Another tab that is open is not signed in again by itself.
    let changes = get("/clients/changes");
    let other_tab = stage.send(&mut alice, changes, &[STREAM], "").await;
    assert_eq!(other_tab.text, "event: gone\ndata: now\n\n");
    let other_tab = stage.send(&mut alice, get(PAGE), &[FRAGMENT], "").await;
    assert_eq!(other_tab.headers["hx-redirect"], "/signed-out");
    let said = stage.get(&mut alice, "/signed-out").await.text;
    assert!(said.contains("You are signed out"), "{said}");
    assert_eq!(stage.get(&mut alice, PAGE).await.status, 303);
    assert_eq!(stage.get(&mut bob, PAGE).await.status, 200);
}

#[tokio::test]
async fn o10_an_answer_works_once_and_in_its_browser_only() {
    let stage = stage().await;
    let (mut alice, mut eve) = (stage.visitor(), stage.visitor());
    let away = stage.get(&mut alice, PAGE).await;
    assert_eq!(asked(&away, "scope"), "openid profile groups");
    let back = stage.authorized(&mut alice, &away, "alice").await;
    // Login CSRF: the answer of one browser in another.
    let refused = stage.get(&mut eve, &back).await;
    assert_eq!(
        (refused.status, eve.cookies.len()),
        (400, 0),
        "{}",
        refused.text
    );
    let with_wrong_state = back.replace("state=", "state=x");
    assert_eq!(stage.get(&mut alice, &with_wrong_state).await.status, 400);
    let mut answer = url::Url::parse(&format!("https://any.example{back}")).unwrap();
    let pairs: Vec<(String, String)> = answer.query_pairs().into_owned().collect();
    let others = pairs.iter().filter(|(name, _)| name != "iss");
    answer
        .query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair("iss", "https://evil.example");
    let of_other_issuer = format!("/callback?{}", answer.query().unwrap());
    assert_eq!(stage.get(&mut alice, &of_other_issuer).await.status, 403);
    let mut again = alice.twin();
    assert_eq!(stage.get(&mut alice, &back).await.status, 200);
    let twice = stage.get(&mut again, &back).await;
    assert_eq!(twice.status, 502, "the code is spent: {}", twice.text);
    assert!(twice.text.contains("sign in again"), "{}", twice.text);

    let mut other = stage.visitor();
    let away = stage.get(&mut other, PAGE).await;
    let sent = asked(&away, "state");
    let declined = format!("/callback?error=access_denied&error_description=%3Cb%3E&state={sent}");
    let declined = stage.get(&mut other, &declined).await;
    assert_eq!(declined.status, 403);
    assert!(!declined.text.contains("<b>"), "{}", declined.text);
}

#[tokio::test]
async fn o16_nothing_is_shown_after_the_token_has_ended() {
    let stage = stage().await;
    let mut alice = stage.visitor();
    stage.id_tokens_last(Duration::from_secs(2));
    stage.enter(&mut alice, "alice", PAGE).await;
    let fresh = stage.send(&mut alice, get(PAGE), &[FRAGMENT], "").await;
    assert!(fresh.text.contains("alice"), "{}", fresh.text);
    let session = alice.cookies.clone();
    let ended = eventually("the token has ended", || async {
        let mut tab = alice.twin();
        let shown = stage.send(&mut tab, get(PAGE), &[FRAGMENT], "").await;
        if shown.status == 200 {
            Err(shown.text)
        } else {
            Ok(shown)
        }
    });
    let ended = ended.await;
    assert_eq!(
        (ended.status, &ended.headers["hx-refresh"]),
        (401, &"true".parse().unwrap())
    );
    let changes = get("/clients/changes");
    let stream = stage.send(&mut alice, changes, &[STREAM], "").await;
    assert_eq!(stream.text, "event: renew\ndata: now\n\n");
    let new = post("/clients/new");
    let form = stage.send(&mut alice, new.clone(), &[OWN], "name=a").await;
    assert!(
        form.status == 401 && form.text.contains("/signed-in"),
        "{}",
        form.text
    );
    let check = stage
        .send(&mut alice, new, &[OWN, FRAGMENT], "name=a")
        .await;
    assert!(
        check.text.starts_with("<div id=\"checked\""),
        "{}",
        check.text
    );
    // The renewal keeps session and form token, so that the form can be sent.
    stage.id_tokens_last(Duration::from_mins(10));
    stage.enter(&mut alice, "alice", "/signed-in").await;
    assert_eq!(alice.cookies, session);
    let page = stage.get(&mut alice, PAGE).await;
    assert!(
        page.status == 200 && page.text.contains("<bdi>alice</bdi>"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn o14_a_link_of_another_site_waits_for_the_person() {
    let stage = stage().await;
    let mut alice = stage.visitor();
    stage.enter(&mut alice, "alice", PAGE).await;
    let path = "/clients/new?preset=machine";
    let shown = stage.send(&mut alice, get(path), &LINK, "").await.text;
    let waits = shown.contains(&format!("href=\"{path}\"")) && !shown.contains("http-equiv");
    assert!(waits && !shown.contains("alice"), "{shown}");
    let home = stage.send(&mut alice, get("/"), &LINK, "").await.text;
    assert!(home.contains("http-equiv=\"refresh\""), "{home}");
    let image = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-dest", "image"),
    ];
    let image = stage.send(&mut alice, get(PAGE), &image, "").await;
    assert_eq!(image.status, 403);
    let session = stage
        .send(&mut alice, post("/session"), &[OWN], "token=a")
        .await;
    assert_eq!(session.status, 403);
    let probe = stage.get(&mut stage.visitor(), "/healthz").await;
    assert_eq!(probe.text, "ok");
}
