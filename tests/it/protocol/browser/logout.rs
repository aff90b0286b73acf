//! J01–J07: signing out at a client's request.

use axum::body::Body;
use axum::http::Request;
use clientele_oauth::keys::former_key::FormerKey;
use clientele_oauth::{Algorithm, SigningKeys};
use jiff::Timestamp;
use serde_json::json;

use crate::support::ask::ask;
use crate::support::browser::{Browser, Page};
use crate::support::grants::{id_claims, id_token, signed};
use crate::support::keys;
use crate::support::logs::Logs;
use crate::support::people::app_with;
use crate::support::test_server::TestServer;

const BYE: &str = "https://app.example/bye";

/// A browser in which `alice` has signed in through `team-a.first`, and the session's `sid`.
async fn signed_in(world: &TestServer) -> (Browser<'_>, String) {
    let mut browser = Browser::new(world);
    let told = browser.allow(&ask("team-a.first").url(), "alice").await;
    let sid = world.kept(&told["code"]).await.authorization.sid;
    (browser, sid)
}

fn url(fields: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("/logout?{}", query.extend_pairs(fields).finish())
}

async fn still_signed_in(browser: &mut Browser<'_>) -> bool {
    let page = browser
        .open(&ask("team-a.first").with("prompt", "none").url())
        .await;
    page.told().contains_key("code")
}

/// A page that asks, and is no redirect.
#[track_caller]
fn asks(page: &Page) {
    assert_eq!(
        (page.reply.status, page.reply.header("location")),
        (200, "")
    );
    let buttons = page.form().buttons;
    assert_eq!(buttons[0], ("decision".to_owned(), "sign-out".to_owned()));
}

#[tokio::test]
async fn j01_only_a_registered_address_is_returned_to() {
    let world = TestServer::at_rest().await;
    let (mut browser, mut sid) = signed_in(&world).await;
    let mut hint = id_token(&id_claims("team-a.first", &sid));
    for bad in [
        "https://evil.example",
        "https://app.example/bye?x=1",
        "https://app.example/bye/",
        "https://app.example/cb",
        "HTTPS://app.example/bye",
        "javascript:alert(1)",
        "//evil.example",
    ] {
        let other = id_token(&id_claims("team-a.first", "another"));
        for more in [("id_token_hint", &*other), ("client_id", "team-a.first")] {
            let page = browser
                .open(&url(&[("post_logout_redirect_uri", bad), more]))
                .await;
            page.stops(400, "invalid_request");
        }
        assert!(still_signed_in(&mut browser).await);
        // A hint of this very session ends it all the same, and our own page says so.
        let page = browser
            .twin()
            .open(&url(&[
                ("post_logout_redirect_uri", bad),
                ("id_token_hint", &*hint),
            ]))
            .await;
        assert_eq!(
            (page.reply.status, page.reply.header("location")),
            (200, "")
        );
        assert!(page.reply.body.contains("You are signed out"));
        assert!(!still_signed_in(&mut browser).await);
        (browser, sid) = signed_in(&world).await;
        hint = id_token(&id_claims("team-a.first", &sid));
    }
}

#[tokio::test]
async fn j17_without_a_session_a_browser_is_told_so() {
    let world = TestServer::at_rest().await;
    let (mut browser, sid) = signed_in(&world).await;
    let hint = id_token(&id_claims("team-a.first", &sid));
    for url in ["/logout".to_owned(), url(&[("id_token_hint", &hint)])] {
        let page = Browser::new(&world).open(&url).await;
        assert_eq!(page.reply.status, 200);
        assert!(page.reply.body.contains("You are not signed in here"));
    }
    assert!(still_signed_in(&mut browser).await);
}

#[tokio::test]
async fn j17_a_server_ends_the_session_of_its_hint() {
    let (logs, _guard) = Logs::capture();
    let world = TestServer::at_rest().await;
    for method in ["GET", "POST"] {
        let (mut browser, sid) = signed_in(&world).await;
        let hint = id_token(&id_claims("team-a.first", &sid));
        let query = url(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]);
        let form = query.split_once('?').unwrap().1;
        let mut server = Browser::new(&world);
        server.says_origin = false;
        let reply = match method {
            "GET" => server.request("GET", &query, None).await,
            _ => server.request("POST", "/logout", Some(form)).await,
        };
        assert_eq!((reply.status, reply.header("location")), (200, ""));
        assert!(!still_signed_in(&mut browser).await, "{method}");
    }
    let line = "signed out tenant=\"default\" client_id=\"team-a.first\" username=\"alice\"";
    let text = logs.text();
    let recorded = text.lines().filter(|l| l.contains(line));
    assert_eq!(
        recorded.filter(|l| l.contains("client's server")).count(),
        2
    );
    // Of the session of another person it proves nothing.
    let (mut browser, sid) = signed_in(&world).await;
    let mut of_bob = id_claims("team-a.first", &sid);
    of_bob["sub"] = json!("subject-of-bob");
    let mut server = Browser::new(&world);
    server.says_origin = false;
    server
        .request("GET", &url(&[("id_token_hint", &id_token(&of_bob))]), None)
        .await;
    assert!(still_signed_in(&mut browser).await);
    // Ten a minute.
    let hint = id_token(&id_claims("team-a.first", "gone"));
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let reply = server
            .request("GET", &url(&[("id_token_hint", &hint)]), None)
            .await;
        statuses.push(reply.status);
    }
    assert_eq!(statuses[6..], [200, 429]);
}

#[tokio::test]
async fn a31_signed_out_already_only_a_click_leads_elsewhere() {
    let world = TestServer::at_rest().await;
    world.change(|tenant| {
        let app = app_with("team-a.app", |c| c.redirect_hosts_listed = false);
        tenant.clients.insert("team-a.app".into(), app.into());
    });
    let request = [
        ("client_id", "team-a.app"),
        ("post_logout_redirect_uri", BYE),
        ("state", "s"),
    ];
    let page = Browser::new(&world).open(&url(&request)).await;
    assert_eq!(
        (page.reply.status, page.reply.header("location")),
        (200, "")
    );
    let link = "href=\"https://app.example/bye?state=s\"";
    assert!(page.reply.body.contains(link), "{}", page.reply.body);
    assert!(!page.reply.body.contains("http-equiv"), "no timer");
}

#[tokio::test]
async fn j02_no_return_to_an_address_without_a_client() {
    let world = TestServer::at_rest().await;
    let (mut browser, _) = signed_in(&world).await;
    let page = browser
        .open(&url(&[("post_logout_redirect_uri", BYE), ("state", "x")]))
        .await;
    asks(&page);
    let page = browser.submit(&page, &[("decision", "sign-out")]).await;
    assert_eq!(
        (page.reply.status, page.reply.header("location")),
        (200, "")
    );
    assert!(!still_signed_in(&mut browser).await);
}

#[tokio::test]
async fn j02_with_a_client_id_the_person_is_asked_and_then_returns() {
    let world = TestServer::at_rest().await;
    let (mut browser, _) = signed_in(&world).await;
    let request = [
        ("client_id", "team-a.first"),
        ("post_logout_redirect_uri", BYE),
        ("state", "a b&c"),
    ];
    let page = browser.open(&url(&request)).await;
    asks(&page);
    assert!(page.reply.body.contains("The App"));
    assert!(still_signed_in(&mut browser).await);
    let page = browser.submit(&page, &[("decision", "sign-out")]).await;
    assert_eq!(
        page.reply.header("location"),
        format!("{BYE}?state=a%20b%26c")
    );
    assert!(!still_signed_in(&mut browser).await);
}

#[tokio::test]
async fn j03_a_hint_that_is_not_ours_stops_it() {
    let world = TestServer::at_rest().await;
    let (mut browser, sid) = signed_in(&world).await;
    let claims = id_claims("team-a.first", &sid);
    let genuine = id_token(&claims);
    let stranger = keys::scheduled(Algorithm::Rs256, Timestamp::UNIX_EPOCH);
    let stranger = SigningKeys::new(vec![stranger]).unwrap();
    let mut elsewhere = claims.clone();
    elsewhere["iss"] = json!("https://evil.example");
    let (_, payload) = genuine.split_once('.').unwrap();
    let (head, tail) = genuine.split_at(genuine.len() - 9);
    // One signature in 64 has an x there already.
    let other = if tail.starts_with('x') { "y" } else { "x" };
    let modified = format!("{head}{other}{}", &tail[1..]);
    for bad in [
        "garbage".to_owned(),
        format!(
            "eyJhbGciOiJub25lIn0.{}.",
            payload.split('.').next().unwrap()
        ),
        modified,
        signed(&stranger, &claims),
        id_token(&elsewhere),
    ] {
        let page = browser.open(&url(&[("id_token_hint", &bad)])).await;
        page.stops(400, "invalid_request");
    }
    let other = [("id_token_hint", &*genuine), ("client_id", "team-a.app")];
    browser
        .open(&url(&other))
        .await
        .stops(400, "invalid_request");
    // A genuine hint of another session, to a client that was deleted.
    let gone = id_token(&id_claims("team-a.gone", "another"));
    let gone = [("id_token_hint", &*gone), ("post_logout_redirect_uri", BYE)];
    browser
        .open(&url(&gone))
        .await
        .stops(400, "invalid_request");
    browser
        .open(&url(&[("client_id", "unknown")]))
        .await
        .stops(400, "invalid_client");
    for twice in [
        "state",
        "client_id",
        "id_token_hint",
        "post_logout_redirect_uri",
    ] {
        let page = browser
            .open(&format!("/logout?{twice}=team-a.first&{twice}=x"))
            .await;
        page.stops(400, "invalid_request");
    }
    assert!(still_signed_in(&mut browser).await);
}

#[tokio::test]
async fn j04_j07_a_genuine_hint_signs_out_at_once_expired_or_not() {
    let world = TestServer::at_rest().await;
    for (state, expected) in [
        (Some("x y"), format!("{BYE}?state=x%20y")),
        (None, BYE.to_owned()),
    ] {
        let (mut browser, sid) = signed_in(&world).await;
        let hint = id_token(&id_claims("team-a.first", &sid));
        let mut request = vec![("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE)];
        request.extend(state.map(|state| ("state", state)));
        let page = browser.open(&url(&request)).await;
        assert_eq!(
            (page.reply.status, page.reply.header("location")),
            (303, &*expected)
        );
        assert!(
            page.cookies
                .iter()
                .any(|cookie| cookie.contains("Max-Age=0"))
        );
        assert!(!still_signed_in(&mut browser).await);
        // Once more, without a session: the client gets the person back all the same.
        let page = browser.open(&url(&request)).await;
        assert_eq!(page.reply.header("location"), expected);
    }
}

#[tokio::test]
async fn j07_a_post_does_the_same() {
    let world = TestServer::at_rest().await;
    let (mut browser, sid) = signed_in(&world).await;
    let hint = id_token(&id_claims("team-a.first", &sid));
    let fields = [
        ("id_token_hint", &*hint),
        ("client_id", "team-a.first"),
        ("post_logout_redirect_uri", BYE),
    ];
    let page = browser.post("/logout", &fields).await;
    assert_eq!(
        (page.statuses.as_slice(), page.reply.header("location")),
        (&[303, 303][..], BYE)
    );
    assert!(!still_signed_in(&mut browser).await);
    browser
        .post("/logout", &[("id_token_hint", "x")])
        .await
        .stops(400, "invalid_request");
}

#[tokio::test]
async fn j05_a_hint_of_somebody_else_or_of_another_session_asks() {
    let world = TestServer::at_rest().await;
    let (mut browser, sid) = signed_in(&world).await;
    let mut of_bob = id_claims("team-a.first", &sid);
    of_bob["sub"] = json!("subject-of-bob");
    let mut without_sid = id_claims("team-a.first", &sid);
    without_sid.as_object_mut().unwrap().remove("sid");
    for claims in [of_bob, id_claims("team-a.first", "another")] {
        let hint = id_token(&claims);
        let request = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE)];
        asks(&browser.open(&url(&request)).await);
    }
    // Every ID token of ours names its session, so this is none.
    let hint = id_token(&without_sid);
    let page = browser.open(&url(&[("id_token_hint", &*hint)])).await;
    page.stops(400, "invalid_request");
    assert!(still_signed_in(&mut browser).await);
}

#[tokio::test]
async fn j06_a_visit_without_a_hint_asks() {
    let world = TestServer::at_rest().await;
    let (mut browser, _) = signed_in(&world).await;
    let page = browser.open("/logout").await;
    asks(&page);
    assert!(page.reply.body.contains("alice of Example"));
    let stayed = browser.submit(&page, &[("decision", "stay")]).await;
    assert_eq!(stayed.reply.status, 200);
    assert!(still_signed_in(&mut browser).await);
    // The answer is as well guarded as any other form.
    let fields = [
        ("transaction", &*page.transaction()),
        ("decision", "sign-out"),
    ];
    let mut other = Browser::new(&world);
    other.sign_in("alice").await;
    other.post("/logout", &fields).await.stops(403, "forbidden");
    browser.says_origin = false;
    browser.headers = vec![("origin", "https://evil.example".to_owned())];
    browser
        .post("/logout", &fields)
        .await
        .stops(403, "forbidden");
    browser.headers.clear();
    let odd = [("transaction", &*page.transaction()), ("decision", "yes")];
    browser
        .post("/logout", &odd)
        .await
        .stops(400, "invalid_request");
    assert!(still_signed_in(&mut browser).await);
    let page = browser.post("/logout", &fields).await;
    assert_eq!(page.reply.status, 200);
    assert!(!still_signed_in(&mut browser).await);
}

#[tokio::test]
async fn no_return_to_an_address_removed_while_the_user_decides() {
    let world = TestServer::at_rest().await;
    let (mut browser, _) = signed_in(&world).await;
    let request = [
        ("client_id", "team-a.first"),
        ("post_logout_redirect_uri", BYE),
    ];
    let page = browser.open(&url(&request)).await;
    world.change(|tenant| {
        let without = app_with("team-a.first", |c| c.post_logout_redirect_uris = [].into());
        tenant.clients.insert("team-a.first".into(), without.into());
    });
    let page = browser.submit(&page, &[("decision", "sign-out")]).await;
    page.stops(400, "invalid_request");
}

#[tokio::test]
async fn signing_out_ends_what_was_allowed_without_offline_access() {
    let world = TestServer::at_rest().await;
    let (mut browser, sid) = signed_in(&world).await;
    let told = browser.open(&ask("team-a.first").url()).await.told();
    let hint = id_token(&id_claims("team-a.first", &sid));
    browser.open(&url(&[("id_token_hint", &hint)])).await;
    let kept = world.kept(&told["code"]).await;
    assert!(kept.redeemed_at.is_some(), "the code is used up");
}

#[tokio::test]
async fn j04_a_hint_of_a_former_key_is_still_verified() {
    let world = TestServer::at_rest().await;
    let (mut browser, sid) = signed_in(&world).await;
    let former = keys::scheduled(Algorithm::Rs256, Timestamp::UNIX_EPOCH);
    let jwk = serde_json::to_value(former.key.jwk()).unwrap();
    let jwk = serde_json::from_value(jwk).unwrap();
    let former_key = FormerKey::new(jwk).unwrap();
    let former = SigningKeys::new(vec![former]).unwrap();
    let mut claims = id_claims("team-a.first", &sid);
    let hint = signed(&former, &claims);
    // An access token of the type JWT has the same header.
    claims["client_id"] = "team-a.first".into();
    claims["jti"] = "one".into();
    let access_token = url(&[("id_token_hint", &signed(&former, &claims))]);
    let url = url(&[("id_token_hint", &hint)]);
    browser.open(&url).await.stops(400, "invalid_request");
    world.change(|tenant| tenant.former_keys = [former_key].into());
    let stopped = browser.open(&access_token).await;
    stopped.stops(400, "invalid_request");
    let page = browser.open(&url).await;
    assert_eq!(page.reply.status, 200);
    assert!(!still_signed_in(&mut browser).await);
    // No other kind of token is verified by it.
    let userinfo = Request::get("/userinfo").header("authorization", format!("Bearer {hint}"));
    let reply = world.send(userinfo.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn b04_at_logout_an_empty_parameter_counts_as_omitted() {
    let world = TestServer::at_rest().await;
    for method in ["GET", "POST"] {
        let (mut browser, sid) = signed_in(&world).await;
        let hint = id_token(&id_claims("team-a.first", &sid));
        let empty = [
            ("client_id", ""),
            ("post_logout_redirect_uri", ""),
            ("state", ""),
            ("logout_hint", ""),
            ("ui_locales", ""),
            ("transaction", ""),
        ];
        let hinted = [&empty[..], &[("id_token_hint", hint.as_str())]].concat();
        let nothing = [&empty[..], &[("id_token_hint", "")]].concat();
        if method == "GET" {
            asks(&browser.open(&url(&nothing)).await);
            assert!(still_signed_in(&mut browser).await);
            browser.open(&url(&hinted)).await;
        } else {
            browser.post("/logout", &hinted).await;
        }
        assert!(!still_signed_in(&mut browser).await, "{method}");
    }
}
