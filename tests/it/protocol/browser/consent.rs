//! C08–C12: what a person agrees to, and M14: what is written down about it.

use std::sync::OnceLock;
use std::time::Duration;

use clientele_http::App;
use clientele_oauth::endpoints::authorize::issue_code::CodeRandom;
use clientele_store::Store;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::support::ask::{Ask, ask};
use crate::support::browser::{Browser, Page};
use crate::support::clock;
use crate::support::grants::TENANT;
use crate::support::logs::Logs;
use crate::support::people::{ORDERS, PASSWORD, index, person};
use crate::support::test_server::TestServer;

/// The page to consent of a browser in which a person is signed in.
async fn asked(browser: &mut Browser<'_>, request: &Ask) -> Page {
    let page = browser.open(&request.url()).await;
    assert_eq!(page.path(), "/consent");
    page
}

async fn consents(world: &TestServer) -> Vec<String> {
    let kept = world.app.store.consents(TENANT, "subject-of-alice").await;
    kept.unwrap()
        .into_iter()
        .map(|consent| consent.scope)
        .collect()
}

#[tokio::test]
async fn the_page_names_client_namespace_destination_and_scopes() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let request = ask("team-a.app")
        .with("scope", "openid email orders.read")
        .with("resource", ORDERS);
    let body = asked(&mut browser, &request).await.reply.body;
    let email = "See your email address";
    for text in [
        "The App",
        "team-a",
        "app.example",
        "alice of Example",
        email,
        "orders.read",
        ORDERS,
    ] {
        assert!(body.contains(text), "{text} is not on {body}");
    }
}

#[tokio::test]
async fn c08_an_answer_counts_only_where_it_was_asked_for() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let page = asked(&mut browser, &ask("team-a.app")).await;
    let allow = [("decision", "allow")];
    // In another browser, or without the transaction.
    let mut other = Browser::new(&world);
    other.sign_in("alice").await;
    other.submit(&page, &allow).await.stops(403, "forbidden");
    browser
        .post("/consent", &allow)
        .await
        .stops(403, "forbidden");
    // In the same browser, but by another person who has signed in since.
    let login = browser
        .open(&ask("team-a.first").with("prompt", "login").url())
        .await;
    browser.sign_in_at(&login, "bob").await;
    browser.submit(&page, &allow).await.stops(403, "forbidden");
    assert!(consents(&world).await.is_empty());
}

#[tokio::test]
async fn c08_a_form_sent_again_is_answered_by_another_code() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.app").url()).await;
    // Twice, as by a double click; with the page in between; and after Back.
    let first = browser.sign_in_at(&login, "alice").await;
    let second = browser.sign_in_at(&login, "alice").await;
    let allow = [("decision", "allow")];
    let mut codes = Vec::new();
    for page in [&second, &second, &first] {
        let told = browser.submit(page, &allow).await.told();
        assert_eq!(told["state"], crate::support::ask::STATE);
        codes.push(told["code"].clone());
    }
    // Back to the page to sign in: what was allowed is not asked again.
    let told = browser.sign_in_at(&login, "alice").await.told();
    codes.push(told["code"].clone());
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 4);
    let denied = browser.submit(&second, &[("decision", "deny")]).await;
    denied.redirects("access_denied");
}

#[tokio::test]
async fn c05_tabs_that_were_opened_together_each_get_a_code() {
    let world = TestServer::at_rest().await;
    let url = ask("team-a.app").url();
    let (mut one, mut two) = (Browser::new(&world), Browser::new(&world));
    let (first, second) = (one.open(&url).await, two.open(&url).await);
    // They are the same browser: none had a cookie when it asked.
    one.cookies.extend(two.cookies.clone());
    let page = one.sign_in_at(&second, "alice").await;
    let told = one.submit(&page, &[("decision", "allow")]).await.told();
    let again = one.sign_in_at(&first, "alice").await.told();
    assert_ne!(told["code"], again["code"]);
    // Another browser has neither.
    let mut other = Browser::new(&world);
    other.open(&url).await;
    let page = other.sign_in_at(&first, "alice").await;
    page.stops(403, "forbidden");
}

#[tokio::test]
async fn c08_of_many_answers_at_once_each_gets_a_code() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let page = asked(&mut browser, &ask("team-a.app")).await;
    let answers = (0..20).map(|_| {
        let (mut browser, page) = (browser.twin(), &page);
        async move {
            browser
                .submit(page, &[("decision", "allow")])
                .await
                .reply
                .status
        }
    });
    let statuses = futures::future::join_all(answers).await;
    assert_eq!(statuses, [303; 20]);
}

#[tokio::test]
async fn c08_the_page_to_sign_in_is_no_consent() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.app").url()).await;
    browser.sign_in("alice").await;
    let fields = [
        ("transaction", &*login.transaction()),
        ("decision", "allow"),
    ];
    browser
        .post("/consent", &fields)
        .await
        .stops(403, "forbidden");
    let account = browser.open("/account").await;
    let fields = [
        ("transaction", &*account.transaction()),
        ("decision", "allow"),
    ];
    browser
        .post("/consent", &fields)
        .await
        .stops(400, "invalid_request");
}

#[tokio::test]
async fn c04_c13_a_consent_of_another_site_counts_for_nothing() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let page = asked(&mut browser, &ask("team-a.app")).await;
    browser.says_origin = false;
    browser.headers = vec![("origin", "https://evil.example".to_owned())];
    let page = browser.submit(&page, &[("decision", "allow")]).await;
    page.stops(403, "forbidden");
}

#[tokio::test]
async fn c09_what_else_the_form_says_counts_for_nothing() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let page = asked(&mut browser, &ask("team-a.app")).await;
    let more = [
        ("decision", "allow"),
        ("scope", "openid email groups offline_access"),
        ("resource", ORDERS),
        ("client_id", "team-a.second"),
        ("redirect_uri", "https://evil.example"),
    ];
    let told = browser.submit(&page, &more).await;
    assert!(
        told.reply
            .header("location")
            .starts_with("https://app.example/cb?")
    );
    let kept = world.kept(&told.told()["code"]).await.authorization;
    assert_eq!(
        (kept.scope.as_str(), kept.resources.as_str()),
        ("openid", "")
    );
    assert_eq!(kept.client_id, "team-a.app");
}

#[tokio::test]
async fn c10_a_subset_asks_nothing_and_more_asks_again() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let scope = |scope| ask("team-a.app").with("scope", scope);
    browser.allow(&scope("openid email").url(), "alice").await;
    for covered in ["openid", "email openid", "openid email"] {
        let told = browser.open(&scope(covered).url()).await.told();
        let kept = world.kept(&told["code"]).await.authorization;
        assert_eq!(kept.scope, covered, "no more than was asked");
    }
    let page = asked(&mut browser, &scope("openid profile")).await;
    browser.submit(&page, &[("decision", "allow")]).await;
    assert_eq!(consents(&world).await, ["openid email profile"]);
    let told = browser
        .open(&scope("openid email profile").url())
        .await
        .told();
    assert!(told.contains_key("code"));
    asked(&mut browser, &scope("openid").with("resource", ORDERS)).await;
    asked(&mut browser, &ask("team-a.second")).await;
    // What was agreed to belongs to the person.
    let mut other = Browser::new(&world);
    other.sign_in("bob").await;
    asked(&mut other, &scope("openid")).await;
}

#[tokio::test]
async fn c10_claims_by_name_need_the_consent_of_their_scope() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.allow(&ask("team-a.app").url(), "alice").await;
    let claims = ask("team-a.app").with("claims", r#"{"userinfo":{"email":null}}"#);
    let page = asked(&mut browser, &claims).await;
    assert!(page.reply.body.contains("See your email address"));
    let told = browser.submit(&page, &[("decision", "allow")]).await.told();
    assert_eq!(
        world.kept(&told["code"]).await.authorization.scope,
        "openid"
    );
    assert!(
        browser
            .open(&claims.url())
            .await
            .told()
            .contains_key("code")
    );
}

#[tokio::test]
async fn c11_who_declines_sends_the_client_away_and_nothing_is_kept() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let page = asked(&mut browser, &ask("team-a.app")).await;
    let told = browser.submit(&page, &[("decision", "deny")]).await;
    assert_eq!(told.statuses, [303]);
    told.redirects("access_denied");
    assert!(consents(&world).await.is_empty());
    for nonsense in [&[("decision", "yes")][..], &[("decision", "")], &[]] {
        let page = asked(&mut browser, &ask("team-a.app")).await;
        browser
            .submit(&page, nonsense)
            .await
            .stops(400, "invalid_request");
    }
}

#[tokio::test]
async fn c12_a_first_party_client_asks_nothing() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let page = browser.open(&ask("team-a.first").url()).await;
    let told = browser.sign_in_at(&page, "alice").await.told();
    assert!(told.contains_key("code"));
    assert!(
        browser
            .open(&ask("team-a.first").url())
            .await
            .told()
            .contains_key("code")
    );
    assert!(consents(&world).await.is_empty());
}

#[tokio::test]
async fn c12_a_native_app_needs_one_click_in_a_reused_session() {
    let world = TestServer::at_rest().await;
    for uri in ["http://127.0.0.1:5000/cb", "com.example.app:/cb"] {
        let native = ask("team-a.native").with("redirect_uri", uri);
        let mut browser = Browser::new(&world);
        let page = browser.open(&native.url()).await;
        let told = browser.sign_in_at(&page, "alice").await;
        assert!(told.told().contains_key("code"), "just signed in for it");
        let page = asked(&mut browser, &native).await;
        assert!(
            !page.reply.body.contains("id=\"may\""),
            "{}",
            page.reply.body
        );
        let told = browser.submit(&page, &[("decision", "allow")]).await;
        assert!(told.reply.header("location").starts_with(uri));
        assert!(told.told().contains_key("code"));
        asked(&mut browser, &native).await;
        let silent = browser.open(&native.with("prompt", "none").url()).await;
        silent.redirects("interaction_required");
        assert!(consents(&world).await.is_empty(), "a click is no consent");
    }
}

#[tokio::test]
async fn who_is_in_no_allowed_group_is_turned_away() {
    let world = TestServer::at_rest().await;
    for (username, allowed) in [("alice", true), ("bob", false)] {
        let mut browser = Browser::new(&world);
        let page = browser.open(&ask("team-a.staff").url()).await;
        let page = browser.sign_in_at(&page, username).await;
        if allowed {
            assert_eq!((page.path(), page.reply.status), ("/consent", 200));
            continue;
        }
        assert_eq!((page.path(), page.reply.status), ("/consent", 403));
        assert_eq!(page.reply.header("x-clientele-error"), "access_denied");
        assert!(page.reply.body.contains("bob of Example"));
        // No form of theirs allows what the page refuses.
        let forced = browser.submit(&page, &[("decision", "allow")]).await;
        assert_eq!(forced.reply.status, 403);
        let back = browser.submit(&page, &[("decision", "deny")]).await;
        back.redirects("access_denied");
        let silent = ask("team-a.staff").with("prompt", "none").url();
        browser.open(&silent).await.redirects("access_denied");
        // The account can be switched, and then the request goes on.
        let login = browser.submit(&page, &[("decision", "switch")]).await;
        assert_eq!(login.path(), "/login");
        let page = browser.sign_in_at(&login, "alice").await;
        let told = browser.submit(&page, &[("decision", "allow")]).await.told();
        assert!(told.contains_key("code"));
    }
}

#[tokio::test]
async fn who_wants_to_be_somebody_else_can_switch() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    browser.sign_in("alice").await;
    let page = asked(&mut browser, &ask("team-a.app")).await;
    let page = browser.submit(&page, &[("decision", "switch")]).await;
    assert_eq!(page.path(), "/login");
    let page = browser.sign_in_at(&page, "bob").await;
    let told = browser.submit(&page, &[("decision", "allow")]).await.told();
    assert_eq!(
        world.kept(&told["code"]).await.authorization.subject,
        "subject-of-bob"
    );
}

#[tokio::test]
async fn c19_a_page_that_was_open_too_long_begins_again_or_says_so() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.app").url()).await;
    let consent = browser.sign_in_at(&login, "alice").await;
    // Over a night the session ends: sign in, be asked, and arrive.
    clock::advance(Duration::from_hours(14));
    let page = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!((page.path(), page.reply.status), ("/login", 200));
    let page = browser.sign_in_at(&login, "alice").await;
    let told = browser.submit(&page, &[("decision", "allow")]).await.told();
    assert!(told.contains_key("code"));
    // After a week nothing follows any more.
    clock::advance(Duration::from_hours(168));
    for (page, field) in [
        (&login, ("username", "alice")),
        (&page, ("decision", "allow")),
    ] {
        let late = browser.submit(page, &[field]).await;
        late.stops(400, "invalid_request");
        assert!(late.reply.body.contains("a week"), "{}", late.reply.body);
    }
    // The session ended while the page was open: sign in again, and be asked again.
    browser.sign_in("bob").await;
    let page = asked(&mut browser, &ask("team-a.app")).await;
    let name = "__Host-clientele-default".to_owned();
    browser.cookies.remove(&name);
    let page = browser.submit(&page, &[("decision", "allow")]).await;
    assert_eq!((page.path(), page.reply.status), ("/login", 200));
    let page = browser.sign_in_at(&page, "bob").await;
    assert_eq!(page.path(), "/consent");
}

#[tokio::test]
async fn c19_a_page_left_open_makes_no_old_sign_in_a_new_one() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let request = ask("team-a.app").with("prompt", "login");
    let login = browser.open(&request.url()).await;
    let consent = browser.sign_in_at(&login, "alice").await;
    clock::advance(Duration::from_mins(31));
    let page = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!((page.path(), page.reply.status), ("/login", 200));
    let consent = browser.sign_in_at(&page, "alice").await;
    let told = browser
        .submit(&consent, &[("decision", "allow")])
        .await
        .told();
    assert!(told.contains_key("code"));
}

#[tokio::test]
async fn m14_the_audit_log_names_users_and_clients_and_no_secret() {
    let (logs, _guard) = Logs::capture();
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.app").url()).await;
    let wrong = [
        ("username", "stranger-typed"),
        ("password", "guess-of-a-stranger"),
    ];
    browser.submit(&login, &wrong).await;
    browser
        .submit(&login, &[("username", "alice"), ("password", "guess-2")])
        .await;
    let consent = browser.sign_in_at(&login, "alice").await;
    let told = browser
        .submit(&consent, &[("decision", "allow")])
        .await
        .told();
    let text = logs.text();
    for event in [
        "sign-in failed tenant=\"default\" client_id=\"team-a.app\" username=\"(unknown)\"",
        "sign-in failed tenant=\"default\" client_id=\"team-a.app\" username=\"alice\"",
        "signed in tenant=\"default\" client_id=\"team-a.app\" username=\"alice\"",
        "consent given tenant=\"default\" client_id=\"team-a.app\" username=\"alice\"",
    ] {
        assert!(text.contains(event), "{event} is not in\n{text}");
    }
    let mut secrets = vec![
        told["code"].clone(),
        PASSWORD.to_owned(),
        "guess-".to_owned(),
    ];
    secrets.extend(browser.cookies.values().cloned());
    secrets.extend([
        "stranger-typed".to_owned(),
        consent.transaction(),
        "n0nce".to_owned(),
    ]);
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in\n{text}");
    }
}

/// Withdraws what `alice` agreed to, in the moment in which the code is made that rests on it.
fn random_that_withdraws(bytes: &mut [u8]) -> Option<()> {
    if bytes.len() == size_of::<CodeRandom>() {
        let store = WITHDRAWN.get()?;
        let withdrawn = store.withdraw(
            TENANT,
            "subject-of-alice",
            "uid-of-team-a.app",
            clock::now(),
        );
        block_in_place(|| Handle::current().block_on(withdrawn)).ok()?;
    }
    aws_lc_rs::rand::fill(bytes).ok()
}

static WITHDRAWN: OnceLock<Store> = OnceLock::new();

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_withdrawn_while_a_code_is_made_is_asked_for_again() {
    let usual = TestServer::at_rest().await;
    let mut browser = Browser::new(&usual);
    browser.allow(&ask("team-a.app").url(), "alice").await;
    let silent = ask("team-a.app").with("prompt", "none").url();
    assert!(browser.open(&silent).await.told().contains_key("code"));

    let world = TestServer::with(App {
        random: random_that_withdraws,
        ..usual.app.clone()
    });
    assert!(WITHDRAWN.set(world.app.store.clone()).is_ok());
    browser
        .at(&world)
        .open(&silent)
        .await
        .redirects("consent_required");
    assert!(consents(&world).await.is_empty());
}

#[tokio::test]
async fn n06_a_consent_is_not_inherited_with_a_subject() {
    let world = TestServer::at_rest().await;
    let request = ask("team-a.app").with("scope", "openid email");
    let mut browser = Browser::new(&world);
    assert!(
        browser
            .allow(&request.url(), "alice")
            .await
            .contains_key("code")
    );
    assert!(
        browser
            .open(&request.url())
            .await
            .told()
            .contains_key("code"),
        "asked once"
    );
    world.change(|tenant| {
        let mut later = person("alice");
        later.uid = "uid-of-a-later-alice".into();
        tenant.reassigned_subjects = [later.subject.clone()].into();
        tenant.users = index(vec![later]);
    });
    let mut browser = Browser::new(&world);
    let account = browser.sign_in("alice").await;
    assert!(
        !account.reply.body.contains("The App"),
        "{}",
        account.reply.body
    );
    let page = asked(&mut browser, &request).await;
    let page = browser.submit(&page, &[("decision", "allow")]).await;
    assert!(page.told().contains_key("code"));
    let kept = world
        .app
        .store
        .consents(TENANT, "subject-of-alice")
        .await
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].user_uid, "uid-of-a-later-alice");
}
