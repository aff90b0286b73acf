//! C01–C07, C13–C16, C21: signing in.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use clientele_http::server::Limits;
use clientele_oauth::user::{PasswordHash, password};
use clientele_store::UpgradedHash;

use crate::support::ask::ask;
use crate::support::browser::{Browser, Page};
use crate::support::clock;
use crate::support::people::{PASSWORD, index, person};
use crate::support::running::Running;
use crate::support::test_server::{ISSUER, TestServer, list};

/// The page after these credentials.
async fn try_as(world: &TestServer, username: &str, password: &str) -> Page {
    let mut browser = Browser::new(world);
    let page = browser.open(&ask("team-a.app").url()).await;
    browser
        .submit(&page, &[("username", username), ("password", password)])
        .await
}

/// A page without what belongs to one request alone.
fn neutral(page: &Page, username: &str) -> String {
    let body = page.reply.body.replace(&page.transaction(), "T");
    body.replace(&format!("value=\"{username}\""), "value=\"U\"")
}

#[tokio::test]
async fn c01_c03_whoever_cannot_sign_in_sees_the_same() {
    let world = TestServer::at_rest().await;
    let wrong = try_as(&world, "alice", "wrong").await;
    assert_eq!((wrong.reply.status, wrong.path()), (401, "/login"));
    let expected = neutral(&wrong, "alice");
    for (username, password) in [
        ("unknown", "wrong"),
        ("unknown", PASSWORD),
        ("dora", PASSWORD),
        ("dora", "wrong"),
        ("paul", PASSWORD),
        ("alice", "Correct horse battery staple"),
        ("alice", "correct horse battery staple "),
        ("alice", ""),
        ("bob", "correct horse battery stapl"),
    ] {
        let page = try_as(&world, username, password).await;
        assert_eq!(page.reply.status, 401, "{username} {password}");
        assert_eq!(neutral(&page, username), expected, "{username} {password}");
        assert!(
            page.cookies
                .iter()
                .all(|cookie| cookie.contains("_browser="))
        );
    }
}

#[tokio::test]
async fn c01_an_unknown_name_takes_as_long_as_a_wrong_password() {
    let world = TestServer::at_rest().await;
    let mut shortest = [Duration::MAX; 2];
    // As often as it takes until a busy machine has left both alone once.
    for _ in 0..50 {
        for (shortest, username) in shortest.iter_mut().zip(["alice", "unknown"]) {
            let started = Instant::now();
            let page = try_as(&world, username, "wrong").await;
            *shortest = started.elapsed().min(*shortest);
            assert_eq!(page.reply.status, 401, "the password was looked at");
            clock::advance(Duration::from_mins(10));
        }
        let [known, unknown] = shortest;
        if known.max(unknown) < known.min(unknown) * 3 {
            return;
        }
    }
    panic!("alice and unknown: {shortest:?}");
}

#[tokio::test]
async fn c02_failures_of_an_account_are_counted_whatever_its_spelling() {
    let world = TestServer::at_rest().await;
    for name in ["bob", "unknown"] {
        for spelling in 0..10 {
            let name = if spelling % 2 == 0 {
                name.to_uppercase()
            } else {
                format!(" {name} ")
            };
            assert_eq!(try_as(&world, &name, "wrong").await.reply.status, 401);
        }
        let page = try_as(&world, name, PASSWORD).await;
        assert_eq!(
            (page.reply.status, page.reply.header("retry-after")),
            (429, "6")
        );
        assert!(page.reply.body.contains("6 seconds"), "{}", page.reply.body);
        assert!(
            page.reply.body.contains("name=\"password\""),
            "one can try again here"
        );
    }
    assert_eq!(try_as(&world, "alice", PASSWORD).await.path(), "/consent");
    clock::advance(Duration::from_secs(6));
    assert_eq!(try_as(&world, "bob", PASSWORD).await.path(), "/consent");
}

#[tokio::test]
async fn c02_c16_failures_count_by_address_forwarding_is_no_bypass() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let page = browser.open(&ask("team-a.app").url()).await;
    let mut statuses = Vec::new();
    for number in 0..51 {
        browser.headers = vec![("x-forwarded-for", format!("203.0.113.{number}"))];
        let fields = [("username", &*format!("user{number}")), ("password", "x")];
        statuses.push(browser.submit(&page, &fields).await.reply.status);
    }
    assert!(statuses[..50].iter().all(|status| *status == 401));
    assert_eq!(statuses[50], 429);
    browser.peer = "198.51.100.7:1".parse().unwrap();
    let elsewhere = browser.sign_in_at(&page, "alice").await;
    assert_eq!(elsewhere.path(), "/consent");
}

#[tokio::test]
async fn c16_behind_a_trusted_proxy_each_visitor_has_a_counter() {
    let mut app = TestServer::at_rest().await.app;
    app.trusted_proxies =
        clientele_http::server::trusted_proxies::TrustedProxies::new(&["192.0.2.0/24"
            .parse()
            .unwrap()]);
    let world = TestServer::with(app);
    let mut browser = Browser::new(&world);
    let page = browser.open(&ask("team-a.app").url()).await;
    // One more than an address may have.
    for number in 0..51 {
        browser.headers = vec![("x-forwarded-for", format!("203.0.113.{number}"))];
        let fields = [("username", &*format!("user{number}")), ("password", "x")];
        assert_eq!(browser.submit(&page, &fields).await.reply.status, 401);
    }
}

#[tokio::test]
async fn c02_success_costs_nothing() {
    let world = TestServer::at_rest().await;
    for _ in 0..15 {
        assert_eq!(try_as(&world, "alice", PASSWORD).await.path(), "/consent");
    }
}

#[tokio::test]
async fn c04_a_form_of_another_site_signs_nobody_in() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let page = browser.open(&ask("team-a.app").url()).await;
    let transaction = page.transaction();
    let fields = [("username", "alice"), ("password", PASSWORD)];
    let without = browser.post("/login", &fields).await;
    without.stops(403, "forbidden");
    let garbage = [&fields[..], &[("transaction", "x.y.z")]].concat();
    browser
        .post("/login", &garbage)
        .await
        .stops(403, "forbidden");
    let others = Browser::new(&world)
        .open(&ask("team-a.app").url())
        .await
        .transaction();
    let forged = [&fields[..], &[("transaction", &*others)]].concat();
    browser
        .post("/login", &forged)
        .await
        .stops(403, "forbidden");

    let real = [&fields[..], &[("transaction", &*transaction)]].concat();
    browser.says_origin = false;
    for headers in [
        vec![("origin", "https://evil.example".to_owned())],
        vec![("origin", "null".to_owned())],
        vec![("sec-fetch-site", "cross-site".to_owned())],
        vec![
            ("origin", ISSUER.to_owned()),
            ("sec-fetch-site", "same-site".to_owned()),
        ],
    ] {
        browser.headers = headers;
        browser.post("/login", &real).await.stops(403, "forbidden");
    }
    browser.headers = vec![];
    assert_eq!(browser.post("/login", &real).await.path(), "/consent");
}

#[tokio::test]
async fn c05_a_transaction_begun_elsewhere_is_worth_nothing_here() {
    let world = TestServer::at_rest().await;
    let attacker = Browser::new(&world).open(&ask("team-a.app").url()).await;
    let link = format!("/login?transaction={}", attacker.transaction());
    let mut victim = Browser::new(&world);
    victim.open(&link).await.stops(400, "invalid_request");
    victim.sign_in("alice").await;
    victim.open(&link).await.stops(400, "invalid_request");
    victim.open("/login").await.stops(400, "invalid_request");
    victim
        .open("/consent?transaction=x")
        .await
        .stops(400, "invalid_request");
}

#[tokio::test]
async fn c06_the_session_is_a_new_one_at_each_sign_in() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let planted = "p".repeat(43);
    let name = "__Host-clientele-default";
    browser.cookies.insert(name.to_owned(), planted.clone());
    let page = browser.open(&ask("team-a.first").url()).await;
    assert_eq!(page.path(), "/login");
    browser.sign_in_at(&page, "alice").await;
    let first = browser.cookies[name].clone();
    assert_ne!(first, planted);
    let mut thief = browser.twin();
    let again = browser
        .open(&ask("team-a.first").with("prompt", "login").url())
        .await;
    browser.sign_in_at(&again, "alice").await;
    assert_ne!(browser.cookies[name], first);
    // And the former value is over.
    let page = thief.open(&ask("team-a.first").url()).await;
    assert_eq!(page.path(), "/login");
}

#[tokio::test]
async fn c07_cookies_are_bound_to_the_host_and_hidden_from_scripts() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let page = browser.open(&ask("team-a.first").url()).await;
    assert_eq!(page.cookies.len(), 1);
    let attributes = "; Path=/; HttpOnly; SameSite=Lax; Secure";
    let check = |cookie: &str, name: &str, more: &str| {
        let rest = cookie.strip_prefix(name).unwrap();
        let value = rest.strip_suffix(&format!("{attributes}{more}")).unwrap();
        assert!(value.len() >= 43, "{cookie}");
    };
    let (name, _) = page.cookies[0].split_once('=').unwrap();
    assert!(name.starts_with("__Host-clientele-default_browser_"));
    check(&page.cookies[0], &format!("{name}="), "");
    let page = browser.sign_in_at(&page, "alice").await;
    let is_known = |cookie: &&String| cookie.starts_with("__Host-clientele-default_known_");
    let (known, session): (Vec<&String>, Vec<&String>) = page.cookies.iter().partition(is_known);
    let ([known], [session]) = (&known[..], &session[..]) else {
        panic!("{:?}", page.cookies);
    };
    check(session, "__Host-clientele-default=", "");
    let (name, _) = known.split_once('=').unwrap();
    check(known, &format!("{name}="), "; Max-Age=15552000");
}

#[tokio::test]
async fn c13_c15_pages_cannot_be_framed_and_lead_nowhere() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.app").url()).await;
    let consent = browser.sign_in_at(&login, "alice").await;
    let account = browser.open("/account").await;
    let logout = browser.open("/logout").await;
    let error = browser.open("/authorize").await;
    for page in [&login, &consent, &account, &logout, &error] {
        let reply = &page.reply;
        assert_eq!(reply.header("x-frame-options"), "DENY");
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(["no-referrer", "same-origin"].contains(&reply.header("referrer-policy")));
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(!reply.body.contains("src=\"http"), "nothing of others");
    }
    let told = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(told.reply.header("referrer-policy"), "no-referrer");
    assert_eq!(told.reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn c14_after_a_form_always_303() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.app").url()).await;
    let consent = browser.sign_in_at(&login, "alice").await;
    assert_eq!(consent.statuses, [303, 200]);
    let told = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(told.statuses, [303]);
    assert!(told.reply.body.is_empty());
}

#[tokio::test]
async fn c16_no_header_becomes_part_of_an_address() {
    let world = TestServer::at_rest().await;
    let mut plain = Browser::new(&world);
    let mut evil = Browser::new(&world);
    evil.headers = vec![
        ("host", "evil.example".to_owned()),
        ("x-forwarded-host", "evil.example".to_owned()),
        ("x-forwarded-proto", "http".to_owned()),
        ("forwarded", "host=evil.example;proto=http".to_owned()),
    ];
    for url in [
        &*ask("team-a.app").url(),
        "/account",
        "/.well-known/openid-configuration",
    ] {
        let (expected, page) = (plain.open(url).await, evil.open(url).await);
        assert_eq!(page.path(), expected.path());
        assert!(!page.reply.body.contains("evil") && !page.url.contains("evil"));
        assert!(
            page.cookies
                .iter()
                .all(|cookie| cookie.starts_with("__Host-"))
        );
    }
}

#[tokio::test]
async fn c21_strange_passwords_are_wrong_and_nothing_else() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let page = browser.open(&ask("team-a.app").url()).await;
    let encoded = |password: &str| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("transaction", &page.transaction());
        form.append_pair("username", "alice").finish() + "&password=" + password
    };
    let padded = format!("{}{}", PASSWORD.replace(' ', "+"), "%00");
    for (password, status) in [
        (&*"a".repeat(1 << 20), 413),
        (&*"a".repeat(20_000), 401),
        (&*padded, 401),
        ("%00", 401),
        ("%ff", 400),
        ("%zz", 400),
        ("e%CC%81", 401),
    ] {
        let page = browser.post_raw("/login", &encoded(password)).await;
        assert_eq!(page.reply.status, status, "{password:.20}");
    }
    let long_name = "a".repeat(30_000);
    let page = try_as(&world, &long_name, "x").await;
    assert_eq!(page.reply.status, 401);
    assert!(!page.reply.body.contains(&long_name));
}

#[tokio::test]
async fn c21_a_bcrypt_password_is_not_cut_off() {
    let world = TestServer::at_rest().await;
    let long = "p".repeat(71);
    let hash = bcrypt_of(&long);
    world.change(|tenant| {
        let mut person = crate::support::people::person("carl");
        person.password = Some(clientele_oauth::user::PasswordHash(hash.into()));
        tenant.users = crate::support::people::index(vec![person]);
    });
    assert_eq!(try_as(&world, "carl", &long).await.path(), "/consent");
    let longer = format!("{long}x");
    assert_eq!(try_as(&world, "carl", &longer).await.reply.status, 401);
}

fn bcrypt_of(password: &str) -> String {
    let hash = bcrypt::non_truncating_hash_with_salt(password, 4, [3; 16]);
    hash.unwrap().to_string()
}

#[tokio::test]
async fn a_hint_stands_in_the_form_and_a_name_stays_there() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let page = browser
        .open(&ask("team-a.app").with("login_hint", "bob").url())
        .await;
    assert_eq!(page.form().fields["username"], "bob");
    let page = browser
        .submit(&page, &[("username", "bobby"), ("password", "x")])
        .await;
    assert_eq!(page.form().fields["username"], "bobby");
}

#[tokio::test]
async fn m08_without_randomness_nobody_is_signed_in() {
    let mut app = TestServer::at_rest().await.app;
    app.random = |_| None;
    let world = TestServer::with(app);
    let page = Browser::new(&world).open(&ask("team-a.app").url()).await;
    page.stops(500, "server_error");
}

#[tokio::test]
async fn without_root_key_signing_in_waits() {
    let world = TestServer::at_rest().await;
    world.lose_root_key();
    let page = Browser::new(&world).open(&ask("team-a.app").url()).await;
    page.stops(503, "temporarily_unavailable");
    assert_eq!(page.reply.header("retry-after"), "5");
}

#[tokio::test]
async fn head_shows_the_head_of_a_page() {
    let world = TestServer::at_rest().await;
    let mut browser = Browser::new(&world);
    let login = browser.open(&ask("team-a.app").url()).await;
    let link = format!("/login?transaction={}", login.transaction());
    let head = browser.request("HEAD", &link, None).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let style = browser.request("GET", "/style.css", None).await;
    assert!(style.header("content-type").starts_with("text/css"));
    let head = browser.request("HEAD", "/style.css", None).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn the_listener_tells_who_is_at_the_other_end() {
    let world = TestServer::at_rest().await;
    let (logs, _guard) = crate::support::logs::Logs::capture();
    let server = Running::start(world.router.clone(), None, Limits::default()).await;
    let open = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        ask("team-a.app").url()
    );
    let answer = server.exchange(open.as_bytes()).await;
    let header = |name: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    let cookie = header("set-cookie:").split(';').next().unwrap().to_owned();
    let (_, rest) = answer.split_once("name=\"transaction\" value=\"").unwrap();
    let transaction = rest.split('"').next().unwrap();
    let form = format!("transaction={transaction}&username=alice&password=x");
    let head = "Host: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded";
    let length = form.len();
    let post = format!(
        "POST /login HTTP/1.1\r\n{head}\r\nCookie: {cookie}\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    let answer = server.exchange(post.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(logs.text().contains("from=127.0.0.1"), "{}", logs.text());
}

#[tokio::test]
async fn a_get_with_a_body_is_read_by_its_query() {
    let world = TestServer::at_rest().await;
    let request = Request::get(ask("team-a.app").url()).body(Body::from("client_id=evil"));
    let reply = world.send(request.unwrap()).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("The App"));
}

#[tokio::test]
async fn c22_an_address_is_typed_where_the_tenant_says_so() {
    let world = TestServer::at_rest().await;
    let page = try_as(&world, "alice@example.com", PASSWORD).await;
    assert_eq!(page.reply.status, 401);
    world.change(|tenant| tenant.signs_in_by_email = true);
    let page = try_as(&world, "Alice@Example.com", PASSWORD).await;
    assert_eq!(page.path(), "/consent");
    assert_eq!(try_as(&world, "alice", PASSWORD).await.path(), "/consent");
    // One counter, whichever name is typed.
    for typed in ["bob", "bob@example.com", "BOB@example.com", "bob", "bob"].repeat(2) {
        assert_eq!(try_as(&world, typed, "wrong").await.reply.status, 401);
    }
    for typed in ["bob", "bob@example.com"] {
        assert_eq!(try_as(&world, typed, PASSWORD).await.reply.status, 429);
    }
    let unknown = try_as(&world, "unknown@example.com", PASSWORD).await;
    assert_eq!(unknown.reply.status, 401);
}

#[tokio::test]
async fn n07_a_hash_of_other_parameters_is_upgraded_at_success() {
    let world = TestServer::at_rest().await;
    let store = &world.app.store;
    let pbkdf2 = "$pbkdf2-sha256$i=10000,l=32$AAECAwQFBgcICQoLDA0ODw$TtmSSavZylVuyTDpr7qQNz9Qae2DG3D8O6rwB7nOVVE";
    for (name, hash) in [
        ("bert", bcrypt_of("old password")),
        ("kim", pbkdf2.to_owned()),
    ] {
        let uid = format!("uid-of-user-{name}");
        let brought = |hash: &str| {
            let mut person = person(name);
            person.password = Some(PasswordHash(hash.into()));
            world.change(|tenant| tenant.users = index(vec![person]));
        };
        brought(&hash);
        assert_eq!(try_as(&world, name, "wrong").await.reply.status, 401);
        assert!(store.upgraded_hash(&uid).await.unwrap().is_none());
        assert_eq!(
            try_as(&world, name, "old password").await.path(),
            "/consent"
        );
        let upgraded = store.upgraded_hash(&uid).await.unwrap().unwrap();
        let own = PasswordHash(upgraded.hash.as_str().into());
        assert!(password::is_own(&own) && password::verify(Some(&own), "old password"));
        assert_eq!(
            try_as(&world, name, "old password").await.path(),
            "/consent"
        );
        // It is what counts, for as long as the manifest says the same.
        let other = UpgradedHash {
            hash: password::hash("planted", &[1; 16]).unwrap().0.to_string(),
            ..upgraded
        };
        store.keep_upgraded_hash(other).await.unwrap();
        assert_eq!(try_as(&world, name, "planted").await.path(), "/consent");
        assert_eq!(try_as(&world, name, "old password").await.reply.status, 401);
        brought(&bcrypt_of("new password"));
        for gone in ["planted", "old password"] {
            assert_eq!(try_as(&world, name, gone).await.reply.status, 401, "{gone}");
        }
        assert_eq!(
            try_as(&world, name, "new password").await.path(),
            "/consent"
        );
    }
}

#[tokio::test]
async fn n06_another_person_does_not_get_a_used_subject() {
    let world = TestServer::at_rest().await;
    let recreated = |subject: &str, reassigned: &[&str]| {
        let mut person = person("alice");
        person.uid = "uid-of-a-later-alice".into();
        person.subject = subject.into();
        world.change(|tenant| {
            tenant.users = index(vec![person]);
            tenant.reassigned_subjects = list(reassigned);
        });
    };
    let subject = "subject-of-alice";
    recreated(subject, &[]);
    assert_eq!(
        try_as(&world, "alice", PASSWORD).await.path(),
        "/consent",
        "unused so far"
    );
    world.change(|_| ());
    let page = try_as(&world, "alice", PASSWORD).await;
    page.stops(403, "subject_taken");
    assert_eq!(try_as(&world, "bob", PASSWORD).await.path(), "/consent");
    world.change(|tenant| tenant.reassigned_subjects = list(&[subject]));
    assert_eq!(try_as(&world, "alice", PASSWORD).await.path(), "/consent");
    // The earlier holder has lost it.
    recreated(subject, &["another"]);
    try_as(&world, "alice", PASSWORD)
        .await
        .stops(403, "subject_taken");
    recreated("usr:AAAAAAAAAAAAAAAAAAAAAA", &[]);
    assert_eq!(
        try_as(&world, "alice", PASSWORD).await.path(),
        "/consent",
        "derived"
    );
    recreated(subject, &[]);
    clock::advance(Duration::from_hours(24 * 400 + 1));
    assert_eq!(
        try_as(&world, "alice", PASSWORD).await.path(),
        "/consent",
        "free again"
    );
}
